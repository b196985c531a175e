"""A version through JSON and back is the same, whatever a department wrote into it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.version_json import from_json, to_json
from flows.log import history_columns

_texts = (
    st.none()
    | st.text(st.characters(codec="utf-8"), max_size=20)
    | st.sampled_from(
        [
            '"remarks":null',
            ',"a":null',
            '{"a":null,',
            "\\",
            '\\"',
            '","x":null,"',
            "null",
            "\x00",
            "}",
        ]
    )
)
_days = st.none() | st.dates(dt.date(1, 1, 1))
_times = st.none() | st.datetimes(
    dt.datetime(1970, 1, 1), dt.datetime(9999, 1, 1), timezones=st.just(dt.UTC)
)
_amounts = st.none() | st.decimals(-(10**17), 10**17, places=2).map(
    lambda d: d.quantize(Decimal("0.01"))
)


@st.composite
def licences(draw: st.DrawFn) -> dict[str, Any]:
    permit: dict[str, Any] = {"name": draw(_texts), "code": None, "scope": draw(_texts)}
    decision = {
        "number": draw(_texts),
        "scope": draw(_texts),
        "valid_to": draw(_days),
        "term": "stated",
        "identifier_check": "none",
        "previous_identifiers": draw(st.lists(st.text(max_size=3), max_size=2)),
        "addresses": [],
        "permits": [permit | {"valid_from": draw(_days), "valid_to": draw(_days)}],
    }
    standing = {"state": "suspended", "authority": draw(_texts), "reason": draw(_texts)}
    return _version(draw) | draw(st.sampled_from([{"decision": decision}, {"standing": standing}]))


@st.composite
def penalties(draw: st.DrawFn) -> dict[str, Any]:
    decision = {
        "kind": "penalty",
        "facts": draw(_texts),
        "categories": draw(st.lists(st.text(max_size=3), max_size=2)),
        "fine_yuan": draw(_amounts),
        "publication_to": draw(_days),
    }
    repair = {"state": "approved", "decided_on": draw(_days), "reason": draw(_texts)}
    return _version(draw) | draw(st.sampled_from([{"decision": decision}, {"repair": repair}]))


def _version(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "event_id": draw(_texts) or "e",
        "publisher": "p",
        "issuer": "i",
        "issuer_name": draw(_texts),
        "subject": "s",
        "record_key": draw(_texts) or "k",
        "facet": "decision",
        "sequence": draw(st.integers(0, 2**62)),
        "effective_from": draw(_days),
        "occurred_at": draw(_times),
        "file_row": draw(st.none() | st.integers(0, 2**40)),
        "topic": "t",
        "partition": 0,
        "offset": draw(st.integers(0, 2**62)),
        "landed_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        "bucket": 1,
    }


@given(
    versions=st.one_of(
        st.tuples(st.just("licence"), st.lists(licences(), min_size=1, max_size=4)),
        st.tuples(st.just("credit"), st.lists(penalties(), min_size=1, max_size=4)),
    )
)
@settings(deadline=None, max_examples=200)
def test_a_version_comes_back_as_it_was(versions: tuple[str, list[dict[str, Any]]]) -> None:
    family, rows = versions
    frame = pl.DataFrame(rows, schema=history_columns(family))
    left_out = {"subject", "landed_at", "schema_id", "event_type", "edition"}
    for wanted, text in zip(frame.iter_rows(named=True), to_json(frame), strict=True):
        kept = {n: v for n, v in wanted.items() if v is not None and n not in left_out}
        told = {n: v for n, v in from_json(family, text).items() if v is not None}
        assert told == kept
