"""One field map of a dialect, compiled to an expression and the faults it can find in a row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from flows.publish.days import days, moments
from schemas import dialect as d
from schemas.avro import instance
from schemas.chinese_numbers import yuan_of_cell
from schemas.constants import value_of
from schemas.folding import fold, is_placeholder

# Six places of 万元 are whole fen; more must be read to tell a part of a fen from no amount. Commas
# only part groups of three digits before the point: 0,5 is no five.
_AMOUNT: Final = r"^-?([0-9]{1,12}|[1-9][0-9]{0,2}(,[0-9]{3}){1,3})(\.[0-9]{1,10})?$"
_UNITS: Final = {"yuan": 1, "wan_yuan": 10_000}
_WORDS: Final = r"[、,，;；]"
#: What programs leave of a long number, folded: 1.10108E+14, or a float beyond its 15 digits.
EXPONENT: Final = r"^[-+]?[0-9]+([.,][0-9]+)?E[+][0-9]+$|^[0-9]\.[0-9]+E[0-9]+$|^[0-9]{16,}\.0+$"
#: Words for no end, where a layout has an end at all (`no_end` in its dialect).
_ENDLESS: Final = ("长期", "永久", "长期有效", "永久有效")


@dataclass
class Compiled:
    """An expression for a field, and expressions that give `code:column` where a row is wrong."""

    value: pl.Expr
    faults: list[pl.Expr] = field(default_factory=list)


@dataclass(frozen=True)
class Context:
    """What the maps of one layout share: its placeholders, the publisher's code lists, the time (UTC)."""

    no_end: list[dt.date]
    codes: Mapping[str, Mapping[str, str]]
    now: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))


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


def lost_digits(column: str) -> pl.Expr:
    """Return the fault of a column of numbers in which a spreadsheet or a program lost digits."""
    return _fault("number_lost_digits", column, fold(pl.col(column)).str.contains(EXPONENT))


def _fault(code: str, column: str, wrong: pl.Expr) -> pl.Expr:
    return pl.when(wrong).then(pl.lit(f"{code}:{column}"))


def _text(spec: d.Text, _: Context) -> Compiled:
    return Compiled(pl.col(spec.text))


def _first(spec: d.First, _: Context) -> Compiled:
    return Compiled(pl.coalesce(spec.first))


def _part(spec: d.Part, _: Context) -> Compiled:
    found = pl.col(spec.part).str.extract(spec.pattern, 1).str.strip_chars()
    kept = pl.when(found != "").then(found)
    wrong = pl.col(spec.part).is_not_null() & kept.is_null()
    return Compiled(kept, [_fault("part_not_found", spec.part, wrong)])


def _date(spec: d.Date, context: Context) -> Compiled:
    value = days(pl.col(spec.date))
    wrong = pl.col(spec.date).is_not_null() & value.is_null() & ~_endless(spec.date, context)
    far = value.dt.year().is_between(1900, 2200, closed="both").not_() & ~value.is_in(
        context.no_end
    )
    kept = pl.when(~value.is_in(context.no_end)).then(value)
    return Compiled(
        kept, [_fault("bad_date", spec.date, wrong), _fault("date_out_of_range", spec.date, far)]
    )


def _time(spec: d.Time, _: Context) -> Compiled:
    value = moments(pl.col(spec.time))
    wrong = pl.col(spec.time).is_not_null() & value.is_null()
    return Compiled(value, [_fault("bad_time", spec.time, wrong)])


def _endless(column: str, context: Context) -> pl.Expr:
    return pl.col(column).is_in(_ENDLESS if context.no_end else ())


def _term(spec: d.Term, context: Context) -> Compiled:
    value = days(pl.col(spec.term))
    word = (
        pl.when(value.is_in(context.no_end) | _endless(spec.term, context))
        .then(pl.lit("open_ended"))
        .when(value.is_not_null())
        .then(pl.lit("fixed"))
        .otherwise(pl.lit("not_stated"))
    )
    return Compiled(word)


def _in_yuan(column: str, exact: pl.Expr) -> Compiled:
    """`exact`: the column's amounts in yuan, Decimal(38, 10); null where a cell is none."""
    rounded = exact.cast(pl.Decimal(20, 2))
    wrong = pl.col(column).is_not_null() & exact.is_null()
    # A part of a fen is not rounded away: the sender has mistaken the unit or the column.
    uneven = exact != rounded.cast(pl.Decimal(38, 10))
    return Compiled(
        rounded,
        [_fault("bad_amount", column, wrong), _fault("amount_below_fen", column, uneven)],
    )


def _digits(texts: pl.Expr, factor: int) -> pl.Expr:
    fits = texts.str.contains(_AMOUNT)
    plain = pl.when(fits).then(texts).str.replace_all(",", "", literal=True)
    return (plain.cast(pl.Decimal(28, 10), strict=False) * factor).cast(pl.Decimal(38, 10))


def _plain(column: str) -> pl.Expr:
    return pl.col(column).str.normalize("NFKC")


def _yuan(spec: d.Yuan, _: Context) -> Compiled:
    return _in_yuan(spec.yuan, _digits(_plain(spec.yuan), 1))


def _wan_yuan(spec: d.WanYuan, context: Context) -> Compiled:
    found = _in_yuan(spec.wan_yuan, _digits(_plain(spec.wan_yuan), 10_000))
    if spec.or_yuan is None:
        return found
    other = _yuan(d.Yuan(yuan=spec.or_yuan), context)
    where = "+".join(sorted(d.columns_of(spec)))
    differ = _fault("columns_differ", where, found.value != other.value)
    return Compiled(pl.coalesce(found.value, other.value), [*found.faults, *other.faults, differ])


def _amount(spec: d.Amount, _: Context) -> Compiled:
    factor = _UNITS[spec.unit] if spec.unit else None
    texts = _plain(spec.amount)
    words = texts
    digits = pl.lit(None, pl.Decimal(38, 10))
    if factor is not None:
        # Digits alone are read in columns, and only the other cells one by one.
        digits = _digits(texts, factor)
        words = pl.when(digits.is_null()).then(texts)
    read = words.map_batches(
        lambda cells: _amounts(cells, factor), return_dtype=pl.Decimal(38, 10), is_elementwise=True
    )
    return _in_yuan(spec.amount, pl.coalesce(digits, read))


def _amounts(cells: pl.Series, factor: int | None) -> pl.Series:
    """Read each distinct cell once."""
    distinct = cells.drop_nulls().unique()
    known = {cell: yuan_of_cell(cell, factor) for cell in distinct}
    values = [known.get(cell) if cell is not None else None for cell in cells]
    return pl.Series(values, dtype=pl.Decimal(38, 10), strict=False)


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
    if spec.or_present is not None:
        other = pl.col(spec.or_present)
        present |= other.is_not_null() & ~is_placeholder(other)
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
    d.Part: _part,
    d.Amount: _amount,
    d.IfPresent: _if_present,
}
