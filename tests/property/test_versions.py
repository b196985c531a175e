"""Every pair of schema versions: what a writer of either says, a reader of the later one has whole.

Through topic, log, dataset and replica, with old and new writers in one landing; the tables grow
from release to release, as they would in years.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property
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
from tests.property.releases import publish_releases, release
from tests.support.codes import uscc
from tests.support.exchange import Department, Exchange
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


#: A decision of each family: its kind of event, and the least it says.
DECISIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "registration": ("registered", {"name": "示范食品有限公司"}),
    "licence": ("granted", {"number": "JY1", "name": "食品经营许可证"}),
    "credit": ("penalised", {"kind": "penalty"}),
}


@pytest.mark.timeout(some(1800))
@pytest.mark.parametrize("family", DECISIONS)
def test_every_pair_of_versions_round_trips(kafka: str, family: str) -> None:
    pairs = 0

    @settings(max_examples=some(2), suppress_health_check=list(HealthCheck))
    @example(EVERYTHING, None)
    @given(chains(), st.data())
    def round_trips(chain: list[list[Added]], data: st.DataObject | None) -> None:
        nonlocal pairs
        with tempfile.TemporaryDirectory(prefix="law-") as name, kept():
            folder = Path(name)
            added = [[(one.at, one.field) for one in release] for release in chain]
            releases = publish_releases(folder / "releases", family, added)
            exchange = Exchange(folder, kafka, str(folder / "lake"))
            try:
                pairs += _all_pairs(Written(exchange, family), releases, chain, data)
            finally:
                exchange.close()

    round_trips()
    assert pairs >= 3 * some(2)


@dataclass
class Written:
    """A family of an exchange, and what was said in it: by subject, each added field."""

    exchange: Exchange
    family: str
    said: dict[str, dict[str, Any]] = field(default_factory=dict)

    @cached_property
    def department(self) -> Department:
        """Return the department that writes."""
        rights = {"facets": ["decision"], "issuers": [uscc(1, kind="11")]}
        layouts: dict[str, Any] = {f"mianti-{self.family}": {}}
        return self.exchange.department(families={self.family: rights}, layouts=layouts)

    def say(self, told: dict[str, Any], names: Iterable[str]) -> None:
        """Publish a record that says this; of the names that are still to come, it says nothing."""
        number = len(self.said) + 1
        kind, decision = DECISIONS[self.family]
        decision = decision | {name: _json(value) for name, value in told.items()}
        row = self.department.native(number, event_type=kind, decision=decision)
        done = self.department.publisher.publish_rows(f"mianti-{self.family}", [row])
        assert done.events == 1, done.examples
        self.said[uscc(number)] = dict.fromkeys(names) | told

    def read(self, names: Iterable[str]) -> None:
        """Assert that log, dataset and replica say what the writers said, null where nothing."""
        self.exchange.ingest(self.family)
        follow(self.exchange.settings)
        said = {who: {name: one[name] for name in names} for who, one in self.said.items()}
        self._in_tables(said)
        self._in_replica(said)
        assert self.exchange.verified(self.family).accepted == len(said)

    def read_anew(self) -> None:
        """Assert the same of dataset and replica that are made again from the log."""
        rebuild(self.exchange.settings, self.family)
        self._in_tables(self.said)
        with place(self.exchange.settings).alone():
            build(self.exchange.settings)
        self._in_replica(self.said)

    def _in_tables(self, said: dict[str, dict[str, Any]]) -> None:
        log = self.exchange.log(self.family).filter(verdict="accepted").iter_rows(named=True)
        told = {row["subject"]: row["decision"] for row in log}
        rows = self.exchange.dataset(self.family).iter_rows(named=True)
        for found in (told, {row["subject"]: row for row in rows}):
            assert {who: {n: row[n] for n in said[who]} for who, row in found.items()} == said

    def _in_replica(self, said: dict[str, dict[str, Any]]) -> None:
        with closing(place(self.exchange.settings).open()) as replica:
            for who, values in said.items():
                [version] = replica.versions(who)[self.family]
                assert {n: version["decision"].get(n) for n in values} == {
                    name: _in(version, name, value) if isinstance(value, dt.date) else value
                    for name, value in values.items()
                }


def _all_pairs(
    written: Written, releases: list[Path], chain: list[list[Added]], data: st.DataObject | None
) -> int:
    """Let each release in turn read what it and each earlier one has written meanwhile."""
    pairs = 0
    for reader, newest in enumerate(releases):
        for writer in range(reader + 1):
            mine = _newest(chain[:writer])
            told = {name: _said(one, data) for name, one in mine.items()}
            with release(releases[writer]):
                written.say(told, _newest(chain))
            pairs += 1
        with release(newest):
            written.read(_newest(chain[:reader]))
    with release(releases[-1]):
        for one, other in combinations(range(1, len(releases) + 1), 2):
            old, new = event_schema(written.family, one), event_schema(written.family, other)
            assert breaks(old, new) == []
        written.read_anew()
    return pairs


def _said(one: Added, data: st.DataObject | None) -> Any:
    """Return what is said in a field; the newest symbol, where nothing is drawn."""
    if data is not None:
        # A list in which nothing is said is published as an empty one.
        return data.draw(one.values if one.kind == "array" else st.none() | one.values)
    samples = {"array": ["甲", "乙"], "record": {"text": "甲", "count": None}}
    return samples.get(one.kind, one.symbols[-1])


def _in(version: dict[str, Any], name: str, value: dt.date) -> Any:
    """Return a date as the replica holds it: JSON knows none."""
    found = version["decision"][name]
    return value if isinstance(found, dt.date) else value.isoformat()


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value
