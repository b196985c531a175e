"""Mianti's own event JSON to events. Row by row: a program sends few, and each may be nested."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import polars as pl

from flows.publish.fields import EXPONENT, Context
from flows.publish.mapping import LATER, Mapped
from schemas.avro import enums, event_columns, facets
from schemas.dialect import NUMBERS, Dialect
from schemas.facets import DECISION
from schemas.folding import fold_text, is_placeholder_text
from schemas.identifiers import uscc
from schemas.names_held import NAME_FIELDS, digest_of_name
from schemas.record_key import folded_key, folded_key_text

_FAULTS: Final = pl.Schema({"__row": pl.Int64(), "code": pl.String(), "where": pl.String()})
#: Fields without which there is no event; the others may be left out.
_NEEDED: Final = ("event_type", "issuer", "subject", "record_key", "facet")


_NUMBERS: Final = ("record_key", *NUMBERS)
_EXPONENT: Final = re.compile(EXPONENT)
_OLDEST: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


#: `code` and `where` of what is wrong with a row.
_Found = list[tuple[str, str | None]]


def map_native(rows: pl.DataFrame, dialect: Dialect, _: Context) -> Mapped:
    """Map rows whose columns are event fields (nested ones as JSON text) to events."""
    family = dialect.family
    columns = {n: t for n, t in event_columns(family).items() if n not in LATER}
    symbols = dict(enums(family))
    events: list[dict[str, Any]] = []
    bad: list[dict[str, Any]] = []
    faults: list[tuple[int, str, str | None]] = []
    for row in rows.iter_rows(named=True):
        number = row["__row"]
        if row["__fault"] is not None:
            code, _, where = row["__fault"].partition(":")
            faults.append((number, code, where or None))
            continue
        found: _Found = []
        event = {"__row": number} | _named(_event(row, columns, symbols, found), found)
        (bad if found else events).append(event)
        faults += [(number, code, where) for code, where in found]
    schema = {"__row": pl.Int64(), "__unstated": pl.String(), **columns}
    good, faulty = (
        pl.DataFrame(some, schema=schema).with_columns(uscc.normalise(pl.col("subject")))
        for some in (events, bad)
    )
    return Mapped(good, pl.DataFrame(faults, schema=_FAULTS, orient="row"), faulty)


def _named(event: dict[str, Any], found: _Found) -> dict[str, Any]:
    """Fold an event's key, and leave out what stands where it has no number (无, /, NULL)."""
    key = folded_key_text(event["record_key"] or "")
    parts = [part.replace("%2F", "/") for part in key.split("/")[1:]]
    if any(map(is_placeholder_text, parts)):
        found.append(("key_incomplete", "record_key"))
    contents = {
        facet: {k: None if k in NUMBERS and _is_none(v) else v for k, v in content.items()}
        for facet, content in event.items()
        if isinstance(content, dict)
    }
    return event | contents | {"record_key": key or None}


def _is_none(number: Any) -> bool:
    return isinstance(number, str) and is_placeholder_text(number)


def named_events(rows: pl.DataFrame, dialect: Dialect, _: Context) -> pl.DataFrame:
    """Return whom events that may have faults are about, as `mapping.named_rows` does.

    Each states one facet; where it does not name one, any of the record mends it.
    """
    columns = ("record_key", "facet", "subject", "edition", DECISION)
    lacking = [pl.lit(None, pl.String).alias(c) for c in columns if c not in rows.columns]
    given = rows.with_columns(lacking).select(
        folded_key(pl.col("record_key")),
        facet=pl.when(pl.col("facet").is_in(facets(dialect.family))).then("facet").fill_null(""),
        subject=uscc.normalise(pl.col("subject")),
        edition=pl.col("edition").map_elements(_edition, return_dtype=pl.Datetime("us", "UTC")),
        name=pl.col(DECISION).map_elements(_name_in(dialect.family), return_dtype=pl.String),
    )
    valid = pl.when(uscc.fault(pl.col("subject")).is_null()).then("subject")
    whom = pl.coalesce(valid, digest_of_name(pl.col("name")))
    return given.with_columns(subject=whom).drop("name")


def _name_in(family: str) -> Callable[[str], str | None]:
    """Return how the enterprise's name is read from a decision's JSON, which may be none."""

    def name(text: str) -> str | None:
        try:
            found = json.loads(text)[NAME_FIELDS[family]]
        except (ValueError, TypeError, LookupError, RecursionError):
            return None
        return found if isinstance(found, str) else None

    return name


def _edition(text: str) -> dt.datetime:
    try:
        found = _leaf(text, pl.Datetime("us", "UTC"))
    except ValueError:
        return _OLDEST
    assert isinstance(found, dt.datetime)  # noqa: S101 - what that type is read as
    return found


def _event(
    row: Mapping[str, Any],
    columns: Mapping[str, pl.DataType],
    symbols: Mapping[str, Any],
    found: _Found,
) -> dict[str, Any]:
    """Return a row as an event; what is wrong with it goes to `found`, and is null in the event."""
    found += [("missing", name) for name in _NEEDED if not row.get(name)]
    given = {"void_ab_initio": "no"} | {k: v for k, v in row.items() if v is not None}
    return {
        name: _value(_loaded(given.get(name), dtype, name, found), dtype, name, symbols, found)
        for name, dtype in columns.items()
    }


def _loaded(value: Any, dtype: pl.DataType, path: str, found: _Found) -> Any:
    """Nested fields come as JSON text; everything else as it was written."""
    if value is None or not isinstance(dtype, pl.Struct):
        return value
    try:
        return json.loads(value, parse_float=Decimal)
    except ValueError:
        found.append(("bad_value", path))
        return None


def _value(value: Any, dtype: Any, path: str, symbols: Mapping[str, Any], found: _Found) -> Any:
    if isinstance(dtype, type):
        dtype = dtype()
    if isinstance(dtype, pl.List):
        if value is not None and not isinstance(value, list):
            found.append(("bad_value", path))
        items = value if isinstance(value, list) else []
        return [_value(item, dtype.inner, path, symbols, found) for item in items]
    if value is None:
        return None
    if isinstance(dtype, pl.Struct):
        return _record(value, dtype, path, symbols, found)
    if path in symbols and value not in symbols[path]:
        found.append(("unknown_code", path))
        return None
    number = path.rpartition(".")[2] in _NUMBERS and isinstance(value, str)
    if number and any(_EXPONENT.match(fold_text(part)) for part in value.split("/")):
        found.append(("number_lost_digits", path))
    try:
        return _leaf(value, dtype)
    except (ValueError, TypeError, InvalidOperation, OverflowError):
        found.append(("bad_value", path))
        return None


def _record(
    value: Any, dtype: pl.Struct, path: str, symbols: Mapping[str, Any], found: _Found
) -> Any:
    if not isinstance(value, dict) or set(value) - {field.name for field in dtype.fields}:
        found.append(("bad_value", path))
        return None
    made = {}
    for field in dtype.fields:
        where = f"{path}.{field.name}"
        before = len(found)
        made[field.name] = _value(value.get(field.name), field.dtype, where, symbols, found)
        if made[field.name] is None and len(found) == before and where in _REQUIRED_ENUMS:
            made[field.name] = _REQUIRED_ENUMS[where] if where in symbols else None
            if made[field.name] is None and where in symbols:
                found.append(("missing", where))
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
