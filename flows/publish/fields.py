"""One field map of a dialect, compiled to an expression and the faults it can find in a row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from schemas import dialect as d
from schemas.avro import instance
from schemas.constants import value_of

DATE_SPELLINGS: Final = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y年%m月%d日", "%Y.%m.%d")
_DATE_SHAPE: Final = (
    r"^(\d{4}-\d{1,2}-\d{1,2}|\d{4}/\d{1,2}/\d{1,2}|\d{8}|\d{4}年\d{1,2}月\d{1,2}日|"
    r"\d{4}\.\d{1,2}\.\d{1,2})$"
)
_MIDNIGHT: Final = r"[ T]00:00(:00(\.0+)?)?(Z|\+08:?00)?$"
# Six places of 万元 are whole fen; more must be read to tell a part of a fen from no amount.
_AMOUNT: Final = r"^-?[0-9]{1,12}(\.[0-9]{1,10})?$"
_WORDS: Final = r"[、,，;；]"
_CHINA: Final = "Asia/Shanghai"
#: Words for no end, where a layout has an end at all (`no_end` in its dialect).
_ENDLESS: Final = ("长期", "永久", "长期有效", "永久有效")


@dataclass
class Compiled:
    """An expression for a field, and expressions that give `code:column` where a row is wrong."""

    value: pl.Expr
    faults: list[pl.Expr] = field(default_factory=list)


@dataclass(frozen=True)
class Context:
    """What the maps of one layout share: its placeholders and the publisher's code lists."""

    no_end: list[dt.date]
    codes: Mapping[str, Mapping[str, str]]


def compile_field(spec: Any, context: Context, dtype: pl.DataType | None = None) -> Compiled:
    """Return the expression of one field map over cleaned String columns.

    `dtype`: that of the event's field, a text unless told: a constant is read as one of it.
    """
    field_type = pl.String() if dtype is None else dtype
    if isinstance(spec, d.Const):
        return Compiled(pl.lit(value_of(spec.const, field_type), field_type))
    if isinstance(spec, d.Each):
        return _each(spec, context, field_type)
    compiler = _COMPILERS[type(spec)]
    compiled: Compiled = compiler(spec, context)
    return compiled


def parse_date(column: str) -> pl.Expr:
    """Return a column's dates (pl.Date); null where no spelling fits. A time 00:00 is dropped."""
    text = pl.col(column).str.replace(_MIDNIGHT, "")
    # str.to_date accepts a text that goes on after the format's end; the shape is checked first.
    shaped = pl.when(text.str.contains(_DATE_SHAPE)).then(text)
    return pl.coalesce([shaped.str.to_date(f, strict=False) for f in DATE_SPELLINGS])


def parse_time(column: str) -> pl.Expr:
    """Return a column's points in time (UTC); a date alone is midnight in China (UTC+8)."""
    text = pl.col(column).str.replace("T", " ").str.replace("/", "-").str.replace("/", "-")
    zoned = text.str.to_datetime("%Y-%m-%d %H:%M:%S%.f%#z", strict=False, time_unit="us")
    local = text.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False, time_unit="us")
    digits = pl.col(column).str.to_datetime("%Y%m%d%H%M%S", strict=False, time_unit="us")
    day = parse_date(column).cast(pl.Datetime("us"))
    in_china = pl.coalesce([local, digits, day]).dt.replace_time_zone(_CHINA)
    return pl.coalesce([zoned.dt.convert_time_zone("UTC"), in_china.dt.convert_time_zone("UTC")])


def _fault(code: str, column: str, wrong: pl.Expr) -> pl.Expr:
    return pl.when(wrong).then(pl.lit(f"{code}:{column}"))


def _text(spec: d.Text, _: Context) -> Compiled:
    return Compiled(pl.col(spec.text))


def _first(spec: d.First, _: Context) -> Compiled:
    return Compiled(pl.coalesce(spec.first))


def _date(spec: d.Date, context: Context) -> Compiled:
    value = parse_date(spec.date)
    wrong = pl.col(spec.date).is_not_null() & value.is_null() & ~_endless(spec.date, context)
    far = value.dt.year().is_between(1900, 2200, closed="both").not_() & ~value.is_in(
        context.no_end
    )
    kept = pl.when(~value.is_in(context.no_end)).then(value)
    return Compiled(
        kept, [_fault("bad_date", spec.date, wrong), _fault("date_out_of_range", spec.date, far)]
    )


