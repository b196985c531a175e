"""Events written as columns are the bytes that fastavro writes one by one."""

from __future__ import annotations

import datetime as dt
import json
import random
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from connectors.framing import headers, values
from connectors.sending import _partitions
from schemas.avro import FAMILIES, event_columns
from schemas.avro_write import bodies
from tests.support import batches as b
from tests.support import kafka as raw
from tests.support.codes import uscc

LONGS = [0, 1, -1, 63, 64, -64, -65, 8191, 8192, 2**31, -(2**31) - 1, 2**62, 2**63 - 1, -(2**63)]
AMOUNTS = ["0.00", "0.01", "1.27", "1.28", "2.55", "2.56", "327.67", "327.68", "-1.28", "-1.29"]
TEXTS = ["", "a", "甲", "示范" * 40, "x" * 63, "x" * 64, "\U0001f600", "a" * 9000]


def any_value(node: Any, chance: random.Random) -> Any:
    """Return a value of an Avro type, often one at an edge."""
    if isinstance(node, list):
        return None if chance.random() < 0.5 else any_value(node[1], chance)
    if node == "string":
        return chance.choice(TEXTS)
    if node == "long":
        return chance.choice(LONGS)
    if node["type"] == "enum":
        return chance.choice(node["symbols"])
    if node["type"] == "array":
        return [any_value(node["items"], chance) for _ in range(chance.choice([0, 0, 1, 2, 70]))]
    if node["type"] == "record":
        return {f["name"]: any_value(f["type"], chance) for f in node["fields"]}
    if node["logicalType"] == "decimal":
        return Decimal(chance.choice([*AMOUNTS, "99999999999.99", "999999999999999999.99"]))
    if node["logicalType"] == "date":
        return dt.date(1970, 1, 1) + dt.timedelta(days=chance.choice([0, -1, 63, 64, 20_000]))
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(
        microseconds=chance.choice(LONGS[:10])
    )


def fields(family: str) -> list[dict[str, Any]]:
    text = max((raw.SCHEMAS / "events").glob(f"{family}.v*.avsc")).read_text("utf-8")
    found: list[dict[str, Any]] = json.loads(text)["fields"]
    return found


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("seed", range(5))
def test_any_events_are_written_as_fastavro_writes_them(family: str, seed: int) -> None:
    chance = random.Random(seed)
    count = chance.choice([1, 2, 50])
    events = [
        {f["name"]: any_value(f["type"], chance) for f in fields(family)} for _ in range(count)
    ]
    frame = pl.DataFrame(events, schema=event_columns(family))
    assert values(frame, family).to_list() == [raw.encode(event, family) for event in events]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_column_that_is_empty_throughout_is_written_all_the_same(family: str) -> None:
    chance = random.Random(1)
    event = {f["name"]: any_value(f["type"], chance) for f in fields(family)}
    event |= {f["name"]: None for f in fields(family) if isinstance(f["type"], list)}
    frame = pl.DataFrame([event] * 3, schema=event_columns(family))
    assert values(frame, family).to_list() == [raw.encode(event, family)] * 3


def test_no_events_are_no_bodies() -> None:
    assert bodies(pl.DataFrame(schema=event_columns("licence")), "licence").to_list() == []


def test_headers_are_cloud_events() -> None:
    events = [b.licence(1), b.licence(2)]
    frame = pl.DataFrame(events, schema=event_columns("licence"))
    assert list(headers(frame, "licence")) == [b.message(event)[2] for event in events]


class Client:
    """A producer that knows how many partitions there are."""

    def partitions_for(self, _: str) -> set[int]:
        return set(range(7))


def test_partitions_are_those_of_kafkas_own_partitioner() -> None:
    from kafka.partitioner.default import murmur2

    subjects = [uscc(number) for number in range(500)]
    frame = pl.DataFrame({"subject": subjects})
    found = _partitions(Client(), "topic", frame)
    assert found.to_list() == [(murmur2(s.encode()) & 0x7FFFFFFF) % 7 for s in subjects]
    assert set(found) == set(range(7))
