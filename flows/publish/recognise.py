"""Which layout a file is in, by its header; or what it looks like and what comes near. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.errors import MiantiError
from schemas.dialect import Dialect, fold_name
from schemas.personal import redact
from schemas.publishers import Publisher


class NotRecognised(MiantiError):
    """No layout, or more than one, fits the file's header."""


@dataclass(frozen=True)
class Match:
    """A layout, and the file's column names in the layout's own spelling.

    `renamed`: by position, when the header line does not say what the columns hold; else None.
    """

    dialect: Dialect
    names: dict[str, str]
    renamed: list[str] | None


def recognise(
    header: Sequence[str], dialects: Mapping[str, Dialect], publisher: Publisher, layout: str | None
) -> Match:
    """Return the layout of a file with this header, among those its publisher sends.

    Raises NotRecognised, naming the columns seen and the layouts that come near.
    """
    own = {name: dialects[name] for name in publisher.layouts if name in dialects}
    if layout is not None:
        own = _only(layout, own)
    found = [m for m in (match(header, d) for d in own.values()) if m is not None]
    if not found:
        raise _none_fits(header, own)
    best = max(len(m.dialect.recognise) for m in found)
    fitting = [m for m in found if len(m.dialect.recognise) == best]
    if len(fitting) > 1:
        raise _several_fit([m.dialect.id for m in fitting])
    return fitting[0]


def match(header: Sequence[str], dialect: Dialect) -> Match | None:
    """Return how a header fits one layout, or None."""
    folded = [fold_name(name) for name in header]
    for known in dialect.headers:
        if folded == [fold_name(name) for name in known.as_found]:
            return Match(dialect, {}, known.means)
    aliases = dialect.aliases()
    names: dict[str, str] = {}
    for name, key in zip(header, folded, strict=True):
        own = aliases.get(key)
        if own is not None and own not in names.values():
            names[name] = own
    fits = set(dialect.recognise) <= set(names.values())
    return Match(dialect, names, None) if fits else None


def _only(layout: str, own: dict[str, Dialect]) -> dict[str, Dialect]:
    if layout not in own:
        raise NotRecognised(
            f"This publisher does not send the layout {layout!r}; it sends: {_list(own)}. "
            "A new one takes a dialect file and its name in the publishers' table.",
            f"该部门未登记版式 {layout!r}；已登记：{_list(own)}。新增版式需添加方言文件并在发布部门表中登记。",
        )
    return {layout: own[layout]}


def _none_fits(header: Sequence[str], own: Mapping[str, Dialect]) -> NotRecognised:
    # Without a header line, the first row stands there.
    seen = redact(", ".join(header[:40]))
    near = "; ".join(_distance(header, dialect) for dialect in own.values())
    return NotRecognised(
        f"The header fits no layout of this publisher. Columns seen: {seen}. Layouts: {near}. "
        "Correct the header or name the layout with --layout.",
        f"表头与该部门登记的版式均不符。识别到的列：{seen}。已登记版式：{near}。请更正表头，或用 --layout 指定版式。",
    )


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


def _list(names: Mapping[str, Dialect]) -> str:
    return ", ".join(names) or "-"