def _time(spec: d.Time, _: Context) -> Compiled:
    value = parse_time(spec.time)
    wrong = pl.col(spec.time).is_not_null() & value.is_null()
    return Compiled(value, [_fault("bad_time", spec.time, wrong)])


def _endless(column: str, context: Context) -> pl.Expr:
    return pl.col(column).is_in(_ENDLESS if context.no_end else ())


def _term(spec: d.Term, context: Context) -> Compiled:
    value = parse_date(spec.term)
    word = (
        pl.when(value.is_in(context.no_end) | _endless(spec.term, context))
        .then(pl.lit("open_ended"))
        .when(value.is_not_null())
        .then(pl.lit("fixed"))
        .otherwise(pl.lit("not_stated"))
    )
    return Compiled(word)


def _amount(column: str, factor: int) -> Compiled:
    plain = pl.col(column).str.replace_all(",", "")
    fits = plain.str.contains(_AMOUNT)
    exact = pl.when(fits).then(plain).cast(pl.Decimal(28, 10), strict=False)
    yuan = (exact * factor).cast(pl.Decimal(30, 10))
    rounded = yuan.cast(pl.Decimal(20, 2))
    wrong = pl.col(column).is_not_null() & ~fits
    # A part of a fen is not rounded away: the sender has mistaken the unit or the column.
    uneven = yuan != rounded.cast(pl.Decimal(30, 10))
    return Compiled(
        rounded,
        [_fault("bad_amount", column, wrong), _fault("amount_below_fen", column, uneven)],
    )


def _yuan(spec: d.Yuan, _: Context) -> Compiled:
    return _amount(spec.yuan, 1)


def _wan_yuan(spec: d.WanYuan, _: Context) -> Compiled:
    return _amount(spec.wan_yuan, 10_000)


def _code(spec: d.Code, context: Context) -> Compiled:
    values = context.codes[spec.list]
    raw = pl.col(spec.code).fill_null("")
    mapped = raw.replace_strict(values, default=None, return_dtype=pl.String)
    # A list that does not name the empty code says nothing about an empty cell.
    unknown = mapped.is_null() & ((raw != "") | pl.lit("" in values))
    return Compiled(mapped, [_fault("unknown_code", spec.code, unknown)])


def _codes(spec: d.Codes, context: Context) -> Compiled:
    words = [_code(d.Code(code=column, list=spec.list), context) for column in spec.codes]
    found = pl.concat_list([word.value for word in words]).list.drop_nulls()
    return Compiled(found, [fault for word in words for fault in word.faults])


def _split(spec: d.Split, _: Context) -> Compiled:
    words = pl.col(spec.split).str.replace_all(_WORDS, "\x1f").str.split("\x1f")
    cleaned = words.list.eval(pl.element().str.strip_chars().filter(pl.element() != ""))
    # An empty cell is no word; the schema knows no absent list.
    return Compiled(cleaned.fill_null(pl.lit([], pl.List(pl.String()))))


def _if_present(spec: d.IfPresent, _: Context) -> Compiled:
    present = pl.col(spec.if_present).is_not_null()
    return Compiled(pl.when(present).then(pl.lit(spec.then)).otherwise(pl.lit(spec.otherwise)))


def _each(spec: d.Each, context: Context, dtype: pl.DataType) -> Compiled:
    items, faults = [], []
    record = instance(dtype.inner) if isinstance(dtype, pl.List) else dtype
    fields = record.fields if isinstance(record, pl.Struct) else []
    types = {one.name: instance(one.dtype) for one in fields}
    for item in spec.each:
        compiled = {
            name: compile_field(value, context, types.get(name)) for name, value in item.items()
        }
        faults += [fault for c in compiled.values() for fault in c.faults]
        struct = pl.struct([c.value.alias(name) for name, c in compiled.items()])
        items.append(pl.when(compiled[spec.needs].value.is_not_null()).then(struct))
    return Compiled(pl.concat_list(items).list.drop_nulls(), faults)


_COMPILERS: Final[dict[type, Any]] = {
    d.Text: _text,
    d.First: _first,
    d.Date: _date,
    d.Time: _time,
    d.Term: _term,
    d.Yuan: _yuan,
    d.WanYuan: _wan_yuan,
    d.Code: _code,
    d.Codes: _codes,
    d.Split: _split,
    d.IfPresent: _if_present,
}
