"""What in the publishers' table cannot work, by itself and with the layouts it names. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from schemas import dialect as d
from schemas.avro import FAMILIES, facets
from schemas.code_list import CodeList
from schemas.dialect_check import Wrong
from schemas.faults import Said, no_such
from schemas.identifiers import uscc
from schemas.publishers import Publisher, PublishersTable
from schemas.takes import Takes, fields_of

_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,60}")
_FAMILY: Final = Said("family", "数据类别")
_FACET: Final = Said("facet", "信息面")
_LAYOUT: Final = Said("layout", "版式")
_LIST: Final = Said("code list", "代码表")


class BadWord(NamedTuple):
    """A word of a code list that a field of the events does not have; `code`: whose meaning it is."""

    list: str
    code: str
    says: Said


def wrong_in_table(table: PublishersTable) -> Iterator[Wrong]:
    """Yield what is wrong with the lines by themselves, whatever their layouts are."""
    for id_, line in table.publishers.items():
        here = f"publishers.{id_}"
        if not _ID.fullmatch(id_):
            yield (
                here,
                Said(
                    f"publisher id {id_!r}: use a-z, 0-9 and -, 2 to 61 characters",
                    f"部门编号“{id_}”只能使用 a-z、0-9 和 -，2 至 61 个字符",
                ),
            )
        if line.cycle <= dt.timedelta(0):
            yield f"{here}.cycle", Said("must be a time, such as P7D", "应为正的时长，如 P7D")
        for family, rights in line.families.items():
            at = f"{here}.families.{family}"
            if family not in FAMILIES:
                yield at, no_such(_FAMILY, family, FAMILIES)
                continue
            for facet in rights.facets:
                if facet not in facets(family):
                    yield f"{at}.facets", no_such(_FACET, facet, facets(family))
            if not all(issuer.strip() for issuer in rights.issuers):
                yield f"{at}.issuers", Said("has an empty issuer", "决定机关为空")


def wrong_in_line(
    id_: str,
    line: Publisher,
    dialects: Mapping[str, d.Dialect],
    lists: Mapping[str, CodeList],
    *,
    whole: bool = True,
) -> Iterator[Wrong | BadWord]:
    """Yield what keeps a publisher's layouts from working: layouts, code lists, their words.

    `whole`: every dialect and list could be read, so that what is not among them is nowhere. The
    line's code is checked too: what it states of completeness would be quarantined.
    """
    if not uscc.is_valid(line.code):
        yield (
            f"publishers.{id_}.code",
            Said(
                "is no valid unified social credit code: look for a mistyped character",
                "不是有效的统一社会信用代码，请检查是否有录入错误",
            ),
        )
    for layout, said in line.layouts.items():
        here = f"publishers.{id_}.layouts.{layout}"
        dialect = dialects.get(layout)
        if dialect is None:
            if whole:
                yield here, no_such(_LAYOUT, layout, dialects)
            continue
        wanted = dialect.code_lists()
        for name in sorted(said.codes.keys() - wanted):
            yield f"{here}.codes.{name}", no_such(_LIST, name, wanted)
        for name in sorted(wanted):
            chosen = said.codes.get(name)
            if chosen is None:
                yield (
                    f"{here}.codes",
                    Said(
                        f"names no code list for {name}, which the layout reads",
                        f"未为版式所用的 {name} 指定代码表",
                    ),
                )
            elif chosen not in lists and whole:
                yield f"{here}.codes.{name}", no_such(_LIST, chosen, lists)
        yield from _words(id_, dialect, said.codes, lists)


def without_right(id_: str, line: Publisher, dialects: Mapping[str, d.Dialect]) -> Iterator[Wrong]:
    """Yield the layouts of which every row, or every event of a kind, would be refused."""
    for layout in line.layouts.keys() & dialects.keys():
        dialect, here = dialects[layout], f"publishers.{id_}.layouts.{layout}"
        rights = line.families.get(dialect.family)
        if rights is None:
            yield (
                here,
                Said(
                    f"is of the family {dialect.family}, which the line does not have",
                    f"属于 {dialect.family} 类，而该部门未登记此类别",
                ),
            )
            continue
        organ = dialect.issuer.const if isinstance(dialect.issuer, d.Const) else None
        named = all(issuer.strip() for issuer in rights.issuers)
        if organ is not None and named and not re.fullmatch(rights.issuer_pattern(), organ):
            yield (
                here,
                Said(
                    f"speaks for {organ}, which is not among the line's issuers of {dialect.family}",
                    f"决定机关为“{organ}”，不在该部门 {dialect.family} 类的 issuers 中",
                ),
            )
        for facet in dict.fromkeys(event.facet for event in dialect.events):
            if facet in facets(dialect.family) and facet not in rights.owned():
                yield (
                    here,
                    Said(
                        f"sets the facet {facet}, which the line has no right to",
                        f"设置信息面 {facet}，而该部门无此权限",
                    ),
                )


def twice_one(table: PublishersTable) -> Iterator[Wrong]:
    """Yield the lines that have the code of one before, and a layout of its.

    A statement of completeness is known by code and layout: one of two that are alike is a repeat.
    """
    first: dict[tuple[str, str], str] = {}
    for id_, line in table.publishers.items():
        for layout in line.layouts:
            other = first.setdefault((line.code, layout), id_)
            if other != id_:
                yield (
                    f"publishers.{id_}.code",
                    Said(
                        f"is that of {other} too, and both send {layout}: what one states of completeness "
                        "is taken for the other's; give each its own, or one line to both",
                        f"与 {other} 相同，且均报送版式 {layout}：二者的完整性声明无法区分，请分别使用各自的代码，"
                        "或合并为一行",
                    ),
                )
                break


def _words(
    id_: str,
    dialect: d.Dialect,
    chosen: Mapping[str, str],
    lists: Mapping[str, CodeList],
) -> Iterator[BadWord]:
    """Find the words that a field does not have; one list may feed several fields."""
    fields = fields_of(dialect.family)
    for place, name, takes in _readers(dialect, fields):
        found = lists.get(chosen.get(name, ""))
        if found is None or not takes.words:
            continue
        for code, word in found.values.items():
            if word not in takes.words:
                told = no_such(Said("word", "取值"), word, takes.words)
                yield BadWord(
                    found.id,
                    code,
                    Said(
                        f"{told.en} (list {found.id}, read for {place} of {dialect.id}, publisher {id_})",
                        f"{told.zh}（代码表 {found.id}，用于部门 {id_} 版式 {dialect.id} 的 {place}）",
                    ),
                )


def _readers(dialect: d.Dialect, fields: Mapping[str, Takes]) -> Iterator[tuple[str, str, Takes]]:
    """Yield place, list and field for each map that reads through a code list."""
    for fed in dialect.maps():
        known = fields
        for record in fed.path[:-1]:
            known = known[record].fields if record in known else {}
        if (takes := known.get(fed.path[-1])) is not None:
            yield from _read_by(fed.place, fed.spec, takes)


def _read_by(place: str, spec: Any, takes: Takes) -> Iterator[tuple[str, str, Takes]]:
    if isinstance(spec, d.Code | d.Codes):
        yield place, spec.list, takes
    elif isinstance(spec, d.Each):
        for item in spec.each:
            for name, inner in item.items():
                if name in takes.fields:
                    yield from _read_by(f"{place}.{name}", inner, takes.fields[name])
