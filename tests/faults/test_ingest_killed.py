"""`kill -9` of `mianti ingest` at every step that leaves something behind, and the same again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.processes import again, killed
from tests.faults.reliability import Fault
from tests.faults.scene import EVENTS, POISON, SMALL_BATCHES, Scene, at_first, at_work
from tests.faults.whole import whole
from tests.support.exchange import Exchange
from tests.support.window import penalty

_COMMIT = "deltalake:DeltaTable.create_write_transaction"
#: What the commits of one ingest write, in their order.
_COMMITS = (
    "the batch to the log",
    "the history's quiet buckets",
    "the dataset's quiet buckets",
    "the history's buckets",
    "the dataset's buckets",
)


def at(point: str, what: str, name: str, *more: Any) -> Any:
    """Return a parameter: where the process dies, in the code's words and in a reader's."""
    marked = pytest.mark.fault(f"ingest killed {what}", how=f"SIGKILL, `{point}`")
    return pytest.param(point, *more, id=name, marks=marked)


LANDING = [
    at("connectors.lake:write_files:before:1", "before a batch's data files", "before-files"),
    at("connectors.table_files:_write:after:1", "between two data files", "between-files"),
    at("connectors.lake:write_files:after:1", "after a batch's data files", "after-files"),
]
SETTLING = [
    at("flows.settle:_waiting:after:1", "once the log's tail was counted", "tail-counted"),
    at("flows.settle:_made:after:1", "once the buckets were made, none written", "buckets-made"),
    at("flows.settle:_put:after:1", "between history and dataset", "between-tables"),
]
COMMITS = [
    at(f"{_COMMIT}:{side}:{number}", f"{side} it commits {what}", f"commit-{number}-{side}")
    for number, what in enumerate(_COMMITS, 1)
    for side in ("before", "after")
]


@pytest.mark.parametrize("point", [*LANDING, *SETTLING, *COMMITS])
def test_ingest(exchange: Exchange, fault: Fault, point: str) -> None:
    scene = at_work(exchange)
    killed(exchange.environment, point, "ingest", "licence")
    _again(scene, fault)


FIRST = [
    at("connectors.lake:ensure_table:after:1", "once the log was made, empty", "log-made"),
    at(f"{_COMMIT}:after:1", "after its very first commit", "first-commit"),
    at("connectors.lake:ensure_table:after:2", "once the history was made", "history-made"),
]


@pytest.mark.parametrize("point", FIRST)
def test_ingest_for_the_first_time(exchange: Exchange, fault: Fault, point: str) -> None:
    scene = at_first(exchange)
    killed(exchange.environment, point, "ingest", "licence")
    _again(scene, fault)


def _again(scene: Scene, fault: Fault) -> None:
    again(scene.exchange.environment, "ingest", "licence")
    fault.flowed = scene.whole()
    assert fault.flowed == EVENTS + POISON


_SMALL_GROUPS = ("flows.due:GROUP_ROWS=3",)


@pytest.mark.parametrize(
    "point",
    [
        at("flows.land:_note:after:1", "between two batches", "between-batches"),
        at(f"{_COMMIT}:before:2", "before its second batch is committed", "second-batch"),
    ],
)
def test_landing_in_several_batches(exchange: Exchange, fault: Fault, point: str) -> None:
    scene = at_work(exchange)
    before = exchange.log().height
    killed(exchange.environment, point, "ingest", "licence", tuned=SMALL_BATCHES)
    assert before < exchange.log().height < EVENTS + POISON, "it died with part of it landed"
    _again(scene, fault)


@pytest.mark.parametrize(
    "point",
    [
        at("flows.settle:_put:after:2", "between two groups of buckets", "between-groups"),
        at("flows.settle:_put:after:3", "within a second group of buckets", "second-group"),
    ],
)
def test_settling_in_several_groups(exchange: Exchange, fault: Fault, point: str) -> None:
    scene = at_work(exchange)
    killed(exchange.environment, point, "ingest", "licence", tuned=_SMALL_GROUPS)
    _again(scene, fault)


@pytest.mark.fault(
    "ingest killed between two families", how="SIGKILL, `flows.ingest:ingest:before:2`"
)
def test_between_two_families(exchange: Exchange, fault: Fault) -> None:
    scene = at_work(exchange)
    department = scene.department
    fines = [penalty(department, number) for number in range(1, 21)]
    department.publish(fines, "fines.csv")
    both = ("ingest", "licence", "credit")
    killed(exchange.environment, "flows.ingest:ingest:before:2", *both)
    again(exchange.environment, *both)
    fault.flowed = scene.whole() + whole(exchange, fines, "credit")
    assert fault.flowed == EVENTS + POISON + 20


def test_a_point_that_is_nowhere_fails(exchange: Exchange) -> None:
    """A function that was renamed, or is not called, must not pass for one that was killed."""
    for nowhere in ("flows.land:_no_such:before:1", "flows.land:_commit:before:99"):
        with pytest.raises(AssertionError, match="never reached"):
            killed(exchange.environment, nowhere, "ingest", "licence")
