"""Every pair of schema versions: what a writer of either says, a reader of the later one has whole.

Through topic, log, dataset and replica, with old and new writers in one landing; the tables grow
from release to release, as they would in years.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from connectors.clients import kept
from flows.rebuild import rebuild
from flows.replica import place
from flows.replica import rebuild as build
from schemas.avro import event_schema
from schemas.compatible import breaks
from tests.property.effort import some
from tests.property.releases import FAMILY, publish_releases, release
from tests.support.codes import uscc
from tests.support.exchange import Exchange
from tests.support.window import follow

words = (
    st.text(st.characters(codec="utf-8", categories=["L", "Nd", "P"]), min_size=1)
    .map(str.strip)
    .filter(lambda text: text and not any(c.isdigit() for c in text))
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "string": words,
    "long": st.integers(-(2**63), 2**63 - 1),
    "date": st.dates(dt.date(1900, 1, 1), dt.date(2199, 12, 31)),
    "enum": st.sampled_from("abc"),
    "array": st.lists(words, min_size=1, max_size=3),
    "record": st.fixed_dictionaries({"text": words, "count": st.none() | st.integers(0, 9)}),
}


@dataclass(frozen=True)
class Added:
    """What a version adds: a field, or to an enum that is there (`kind` symbols) more symbols."""

    at: int
    name: str
    kind: str
    symbols: str = "abc"

    @property
    def field(self) -> dict[str, Any]:
        """Return it as Avro."""
        types: dict[str, Any] = {
            "date": {"type": "int", "logicalType": "date"},
            "enum": {"type": "enum", "name": f"Of_{self.name}", "symbols": [*self.symbols]},
            "array": {"type": "array", "items": "string"},
            "record": {
                "type": "record",
                "name": f"Of_{self.name}",
                "fields": [
                    {"name": "text", "type": "string", "doc": "…"},
                    {"name": "count", "type": ["null", "long"], "doc": "…", "default": None},
                ],
            },
        }
        kind = types.get(self.kind, self.kind)
        return {"name": self.name, "type": ["null", kind], "doc": "…", "default": None}

    @property
    def values(self) -> st.SearchStrategy[Any]:
        """Return what may be said in it."""
        return st.sampled_from(self.symbols) if self.kind == "enum" else VALUES[self.kind]


@st.composite
def chains(draw: st.DrawFn) -> list[list[Added]]:
    """Return what each later version adds: one or two fields, and a symbol to an enum of before."""
    chain: list[list[Added]] = []
    for number in range(2, draw(st.integers(3, 5))):
        kinds = draw(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=2))
        places = st.integers(0, 40)
        grown = [
            replace(one, symbols=one.symbols + "xyz"[number - 2])
            for one in _newest(chain).values()
            if one.kind == "enum" and draw(st.booleans())
        ]
        new = [Added(draw(places), f"v{number}_{n}", kind) for n, kind in enumerate(kinds)]
        chain.append(new + grown)
    return chain


def _newest(chain: list[list[Added]]) -> dict[str, Added]:
    """Return every field, as the last version has it."""
    return {one.name: one for added in chain for one in added}


#: Every kind of growth, whatever is drawn.
EVERYTHING = [
    [Added(0, "v2_enum", "enum"), Added(40, "v2_list", "array")],
    [Added(3, "v3_record", "record"), Added(0, "v2_enum", "enum", "abcx")],
]


@pytest.mark.timeout(some(1800))
def test_every_pair_of_versions_round_trips(kafka: str) -> None:
    pairs = 0

    @settings(max_examples=some(2), suppress_health_check=list(HealthCheck))
    @example(EVERYTHING, None)
    @given(chains(), st.data())
    def round_trips(chain: list[list[Added]], data: st.DataObject | None) -> None:
        nonlocal pairs
        with tempfile.TemporaryDirectory(prefix="law-") as name, kept():
            folder = Path(name)
            added = [[(one.at, one.field) for one in release] for release in chain]
            releases = publish_releases(folder / "releases", added)
            exchange = Exchange(folder, kafka, str(folder / "lake"))
            try:
                pairs += _all_pairs(exchange, releases, chain, data)
            finally:
                exchange.close()

    round_trips()
    assert pairs >= 3 * some(2)


def _all_pairs(
    exchange: Exchange, releases: list[Path], chain: list[list[Added]], data: Any
) -> int:
    """Let each release in turn read what it and each earlier one has written meanwhile."""
    department = exchange.department()
    said: dict[str, dict[str, Any]] = {}
    pairs = 0
    for reader, newest in enumerate(releases):
        for writer in range(reader + 1):
            mine = _newest(chain[:writer])
            told = {name: _said(one, data) for name, one in mine.items()}
            number = len(said) + 1
            with release(releases[writer]):
                row = department.native(number)
                row["decision"] |= {name: _json(value) for name, value in told.items()}
                done = department.publisher.publish_rows("mianti-licence", [row])
                assert done.events == 1, done.examples
            said[uscc(number)] = dict.fromkeys(_newest(chain)) | told
            pairs += 1
        with release(newest):
            names = _newest(chain[:reader])
            _reads(exchange, {who: {n: one[n] for n in names} for who, one in said.items()})
    with release(releases[-1]):
        for one, other in combinations(range(1, len(releases) + 1), 2):
            assert breaks(event_schema(FAMILY, one), event_schema(FAMILY, other)) == []
        _once_more(exchange, said)
    return pairs


def _said(one: Added, data: st.DataObject | None) -> Any:
    """Return what is said in a field; the newest symbol, where nothing is drawn."""
    if data is not None:
        # A list in which nothing is said is published as an empty one.
        return data.draw(one.values if one.kind == "array" else st.none() | one.values)
    samples = {"array": ["甲", "乙"], "record": {"text": "甲", "count": None}}
    return samples.get(one.kind, one.symbols[-1])


def _reads(exchange: Exchange, said: dict[str, dict[str, Any]]) -> None:
    """Assert that log, dataset and replica say what the writers said, null where nothing."""
    exchange.ingest(FAMILY)
    follow(exchange.settings)
    _in_tables(exchange, said)
    _in_replica(exchange, said)
    assert exchange.verified(FAMILY).accepted == len(said)


def _once_more(exchange: Exchange, said: dict[str, dict[str, Any]]) -> None:
    rebuild(exchange.settings, FAMILY)
    _in_tables(exchange, said)
    with place(exchange.settings).alone():
        build(exchange.settings)
    _in_replica(exchange, said)


def _in_tables(exchange: Exchange, said: dict[str, dict[str, Any]]) -> None:
    log = exchange.log(FAMILY).filter(verdict="accepted").iter_rows(named=True)
    told = {row["subject"]: row["decision"] for row in log}
    held = {row["subject"]: row for row in exchange.dataset(FAMILY).iter_rows(named=True)}
    for found in (told, held):
        assert {who: {n: row[n] for n in said[who]} for who, row in found.items()} == said


def _in_replica(exchange: Exchange, said: dict[str, dict[str, Any]]) -> None:
    with closing(place(exchange.settings).open()) as replica:
        for who, values in said.items():
            [version] = replica.versions(who)[FAMILY]
            assert {n: version["decision"].get(n) for n in values} == {
                name: _in(version, name, value) if isinstance(value, dt.date) else value
                for name, value in values.items()
            }


def _in(version: dict[str, Any], name: str, value: dt.date) -> Any:
    """Return a date as the replica holds it: JSON knows none."""
    found = version["decision"][name]
    return value if isinstance(found, dt.date) else value.isoformat()


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value
