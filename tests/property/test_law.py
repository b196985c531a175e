"""The law: whatever a publisher sends, in whatever order, the product says what the model says.

Each history goes the real way: a file on disk, the ledger, Kafka, the log, the dataset. The model
(`tests/oracle`) reads the same files row by row and shares no code with the product.
"""

from __future__ import annotations

import datetime as dt
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, example, given, settings

from tests.property.effort import some
from tests.property.histories import Deed, histories
from tests.property.law_rows import NUMBERS, SUBJECTS
from tests.property.law_world import DAYS, ISSUER, World, founded, told

EXAMPLES = 30

_serial = itertools.count()


@contextmanager
def new_world(kafka: str, bucket: str) -> Iterator[World]:
    """Give a world; the lake of every third one is in a bucket."""
    number = next(_serial)
    with founded(
        World, kafka, f"{bucket}/{os.getpid()}-{number}" if number % 3 == 0 else None
    ) as one:
        yield one


def live(kafka: str, bucket: str, history: list[Deed]) -> World:
    """Live through a history in both worlds, and compare them at its end."""
    with new_world(kafka, bucket) as world:
        for kind, *rest in history:
            told(f"{kind} {rest if kind != 'file' else rest[1]}")
            getattr(world, kind)(*rest)
        world.finish()
    return world


def row(subject: int = 0, **more: str) -> dict[str, str]:
    """Return a row about one of the subjects."""
    return {"代码": SUBJECTS[subject], "编号": NUMBERS[0], "机关": ISSUER} | more


def sent(edition: int | None, *found: dict[str, str]) -> Deed:
    """Return the sending of a file; it is of a day in February 2020, or states none."""
    return "file", [*found], dt.date(2020, 2, edition) if edition else None


#: One history with all that a random one may lack: no luck decides whether the law is tried on it.
EVERYTHING: list[Deed] = [
    sent(2, row(状态="2"), row(编号=NUMBERS[1], 状态="1")),
    ("ingest", 0),
    ("overhear", NUMBERS[0], "standing", "in_force", 0),
    ("ingest", 0),
    sent(1, row(状态="3")),
    sent(
        3, row(状态="2", 变更日="2020-03-02", 状态止="2020-03-01"), row(编号=NUMBERS[1], 状态="2")
    ),
    sent(4, row(状态="1"), row(状态="2")),
    ("withdraw", NUMBERS[1]),
    ("ingest", 1),
    ("undo", NUMBERS[1]),
    sent(5, row(状态="2"), row(编号=NUMBERS[1])),
    sent(None, row(状态="3")),
]

