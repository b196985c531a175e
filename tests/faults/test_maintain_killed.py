"""`kill -9` in the nightly maintenance: nothing a reader or a follower needs is gone with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.faults import entries
from tests.faults.processes import again, killed
from tests.faults.reliability import Fault
from tests.faults.scene import EVENTS, POISON, at_work
from tests.support.exchange import Exchange
from tests.support.lake import delta, read

_KINDS = ("log", "history", "datasets")
_VACUUM = "deltalake:DeltaTable.vacuum"
_CHECKPOINT = "deltalake:DeltaTable.create_checkpoint"


def at(point: str, what: str, name: str) -> Any:
    """Return a parameter: where the process dies, in the code's words and in a reader's."""
    marked = pytest.mark.fault(f"maintenance killed {what}", how=f"SIGKILL, `{point}`")
    return pytest.param(point, id=name, marks=marked)


# Two dry runs go before each vacuum of a table, so the third call of every table deletes.
POINTS = [
    at("flows.maintain:_compact:before:1", "before it compacts the log", "before-compact"),
    at("flows.maintain:_compact:after:1", "after it compacted the log", "after-compact"),
    at(f"{_VACUUM}:before:3", "before it vacuums the log", "before-vacuum-log"),
    at(
        f"{_VACUUM}:after:3", "after it vacuumed the log, before the checkpoint", "after-vacuum-log"
    ),
    at(f"{_VACUUM}:after:9", "after it vacuumed the dataset", "after-vacuum-data"),
    at(f"{_CHECKPOINT}:before:2", "before the history's checkpoint", "before-checkpoint"),
]


@pytest.mark.parametrize("point", POINTS)
def test_maintenance(
    exchange: Exchange, fault: Fault, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = at_work(exchange)
    exchange.ingest()
    before = tables(exchange)
    killed(exchange.environment, point, "tests.faults.entries:maintain", "licence")
    assert tables(exchange) == before, "whole at once, before anyone mends anything"

    for name, value in exchange.environment.items():
        monkeypatch.setenv(name, value)
    entries.maintain("licence")
    for kind in _KINDS:
        place = f"{exchange.lake}/{kind}/licence"
        there = [*Path(place).rglob("*.parquet")]
        held = [path for path in there if "_delta_log" not in path.parts]
        assert len(held) == len(delta(place).file_uris()), "what is replaced is gone by now"

    scene.publish(*range(11, 21), XK_ZT="3")  # settling follows the log across what was done to it
    again(exchange.environment, "ingest", "licence")
    fault.flowed = scene.whole()
    assert fault.flowed == EVENTS + POISON + 10


def tables(exchange: Exchange) -> dict[str, list[Any]]:
    """Return all that a stranger finds in the tables."""
    found = {kind: read(f"{exchange.lake}/{kind}/licence") for kind in _KINDS}
    return {kind: sorted(frame.rows(), key=repr) for kind, frame in found.items()}
