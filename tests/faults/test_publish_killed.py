"""`kill -9` of a publisher at every step between its file and the ledger's last word."""

from __future__ import annotations

import os
import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.faults.processes import again, killed
from tests.faults.reliability import Fault
from tests.faults.scene import Scene
from tests.faults.whole import published
from tests.support import kafka as raw
from tests.support.exchange import Exchange

_STATED = "2026-06-01T00:00"
#: Thirty records at first; then ten changed and thirty new, sent by tens.
FIRST, SECOND = 30, 40
_SLICE = 10
#: A statement goes to each of four partitions.
PARTITIONS = 4


def at(point: str, what: str, name: str, stated: int = PARTITIONS, by: int = _SLICE) -> Any:
    """Return a parameter: where the process dies, sending by so many; the statements in the end."""
    marked = pytest.mark.fault(f"publish killed {what}", how=f"SIGKILL, `{point}`")
    return pytest.param(point, stated, by, id=name, marks=marked)


POINTS = [
    at("flows.publish.spill:Spill.add:before:1", "before the rows are set aside", "before-spill"),
    at("connectors.ledger:Ledger.write:before:1", "before its ledger is written", "before-ledger"),
    at("flows.publish.deliver:send_all:before:1", "between ledger and Kafka", "before-send"),
    at("kafka:KafkaProducer.send:after:15", "with the 15th of 40 messages sent", "mid-send"),
    at("flows.publish.deliver:send_all:after:2", "before the ledger is told", "before-confirm"),
    at(
        "flows.publish.deliver:Delivery._advance:before:2",
        "before the ledger's position moves",
        "before-position",
    ),
    at("flows.publish.finish:state:before:1", "before its statement", "before-statement"),
    at(
        "flows.publish.deliver:send_all:after:21",
        "between the partitions of its statement",
        "mid-statement",
        by=2,
        # Two were sent, four are sent again: a newer sequence, saying the same.
        stated=2 + PARTITIONS,
    ),
    at(
        "connectors.ledger:Ledger.note_file:before:1",
        "before the ledger knows the file",
        "before-end",
        stated=2 * PARTITIONS,
    ),
]


@pytest.mark.parametrize(("point", "stated", "by"), POINTS)
def test_publish(exchange: Exchange, fault: Fault, point: str, stated: int, by: int) -> None:
    scene = Scene(exchange, exchange.department())
    scene.publish(*range(1, FIRST + 1))
    command = publishing(scene)
    killed(exchange.environment, point, *command, tuned=(f"flows.publish.deliver:_SLICE={by}",))
    again(exchange.environment, *command)
    once(scene, stated)
    again(exchange.environment, *command)
    assert len(published(exchange)) == FIRST + SECOND + stated, "a third time sends nothing"

    again(exchange.environment, "ingest", "licence")
    fault.flowed = scene.whole()
    assert fault.flowed == FIRST + SECOND + stated


def publishing(scene: Scene) -> tuple[str, ...]:
    """Return the command that publishes the second file; its rows are the scene's from now on."""
    department = scene.department
    rows = [department.licence(n, XK_ZT="2") for n in range(1, 11)]
    rows += [department.licence(n) for n in range(31, 61)]
    scene.rows += rows
    path = department.file(rows, "second.csv")
    return ("publish", str(path), "--publisher", department.id, "--complete-through", _STATED)


def once(scene: Scene, stated: int) -> None:
    """Assert that Kafka has each version once, and that the ledger knows exactly those as sent."""
    found = raw.events(scene.exchange.address, scene.department.topic())
    versions = Counter((e["record_key"], e["facet"], e["sequence"]) for e in found)
    assert {*versions.values()} == {1}
    own = {version for version in versions if version[1] != "statement"}
    assert len(own) == FIRST + SECOND
    assert versions.total() - len(own) == stated
    assert {sequence for _, _, sequence in own} == {1}, "each facet was sent once, and only once"
    known = ledger(scene)
    assert {version for version, sent in known.items() if not sent and version in own} == set()
    assert {version for version in known if version[2] > 0 and version[1] != "statement"} == own


def ledger(scene: Scene) -> dict[tuple[str, str, int], bool]:
    """Return every version the ledger knows, and whether it takes it for sent."""
    path = scene.exchange.home / "ledger" / f"{scene.department.id}.licence.sqlite"
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute("SELECT record_key, facet, sequence, sent FROM versions")
        return {(key, facet, sequence): bool(sent) for key, facet, sequence, sent in rows}


@pytest.mark.parametrize(
    "point",
    [
        pytest.param(
            point,
            id=name,
            marks=pytest.mark.fault(f"collect killed {what}", how=f"SIGKILL, `{point}`"),
        )
        for point, what, name in [
            (
                "connectors.zone_directory:Directory.finish:before:1",
                "between publishing a file and moving it",
                "before-move",
            ),
            ("os:replace:after:1", "between a file's receipt and the file", "after-receipt"),
        ]
    ],
)
def test_collect(exchange: Exchange, fault: Fault, point: str) -> None:
    scene = Scene(exchange, exchange.department())
    dropped = drop(scene)
    killed(exchange.environment, point, "collect")
    assert dropped.exists()
    assert len(published(exchange)) == FIRST

    again(exchange.environment, "collect")
    assert not dropped.exists()
    [moved] = (dropped.parent / "done").glob(f"*/{dropped.name}")
    assert [*moved.parent.glob("receipt-*.json")]
    assert [*(dropped.parent / "done").iterdir()] == [moved.parent]
    again(exchange.environment, "ingest", "licence")
    fault.flowed = scene.whole()
    assert fault.flowed == FIRST


def drop(scene: Scene) -> Path:
    """Put a file into the drop zone, last written to a minute ago."""
    department = scene.department
    scene.rows += [department.licence(number) for number in range(1, FIRST + 1)]
    made = department.file(scene.rows)
    path = scene.exchange.home / "zone" / department.id / "cn-sgs-2018-licence" / "file.csv"
    path.parent.mkdir(parents=True)
    made.rename(path)
    then = time.time() - 60
    os.utime(path, (then, then))
    return path
