"""What in a dialect cannot work, with the events of its family and in itself. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

import polars as pl

from schemas import dialect as d
from schemas.avro import event_columns, instance
from schemas.constants import value_of
from schemas.faults import Said, near, no_such
from schemas.personal import NUMBER_FIELDS
from schemas.takes import Takes, fields_of

#: Place in the dialect, and what is wrong there.
Wrong = tuple[str, Said]

_FACET: Final = Said("facet", "信息面")
_FIELD: Final = Said("field", "字段")
_COLUMN: Final = Said("column", "列")
_WORD: Final = Said("word", "取值")
_RECORDS: Final = re.compile(r"[^\s.]+(\.[^\s.]+)*")


def wrong_in(dialect: d.Dialect) -> Iterator[Wrong]:
    """Yield all that is wrong with a dialect by itself, whoever sends its layout."""
    yield from _columns(dialect)
    yield from _contradictions(dialect)
    yield from _headers(dialect)
    if dialect.native:
        yield from _native(dialect)
    else:
        yield from _events(dialect)


def _events(dialect: d.Dialect) -> Iterator[Wrong]:
    if not dialect.events:
        yield (
            "events",
            Said(
                "says nothing: a row must give an event, unless the layout is native",
                "为空：除 native 版式外，每行至少应生成一个事件",
            ),
        )
    if dialect.sequence is not None:
        yield "sequence", Said("is for native layouts alone", "仅用于 native 版式")
    fields = fields_of(dialect.family)
    facets = {name: one for name, one in fields.items() if one.kind == "record"}
    for number, event in enumerate(dialect.events, start=1):
        if event.facet not in facets:
            told = no_such(_of(dialect.family, _FACET), event.facet, facets)
            yield f"events.{number}.facet", told
            continue
        yield from _lacking(event.facet, facets[event.facet].fields, event.content)
    for fed in dialect.maps():
        yield from _fed(dialect.family, fields, fed)


def _fed(family: str, fields: Mapping[str, Takes], fed: d.Fed) -> Iterator[Wrong]:
    known, dtype = fields, None
    *within, name = fed.path
    for record in within:
        if record not in fields:
            return  # no facet; told already
        known = fields[record].fields
    if name not in known:
        yield fed.place, no_such(_of(family, _FIELD), name, known)
        return
    dtype = instance(event_columns(family)[fed.path[0]])
    for part in fed.path[1:]:
        dtype = _inner(dtype, part)
    yield from _map(fed.place, fed.spec, known[name], dtype)


def _map(place: str, spec: Any, takes: Takes, dtype: pl.DataType) -> Iterator[Wrong]:
    if type(spec) not in takes.maps:
        given = next(word for word, kind in d.MAPS.items() if kind is type(spec))
        told = takes.told()
        if isinstance(spec, d.Text):
            en, zh = "is given a column's text", "给出的是列的文本"
        else:
            en, zh = f"is given {{{given}: …}}", f"给出的是 {{{given}: …}}"
        yield place, Said(f"{en}, which does not fit: {told.en}", f"{zh}，类型不符：{told.zh}")
    elif isinstance(spec, d.Const):
        yield from _const(place, spec.const, takes, dtype)
    elif isinstance(spec, d.IfPresent):
        for word in (spec.then, spec.otherwise):
            yield from _const(place, word, takes, dtype)
    elif isinstance(spec, d.Part):
        yield from _pattern(place, spec.pattern)
    elif isinstance(spec, d.Each):
        yield from _each(place, spec, takes, dtype)
    elif isinstance(spec, d.First | d.Codes) and not d.columns_of(spec):
        yield place, Said("names no column", "未指定列")


def _const(place: str, text: str, takes: Takes, dtype: pl.DataType) -> Iterator[Wrong]:
    if not text.strip():
        yield place, Said("is a constant that says nothing", "常量为空")
    elif takes.words and text not in takes.words:
        yield place, no_such(_WORD, text, takes.words)
    else:
        try:
            value_of(text, dtype)
        except ValueError:
            told = takes.told()
            shown = {
                "day": Said("a day is written 2029-01-01", "日期写作 2029-01-01"),
                "time": Said(
                    "a time is written 2029-01-01 08:30:00", "时间写作 2029-01-01 08:30:00"
                ),
                "amount": Said(
                    'an amount in yuan is written "1234.50"', '金额（元）写作 "1234.50"'
                ),
            }.get(takes.kind, Said(told.en, told.zh))
            yield place, Said(f"cannot be {text!r}: {shown.en}", f"不能为“{text}”：{shown.zh}")


def _pattern(place: str, pattern: str) -> Iterator[Wrong]:
    try:
        groups = pl.Series([""]).str.extract_groups(pattern).dtype
    except pl.exceptions.PolarsError:
        yield (
            place,
            Said(
                f"the pattern {pattern!r} is no regular expression that can be read (no look-ahead, "
                "no back-references)",
                f"正则表达式“{pattern}”无法解析（不支持环视和反向引用）",
            ),
        )
        return
    if not (isinstance(groups, pl.Struct) and groups.fields):
        yield (
            place,
            Said(
                f"the pattern {pattern!r} has no group: put what is wanted between ( and )",
                f"正则表达式“{pattern}”没有分组：请用 ( ) 括住需要的部分",
            ),
        )


def _each(place: str, spec: d.Each, takes: Takes, dtype: pl.DataType) -> Iterator[Wrong]:
    if not spec.each:
        yield place, Said("lists no record", "未列出任何记录")
    record = instance(dtype.inner) if isinstance(dtype, pl.List) else dtype
    if spec.needs not in takes.fields:
        yield f"{place}.needs", no_such(_FIELD, spec.needs, takes.fields)
    for number, item in enumerate(spec.each, start=1):
        here = f"{place}.each.{number}"
        yield from _lacking(here, takes.fields, item)
        if spec.needs in takes.fields and spec.needs not in item:
            yield (
                here,
                Said(f"lacks {spec.needs}, which it needs", f"缺少 needs 指定的 {spec.needs}"),
            )
        for name, inner in item.items():
            if name not in takes.fields:
                yield f"{here}.{name}", no_such(_FIELD, name, takes.fields)
            else:
                yield from _map(f"{here}.{name}", inner, takes.fields[name], _inner(record, name))


def _lacking(place: str, fields: Mapping[str, Takes], given: Mapping[str, Any]) -> Iterator[Wrong]:
    for name, takes in fields.items():
        if takes.needed and name not in given:
            told = takes.told() if takes.maps else Said("no layout can say it", "版式无法给出")
            yield (
                f"{place}.{name}",
                Said(
                    f"is required by the events' schema, and nothing feeds it: {told.en}",
                    f"事件模式要求必填，但没有来源：{told.zh}",
                ),
            )


def _columns(dialect: d.Dialect) -> Iterator[Wrong]:
    declared = dialect.columns
    for name in sorted(d.used_columns(dialect) - set(declared)):
        meant = near(name, declared)
        yield (
            "columns",
            Said(
                f"the dialect uses a column it does not declare: {name}"
                + (f"; did you mean {meant}?" if meant else ""),
                f"使用了未在 columns 中声明的列：{name}"
                + (f"；是否应为“{meant}”？" if meant else ""),
            ),
        )
    for name in sorted(d.mapped_columns(dialect) & set(dialect.personal)):
        yield (
            "personal",
            Said(f"the dialect maps personal columns: {name}", f"映射了涉及个人信息的列：{name}"),
        )
    taken: dict[str, str] = {}
    for name, others in declared.items():
        for one in (name, *others):
            folded = d.fold_name(one)
            if not folded:
                yield f"columns.{name}", Said("a column has an empty name", "列名为空")
            elif taken.setdefault(folded, name) != name:
                yield (
                    f"columns.{name}",
                    Said(
                        f"the name {one!r} stands for two columns, {taken[folded]} too",
                        f"名称“{one}”对应两个列，另一列为 {taken[folded]}",
                    ),
                )


def _contradictions(dialect: d.Dialect) -> Iterator[Wrong]:
    if not d.key_columns(dialect):
        yield (
            "record_key.columns",
            Said("has no column: all rows would be one record", "没有列：所有行将成为同一条记录"),
        )
    for part in dialect.record_key.columns:
        if isinstance(part, d.Const) and not part.const.strip():
            yield "record_key.columns", Said("has an empty constant", "常量为空")
    aliases = dialect.aliases()
    read = d.used_columns(dialect) - set(dialect.headerless)
    for name in dialect.ignore:
        own = aliases.get(d.fold_name(name))
        if own in read:
            yield "ignore", Said(f"the column is read: {name}", f"该列正被读取：{name}")
    for name in sorted({*dialect.document_numbers} & {*dialect.personal}):
        yield "document_numbers", Said(f"the column is personal: {name}", f"该列为个人信息：{name}")
    yield from _numbers(dialect)
    if any(not word.strip() for word in dialect.skip_rows):
        yield (
            "skip_rows",
            Said(
                "has an empty word, by which every row would be skipped", "含有空词，将跳过所有行"
            ),
        )
    if dialect.records is not None and not _RECORDS.fullmatch(dialect.records):
        yield (
            "records",
            Said(
                f"{dialect.records!r} is no way to the records: names held apart by points, such as "
                "data.rows",
                f"“{dialect.records}”不是记录所在路径：应为以点分隔的名称，如 data.rows",
            ),
        )


def _numbers(dialect: d.Dialect) -> Iterator[Wrong]:
    """Find numbers of documents that feed a text in which they may be taken for a person's."""
    for fed in dialect.maps():
        named = sorted(d.columns_of(fed.spec) & set(dialect.document_numbers))
        if named and fed.path[-1] not in NUMBER_FIELDS | {"issuer"}:
            fields, columns = ", ".join(sorted(NUMBER_FIELDS)), ", ".join(named)
            yield (
                fed.place,
                Said(
                    f"{columns} holds numbers of documents (document_numbers), which may be taken "
                    f"for a person's in this field; only these hold them: {fields}",
                    f"{columns} 为文书编号列（document_numbers），在该字段中可能被误认为个人号码；"
                    f"只有下列字段存放编号：{fields}",
                ),
            )


