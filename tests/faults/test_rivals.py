"""Two processes ingest one family at once: they meet at the worst moment, and nothing is doubled.

Each is held just before a commit, with what it read long compared; then they are let go together,
or one after the other. The second one has seen more messages, over the same partitions.
"""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from connectors.topics import PARTITIONS
from tests.faults.processes import Done, again, held
from tests.faults.reliability import Fault
from tests.faults.scene import EVENTS, POISON, SMALL_BATCHES, at_work
from tests.support.exchange import Exchange

_LANDING, _SETTLING = "connectors.lake:append:before:1", "connectors.lake:replace:before:1"
_INGEST = ("ingest", "licence")


def meeting(point: str, order: str, what: str, name: str) -> Any:
    """Return a parameter: where the two meet, and who goes on first."""
    marked = pytest.mark.fault(f"two ingests at once: {what}", how=f"both held, `{point}`")
    return pytest.param(point, order, id=name, marks=marked)


@pytest.mark.parametrize(
    ("point", "order"),
    [
        meeting(_LANDING, "together", "both commit a batch in one moment", "landing-together"),
        meeting(_LANDING, "first", "the one with fewer messages commits first", "fewer-first"),
        meeting(_LANDING, "second", "the one with more messages commits first", "more-first"),
        meeting(_SETTLING, "together", "both write the same buckets", "settling-together"),
    ],
)
def test_two_at_once(exchange: Exchange, fault: Fault, point: str, order: str) -> None:
    scene = at_work(exchange)
    with held(exchange.environment, [point], *_INGEST) as one:
        one.arrived()
        scene.publish(*range(51, 71))
        with held(exchange.environment, [point], *_INGEST) as other:
            other.arrived()
            first, second = (other, one) if order == "second" else (one, other)
            first.go()
            if order == "together":
                second.go()
                ends = [first.ended(), second.ended()]
            else:
                ends = [first.ended()]
                second.go()
                ends.append(second.ended())
    assert len(scene.partitions()) == PARTITIONS, "the batches span several"
    assert 0 in [end.returncode for end in ends]
    assert all(clean(end) for end in ends), [end.stderr for end in ends]
    again(exchange.environment, *_INGEST)
    fault.flowed = scene.whole()
    assert fault.flowed == EVENTS + POISON + 20


@pytest.mark.fault(
    "two ingests at once: one has landed some of the other's partitions",
    how=f"batches of one fetch in one of them; both held, `{_LANDING}`",
)
def test_overlapping_partitions(exchange: Exchange, fault: Fault) -> None:
    """Some partitions of its batch are no longer where it read them: none of it may be landed."""
    scene = at_work(exchange)
    before = exchange.log().height
    points = [_LANDING, "connectors.lake:append:before:2"]
    with (
        held(exchange.environment, points, *_INGEST, tuned=SMALL_BATCHES) as piecemeal,
        held(exchange.environment, [_LANDING], *_INGEST) as at_once,
    ):
        piecemeal.arrived()
        at_once.arrived()
        piecemeal.go()
        piecemeal.arrived()
        new = exchange.log().filter(pl.col("landed_at") == pl.col("landed_at").max())
        assert before < exchange.log().height < EVENTS + POISON
        assert 0 < new["partition"].n_unique() < len(scene.partitions())
        at_once.go()
        ends = [at_once.ended()]
        assert exchange.log().height == EVENTS + POISON, "it has read the rest again"
        piecemeal.go()
        ends.append(piecemeal.ended())
    assert all(clean(end) for end in ends), [end.stderr for end in ends]
    again(exchange.environment, *_INGEST)
    fault.flowed = scene.whole()
    assert fault.flowed == EVENTS + POISON


def clean(end: Done) -> bool:
    """Whether a process has done its work, or has said in a sentence that another was first."""
    if end.returncode == 0:
        return True
    return end.returncode == 2 and "Other runs kept writing to the same table" in end.stderr
