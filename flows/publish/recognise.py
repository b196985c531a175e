"""Which layout a file is in, by its header; or what it looks like and what comes near. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from connectors.errors import MiantiError
from schemas.dialect import Dialect, fold_name, mapped_columns
from schemas.personal import redact
from schemas.publishers import Publisher

#: What no name of a column has, and rows of data do: a code, a date, a number.
_DATA: Final = re.compile(r"[0-9A-Za-z]{15,}|\d{4,}|^\s*-?\d+(?:\.\d+)?\s*$|\d{1,2}[-/.月]\d{1,2}")


class NotRecognised(MiantiError):
    """No layout, or more than one, fits the file's header."""


class ColumnTwice(MiantiError):
    """A file gives a column of its layout twice, so that which one counts is not known."""


@dataclass(frozen=True)
class Match:
    """A layout, and the file's column names in the layout's own spelling.

    `renamed`: by position, when the header line does not say what the columns hold; else None.
    `twice`: columns the layout reads that the file gives more than once.
    """

    dialect: Dialect
    names: dict[str, str]
    renamed: list[str] | None
    twice: tuple[str, ...] = ()


def recognise(
    header: Sequence[str], dialects: Mapping[str, Dialect], publisher: Publisher, layout: str | None
) -> Match:
    """Return the layout of a file with this header, among those its publisher sends.

    Raises NotRecognised, naming the columns seen and the layouts that come near; ColumnTwice.
    """
    own = layouts_of(dialects, publisher, layout)
    found = best_match(header, own)
    if found is None:
        raise none_fits(header, own, layout)
    return found


def layouts_of(
    dialects: Mapping[str, Dialect], publisher: Publisher, layout: str | None
) -> dict[str, Dialect]:
    """Return the layouts a publisher sends, or the one asked for. Raises NotRecognised."""
    own = {name: dialects[name] for name in publisher.layouts if name in dialects}
    return own if layout is None else _only(layout, own)


def best_match(header: Sequence[str], own: Mapping[str, Dialect]) -> Match | None:
    """Return the layout whose recognised columns are the most; None where none fits.

    Raises NotRecognised where several fit equally, ColumnTwice.
    """
    found = [m for m in (match(header, d) for d in own.values()) if m is not None]
    if not found:
        return None
    best = max(len(m.dialect.recognise) for m in found)
    fitting = [m for m in found if len(m.dialect.recognise) == best]
    if len(fitting) > 1:
        raise _several_fit([m.dialect.id for m in fitting])
    if fitting[0].twice:
        raise _given_twice(fitting[0])
    return fitting[0]


def match(header: Sequence[str], dialect: Dialect) -> Match | None:
    """Return how a header fits one layout, or None."""
    folded = [fold_name(name) for name in header]
    for known in dialect.headers:
        if folded == [fold_name(name) for name in known.as_found]:
            return Match(dialect, {}, known.means)
    aliases = dialect.aliases()
    names: dict[str, str] = {}
    twice: list[str] = []
    read = mapped_columns(dialect) | set(dialect.required) | set(dialect.recognise)
    for name, key in zip(header, folded, strict=True):
        own = aliases.get(key)
        if own is None:
            continue
        if own not in names.values():
            names[name] = own
        elif own in read or dialect.native:
            twice.append(own)
    fits = set(dialect.recognise) <= set(names.values())
    return Match(dialect, names, None, tuple(dict.fromkeys(twice))) if fits else None


def looks_like_data(header: Sequence[str]) -> bool:
    """Return whether what stands for a header is a row of data, which a person may be named in."""
    return any(_DATA.search(name) for name in header)


def none_fits(
    header: Sequence[str], own: Mapping[str, Dialect], layout: str | None
) -> NotRecognised:
    """Build the error of a header that fits no layout.

    It never shows a row of data: names of columns only where one of them at least is known.
    """
    near = "; ".join(_distance(header, dialect) for dialect in own.values())
    known = {key for dialect in own.values() for key in dialect.aliases()}
    recognised = [name for name in header if fold_name(name) in known]
    data = looks_like_data(header)
    if data and not recognised:
        return NotRecognised(
            "The first line holds data, not the names of columns: the file has no header. Put a "
            "line with the names of the columns above it, or name them in their order in the "
            f"layout's dialect (`headerless`) and publish with --layout. Layouts: {near}.",
            "文件首行是数据而不是列名，即没有表头。请在首行补上各列名称；或在版式的方言文件中按顺序列出各列"
            f"（headerless），并用 --layout 发布。已登记版式：{near}。",
        )
    # Without one column that is known this may be a row of data, in which a person is named.
    shown = recognised if data or not recognised else header[:40]
    none = f"none of {len(header)} is known · {len(header)} 列均未识别"
    seen = redact(", ".join(shown)) or none
    if layout is not None:
        return NotRecognised(
            f"The header fits no layout asked for: {near}. These columns must be there whatever layout "
            f"is named. Columns seen: {seen}. Correct the header, or add its spellings to the dialect.",
            f"文件不能按版式 {layout} 读取：无论是否指定版式，以下列必须存在：{near}。识别到的列：{seen}。"
            "请更正表头，或在方言文件中补充该列的其他名称。",
        )
    return NotRecognised(
        f"The header fits no layout of this publisher. Columns seen: {seen}. Layouts: {near}. "
        "Correct the header: a file that lacks a layout's columns is not read, with --layout neither.",
        f"表头与该部门登记的版式均不符。识别到的列：{seen}。已登记版式：{near}。请更正表头：缺少上述列的文件，"
        "即使用 --layout 指定版式也不能读取。",
    )


def _only(layout: str, own: dict[str, Dialect]) -> dict[str, Dialect]:
    if layout not in own:
        raise NotRecognised(
            f"This publisher does not send the layout “{layout}”; it sends: {_list(own)}. "
            "A new one takes a dialect file and its name in the publishers' table.",
            f"该部门未登记版式“{layout}”；已登记：{_list(own)}。新增版式需添加方言文件并在发布部门表中登记。",
        )
    return {layout: own[layout]}


def _distance(header: Sequence[str], dialect: Dialect) -> str:
    aliases = dialect.aliases()
    known = {aliases.get(fold_name(name)) for name in header}
    missing = [name for name in dialect.recognise if name not in known]
    return f"{dialect.id} (lacks/缺 {', '.join(missing)})"


def _several_fit(ids: list[str]) -> NotRecognised:
    return NotRecognised(
        f"The header fits several layouts: {', '.join(ids)}. Name one with --layout.",
        f"表头同时符合多个版式：{', '.join(ids)}。请用 --layout 指定。",
    )


def _given_twice(found: Match) -> ColumnTwice:
    given = {column: name for name, column in found.names.items()}
    named = ", ".join(f"{given[c]} ({c})" if given[c] != c else c for c in found.twice)
    return ColumnTwice(
        f"The file gives a column twice: {named}. Which of the two counts is not known: remove one "
        "of them, or rename it if it holds something else.",
        f"文件中同一列出现两次：{named}。无法确定以哪一列为准：请删除其中一列，内容不同的请更改列名。",
    )


def _list(names: Mapping[str, Dialect]) -> str:
    return ", ".join(names) or "-"