def _headers(dialect: d.Dialect) -> Iterator[Wrong]:
    for number, header in enumerate(dialect.headers, start=1):
        here = f"headers.{number}"
        if len(header.as_found) != len(header.means):
            yield (
                here,
                Said(
                    f"as_found has {len(header.as_found)} columns and means {len(header.means)}",
                    f"as_found 有 {len(header.as_found)} 列，means 有 {len(header.means)} 列",
                ),
            )
        yield from _whole(f"{here}.means", header.means, dialect)
    if dialect.headerless:
        yield from _whole("headerless", dialect.headerless, dialect)


def _whole(place: str, columns: list[str], dialect: d.Dialect) -> Iterator[Wrong]:
    """Find what a file without a header of its own would lack, or have twice."""
    for name, count in Counter(columns).items():
        if count > 1 and name in dialect.columns:
            yield place, Said(f"names a column twice: {name}", f"列重复：{name}")
    needed = {*dialect.recognise, *dialect.required, dialect.subject, *d.key_columns(dialect)}
    for name in sorted(needed & set(dialect.columns) - set(columns)):
        yield place, Said(f"lacks a column that files must have: {name}", f"缺少必需的列：{name}")


def _native(dialect: d.Dialect) -> Iterator[Wrong]:
    if dialect.events:
        yield (
            "events",
            Said(
                "stands in a native layout, whose columns are the events' fields",
                "native 版式的列即事件字段，不应再写 events",
            ),
        )
    known = fields_of(dialect.family)
    for name in dialect.columns:
        if name not in known:
            yield f"columns.{name}", no_such(_of(dialect.family, _FIELD), name, known)


def _of(family: str, what: Said) -> Said:
    return Said(f"{family} {what.en}", f" {family} {what.zh}")


def _inner(dtype: pl.DataType, name: str) -> pl.DataType:
    assert isinstance(dtype, pl.Struct)  # noqa: S101 - a record by the schema
    return next(instance(one.dtype) for one in dtype.fields if one.name == name)
