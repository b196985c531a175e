"""`kill -9` in the middle of what deltalake does by itself, where no point of the product reaches."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from tests.faults import entries
from tests.faults.processes import again, killed_once
from tests.faults.reliability import Fault
from tests.faults.scene import EVENTS, POISON, at_work
from tests.faults.test_maintain_killed import tables
from tests.support.exchange import Exchange

_COMMIT: Final = "deltalake:DeltaTable.create_write_transaction"
_INGEST: Final = ("ingest", "licence")
_MAINTAIN: Final = ("tests.faults.entries:maintain", "licence")
Names = frozenset[str]
Seen = Callable[[Names, Names], bool]


def something_new(before: Names, now: Names) -> bool:
    return bool(now - before)


def something_gone(before: Names, now: Names) -> bool:
    return bool(before - now)


def at(point: str, place: str, seen: Seen, what: str, name: str, *command: str) -> Any:
    """Return a parameter: which call, and by which trace in which folder it shows it is at work."""
    how = f"SIGKILL behind `{point}`, at the first {seen.__name__.replace('_', ' ')} in `{place}`"
    marked = pytest.mark.fault(f"killed within {what}", how=how)
    return pytest.param(point, place, seen, command, id=name, marks=marked)


_LOG: Final = "log/licence/_delta_log"
POINTS = [
    at(f"{_COMMIT}:before:1", _LOG, something_new, "the batch's commit", "batch", *_INGEST),
    at(
        f"{_COMMIT}:before:4",
        "history/licence/_delta_log",
        something_new,
        "the history's commit",
        "history",
        *_INGEST,
    ),
    at(
        "flows.maintain:_compact:before:1",
        "log/licence/verdict=accepted",
        something_new,
        "the compaction of the log, as it writes",
        "compact-file",
        *_MAINTAIN,
    ),
    at(
        "flows.maintain:_compact:before:1",
        _LOG,
        something_new,
        "the compaction of the log, as it commits",
        "compact-commit",
        *_MAINTAIN,
    ),
    at(
        "deltalake:DeltaTable.vacuum:before:3",
        "log/licence/verdict=accepted",
        something_gone,
        "the vacuum of the log",
        "vacuum",
        *_MAINTAIN,
    ),
    at(
        "deltalake:DeltaTable.create_checkpoint:before:1",
        _LOG,
        something_new,
        "the log's checkpoint",
        "checkpoint",
        *_MAINTAIN,
    ),
]


@pytest.mark.parametrize(("point", "place", "seen", "command"), POINTS)
def test_killed_within(
    exchange: Exchange,
    fault: Fault,
    point: str,
    place: str,
    seen: Seen,
    command: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = at_work(exchange)
    if command == _MAINTAIN:
        exchange.ingest()
    stood = tables(exchange)
    folder = Path(exchange.lake) / place
    before = names(folder)
    killed_once(lambda: seen(before, names(folder)), exchange.environment, point, *command)
    found = tables(exchange)
    if command == _MAINTAIN:
        assert found == stood, "whole at once, before anyone mends anything"
        for name, value in exchange.environment.items():
            monkeypatch.setenv(name, value)
        entries.maintain("licence")
    assert len(found["log"]) in (len(stood["log"]), EVENTS + POISON), "in whole, or not at all"

    scene.publish(*range(11, 21), XK_ZT="3")
    again(exchange.environment, *_INGEST)
    fault.flowed = scene.whole()
    assert fault.flowed == EVENTS + POISON + 10


def names(folder: Path) -> Names:
    """Return what lies in a folder, unfinished files too."""
    return frozenset(os.listdir(folder))