AGAIN_ON_5TH = ("again", 0, dt.date(2020, 2, 5))
CASES: dict[str, list[Deed]] = {
    "a new record is one subject's, then another's, in one file": [
        sent(None, row(0, 时间戳="2020-02-02"), row(1, 时间戳="2020-02-04")),
    ],
    "a record moves twice in one file": [
        sent(1, row(0)),
        sent(3, row(1, 时间戳="2020-02-02"), row(2, 时间戳="2020-02-04")),
    ],
    "a record moves there and back in one file": [
        sent(1, row(0)),
        sent(3, row(1, 时间戳="2020-02-02"), row(0, 时间戳="2020-02-04")),
    ],
    "a lost ledger does not let an old file lift a suspension": [
        sent(1, row(状态="2")),
        sent(3, row(状态="2"), row(编号=NUMBERS[1], 状态="1")),
        ("lose",),
        sent(2, row(状态="1")),
    ],
    "a lost ledger knows that a file came again under a later edition": [
        sent(1, row(状态="2")),
        AGAIN_ON_5TH,
        ("lose",),
        sent(3, row(状态="3")),
    ],
    "a lost ledger takes rows newer than those it knows of, however old their dates": [
        sent(None, row(时间戳="2020-02-02")),
        sent(None, row(时间戳="2020-02-02"), row(编号="")),
        ("lose",),
        sent(None, row(内容="食品", 时间戳="2020-02-04")),
    ],
    "a file of a day yet to come, and one without a day after those that had one, are refused": [
        sent(1, row(状态="2")),
        ("again", 0, dt.date(2099, 1, 1)),
        sent(None, row(状态="3")),
    ],
    "an empty state lifts a suspension only in a file that tells of none": [
        sent(1, row(状态="2"), row(编号=NUMBERS[1], 状态="2")),
        sent(2, row(状态="2"), row(编号=NUMBERS[1])),
        ("ingest", 0),
        sent(3, row(), row(编号=NUMBERS[1])),
    ],
    "all that is wrong with a row is said at once": [
        sent(1, row(状态="2"), row(编号="", 决定日="2020-02-30") | {"代码": ""}),
        sent(2, row(状态="9", 变更日="2062-03-01"), row(状态="2", 变更日="2062-03-01")),
    ],
    "no row of a file is left when those are refused that state nothing": [
        sent(1, row(状态="2")),
        sent(2, row(状态="1") | {"代码": ""}, row(), row(编号=NUMBERS[1])),
        sent(3, row(状态="3")),
    ],
    "a withdrawal is of the subject the record is at": [
        sent(1, row(状态="2")),
        sent(2, row(状态="3")),
        sent(3, row(1, 状态="3")),
        ("withdraw", NUMBERS[0]),
    ],
    "an old file that comes again sets nothing back, the ledger lost or not": [
        sent(None, row(状态="2")),
        sent(None, row(状态="3")),
        ("again", 0, None),
        ("lose",),
        ("again", 0, None),
    ],
    "every landing is settled by itself": [
        sent(1, row(状态="2")),
        ("ingest", 0),
        sent(2, row(状态="3")),
        ("ingest", 0),
        sent(3, row(状态="2")),
        ("ingest", 0),
    ],
    "days pass without events": [
        sent(1, row(状态="2", 变更日=str(DAYS[1]), 状态止=str(DAYS[2]), 有效期至=str(DAYS[3]))),
        ("ingest", 0),
        *[("settle", 2)] * 6,
    ],
    "an answer counts what was landed and not yet settled": [
        sent(1, row(状态="2")),
        ("ingest", 0),
        sent(2, row(状态="3")),
        ("land",),
        ("ask", 0, 1, 0),
        ("ask", 0, 1, -1),
    ],
    "two contents of one sequence, one of which ends": [
        sent(1, row(状态="2", 变更日=str(DAYS[1]), 状态止=str(DAYS[3]))),
        ("overhear", NUMBERS[0], "standing", "in_force", 0),
    ],
    "two contents of one sequence, and a higher one": [
        sent(1, row(状态="2")),
        ("overhear", NUMBERS[0], "standing", "in_force", 0),
        ("land",),
        ("settle", 0),
        ("lose",),
        sent(2, row(状态="2")),
        ("land",),
        ("settle", 0),
        sent(3, row(状态="3")),
    ],
}


@pytest.mark.timeout(some(1800))  # most of it only where a failure is made smaller
def test_every_history_comes_out_as_the_model_says(kafka: str, bucket: str) -> None:
    worlds: list[World] = []

    @settings(
        max_examples=some(EXAMPLES),
        suppress_health_check=list(HealthCheck),
    )
    @example(history=EVERYTHING)
    @given(history=histories())
    def compare(history: list[Deed]) -> None:
        worlds.append(live(kafka, bucket, history))

    compare()
    # A law under which nothing happens is no law.
    assert len(worlds) >= some(EXAMPLES)
    assert sum(world.events for world in worlds) > 3 * EXAMPLES
    seen = set().union(*(world.done for world in worlds))
    assert seen >= {"in_force", "suspended", "withdrawn", "contradictory", "older_edition"}
    assert seen >= {"state_not_stated", "unclear"}


@pytest.mark.parametrize("name", CASES)
def test_a_history_worth_remembering(kafka: str, bucket: str, name: str) -> None:
    assert live(kafka, bucket, CASES[name]).events
