"""Mianti's own event JSON to events. Row by row: a program sends few, and each may be nested."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import polars as pl

from flows.publish.fields import Context
from flows.publish.mapping import LATER, Mapped
from schemas.avro import enums, event_columns, facets
from schemas.dialect import Dialect
from schemas.identifiers import uscc

_FAULTS: Final = pl.Schema({"__row": pl.Int64(), "code": pl.String(), "where": pl.String()})
#: Fields without which there is no event; the others may be left out.
_NEEDED: Final = ("event_type", "issuer", "subject", "record_key", "facet")


_OLDEST: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class _Fault(Exception):
    def __init__(self, code: str, where: str) -> None:
        super().__init__(code, where)
        self.code, self.where = code, where


def map_native(rows: pl.DataFrame, dialect: Dialect, _: Context) -> Mapped:
    """Map rows whose columns are event fields (nested ones as JSON text) to events."""
    family = dialect.family
    columns = {n: t for n, t in event_columns(family).items() if n not in LATER}
    symbols = dict(enums(family))
    events: list[dict[str, Any]] = []
    faults: list[tuple[int, str, str | None]] = []
    for row in rows.iter_rows(named=True):
        number = row["__row"]
        if row["__fault"] is not None:
            code, _, where = row["__fault"].partition(":")
            faults.append((number, code, where or None))
            continue
        try:
            events.append({"__row": number} | _event(row, columns, symbols))
        except _Fault as fault:
            faults.append((number, fault.code, fault.where))
    frame = pl.DataFrame(events, schema={"__row": pl.Int64(), **columns})
    normal = frame.with_columns(uscc.normalise(pl.col("subject")))
    return Mapped(normal, pl.DataFrame(faults, schema=_FAULTS, orient="row"))


def named_events(rows: pl.DataFrame, dialect: Dialect, _: Context) -> pl.DataFrame:
    """Return whom events that may have faults are about, as `mapping.named_rows` does.

    Each states one facet; where it does not name one, any of the record mends it.
    """
    columns = ("record_key", "facet", "subject", "edition")
    lacking = [pl.lit(None, pl.String).alias(c) for c in columns if c not in rows.columns]
    given = rows.with_columns(lacking).select(
        pl.col("record_key"),
        facet=pl.when(pl.col("facet").is_in(facets(dialect.family))).then("facet").fill_null(""),
        subject=uscc.normalise(pl.col("subject")),
        edition=pl.col("edition").map_elements(_edition, return_dtype=pl.Datetime("us", "UTC")),
    )
    valid = uscc.fault(pl.col("subject")).is_null()
    return given.with_columns(subject=pl.when(valid).then("subject"))


def _edition(text: str) -> dt.datetime:
    try:
        found = _leaf(text, pl.Datetime("us", "UTC"))
    except ValueError:
        return _OLDEST
    assert isinstance(found, dt.datetime)  # noqa: S101 - what that type is read as
    return found


def _event(
    row: Mapping[str, Any], columns: Mapping[str, pl.DataType], symbols: Mapping[str, Any]
) -> dict[str, Any]:
    for name in _NEEDED:
        if not row.get(name):
            raise _Fault("missing", name)
    given = {"void_ab_initio": "no"} | {k: v for k, v in row.items() if v is not None}
    return {
        name: _value(_loaded(given.get(name), dtype, name), dtype, name, symbols)
        for name, dtype in columns.items()
    }


def _loaded(value: Any, dtype: pl.DataType, path: str) -> Any:
    """Nested fields come as JSON text; everything else as it was written."""
    if value is None or not isinstance(dtype, pl.Struct):
        return value
    try:
        return json.loads(value, parse_float=Decimal)
    except ValueError:
        raise _Fault("bad_value", path) from None


def _value(value: Any, dtype: Any, path: str, symbols: Mapping[str, Any]) -> Any:
    if isinstance(dtype, type):
        dtype = dtype()
    if isinstance(dtype, pl.List):
        items = value if isinstance(value, list) else [] if value is None else None
        if items is None:
            raise _Fault("bad_value", path)
        return [_value(item, dtype.inner, path, symbols) for item in items]
    if value is None:
        return None
    if isinstance(dtype, pl.Struct):
        return _record(value, dtype, path, symbols)
    if path in symbols and value not in symbols[path]:
        raise _Fault("unknown_code", path)
    try:
        return _leaf(value, dtype)
    except (ValueError, TypeError, InvalidOperation, OverflowError):
        raise _Fault("bad_value", path) from None


def _record(value: Any, dtype: pl.Struct, path: str, symbols: Mapping[str, Any]) -> Any:
    if not isinstance(value, dict) or set(value) - {field.name for field in dtype.fields}:
        raise _Fault("bad_value", path)
    made = {}
    for field in dtype.fields:
        where = f"{path}.{field.name}"
        found = _value(value.get(field.name), field.dtype, where, symbols)
        if found is None and where in symbols and where in _REQUIRED_ENUMS:
            found = _REQUIRED_ENUMS[where]
            if found is None:
                raise _Fault("missing", where)
        made[field.name] = found
    return made


#: Enums the schema does not let be null, and what stands where a program leaves them out.
_REQUIRED_ENUMS: Final[dict[str, str | None]] = {
    "decision.term": "not_stated",
    "decision.identifier_check": "none",
    "decision.kind": None,
    "standing.state": None,
    "repair.state": None,
    "objection.state": None,
}


def _leaf(value: Any, dtype: pl.DataType) -> Any:
    if isinstance(dtype, pl.Date):
        return dt.date.fromisoformat(value)
    if isinstance(dtype, pl.Datetime):
        time = dt.datetime.fromisoformat(value)
        return (time if time.tzinfo else time.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    if isinstance(dtype, pl.Decimal):
        amount = Decimal(str(value))
        if amount != amount.quantize(Decimal("0.01")):
            raise ValueError("part of a fen")
        return amount
    if isinstance(dtype, pl.Int64):
        number = int(value)
        if not -(2**63) <= number < 2**63:
            raise ValueError("beyond 64 bits")
        return number
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value
