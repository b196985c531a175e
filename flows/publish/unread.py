"""Columns of a file that its layout does not read, and what they may have been meant for. Pure.

A column that is spelt otherwise is a column left out: 罚款金额（元） for 罚款金额（万元） is a penalty
without a fine, 有效期起 for 有效期自 a licence without a beginning. So every column not read is
reported, and one that comes near a column which the layout maps and the file lacks refuses the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from connectors.errors import MiantiError
from flows.publish.recognise import Match
from schemas.dialect import Dialect, fold_name, mapped_columns
from schemas.personal import redact

#: Names of fewer characters have too many neighbours: 备注 is not 备案.
_SHORTEST: Final = 3
_SHORTEST_LATIN: Final = 6
_LATIN: Final = re.compile("[a-z0-9_ .-]+")
_BRACKETS: Final = re.compile(r"\([^()]*\)")


@dataclass(frozen=True)
class Unread:
    """`column`: as the file has it. `may_mean`: columns of the layout with names that come near."""

    column: str
    may_mean: tuple[str, ...] = ()


class ColumnMisspelt(MiantiError):
    """A column of the file is probably one that the layout needs, under another name."""


def unread_columns(header: Sequence[str], match: Match) -> list[Unread]:
    """Return the columns that are neither read nor known as not wanted; near misses first."""
    if match.renamed is not None:
        return []
    known = {fold_name(name) for name in match.dialect.ignore}
    left = [n for n in header if n and n not in match.names and fold_name(n) not in known]
    found = [Unread(name, tuple(_near(name, match.dialect))) for name in left]
    return sorted(found, key=lambda unread: not unread.may_mean)


def require_spelling(unread: Iterable[Unread], match: Match) -> None:
    """Raise ColumnMisspelt where a column comes near one that matters and the file lacks."""
    wanted = _wanted(match.dialect) - set(match.names.values())
    near = [(u.column, [c for c in u.may_mean if c in wanted]) for u in unread]
    pairs = [(redact(column), ", ".join(meant)) for column, meant in near if meant]
    if not pairs:
        return
    english = "; ".join(f"{column} (is it {meant}?)" for column, meant in pairs)
    chinese = "；".join(f"{column}（是否为 {meant}？）" for column, meant in pairs)
    name = match.dialect.id
    raise ColumnMisspelt(
        f"Columns that the layout {name} does not know, with names like columns it reads and the "
        f"file lacks: {english}. Nothing was published. Rename them in the file; or, in the "
        "layout's dialect, add the name to the column's spellings if it means the same, in the "
        "same unit, or to `ignore` if it is not wanted.",
        f"文件中有版式 {name} 未知的列，其名称与该版式要读取而文件中缺少的列相近：{chinese}。"
        "未发布任何数据。请更正列名；或在该版式的方言文件中处理：含义和单位相同的，加入该列的别名；"
        "不需要的，加入 ignore。",
    )


def _wanted(dialect: Dialect) -> set[str]:
    named = {name for name in (dialect.edition, dialect.sequence) if name}
    return {*dialect.columns} if dialect.native else mapped_columns(dialect) | named


def _near(name: str, dialect: Dialect) -> list[str]:
    folded = fold_name(name)
    return [
        column
        for column, others in dialect.columns.items()
        if any(_resembles(folded, fold_name(spelling)) for spelling in [column, *others])
    ]


def _resembles(name: str, known: str) -> bool:
    """Whether names differ by a unit in brackets, the order of characters, or one character."""
    bare, bare_known = (_BRACKETS.sub("", one) for one in (name, known))
    if bare and bare == bare_known:
        # 代码_1(统一社会信用代码) and 代码_1(组织机构代码) are two columns; of units, all are short.
        return all(len(inner) <= 6 for inner in _BRACKETS.findall(name + known))
    if _LATIN.fullmatch(bare) or _LATIN.fullmatch(bare_known):
        bare, bare_known = (re.sub("[_ .-]", "", one) for one in (bare, bare_known))
        shortest = _SHORTEST_LATIN
    else:
        shortest = _SHORTEST
    if min(len(bare), len(bare_known)) < shortest:
        return False
    return sorted(bare) == sorted(bare_known) or _one_apart(bare, bare_known)


def _one_apart(one: str, other: str) -> bool:
    """Whether one character is replaced, added or left out, and none of it a number."""
    short, long = sorted((one, other), key=len)
    if len(long) - len(short) > 1:
        return False
    at = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    changed = {long[at], *short[at : at + 1]} if len(short) == len(long) else {long[at : at + 1]}
    rest = short[at + 1 :] if len(short) == len(long) else short[at:]
    # 处罚类别1 and 处罚类别2 are counted, not misspelt.
    return rest == long[at + 1 :] and not all(c.isdigit() for c in changed)
