"""The recount of a soak: it agrees with what is whole, and names what is lost, doubled or changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import polars as pl
import pytest

from tests.soak.count import Tables, count

_PLACES: Final[dict[str, list[Any]]] = {
    "topic": ["t"] * 4,
    "partition": [0] * 4,
    "offset": [0, 1, 2, 3],
}
_EVENTS: Final[dict[str, list[Any]]] = {
    "event_id": ["e1", "e2", "e3", None],
    "record_key": ["i/1", "i/1", "i/2", None],
    "subject": ["s", "s", "s", None],
    "facet": ["decision", "decision", "decision", None],
    "sequence": [1, 2, 1, None],
}
_DECISIONS: Final = [{"fine_yuan": 10}, {"fine_yuan": 20}, {"fine_yuan": 10}]
WHOLE: Final = Tables(
    "credit",
    pl.DataFrame(_PLACES | _EVENTS),
    pl.DataFrame(
        _PLACES
        | {"verdict": ["accepted"] * 3 + ["quarantined"], "reason": [None] * 3 + ["bad_frame"]}
        | _EVENTS
    ),
    pl.DataFrame({n: values[:3] for n, values in _EVENTS.items()} | {"decision": _DECISIONS}),
    pl.DataFrame({"subject": ["s", "s"], "record_key": ["i/1", "i/2"], "fine_yuan": [20, 10]}),
    pl.DataFrame({"record_key": ["i/1", "i/2", "i/1", "i/2"], "fine_yuan": [10, 10, 20, 10]}),
)


def test_what_is_whole_has_no_fault() -> None:
    found = count(WHOLE)
    assert found.faults == []
    assert (found.messages, found.accepted, found.quarantined) == (4, 3, 1)
    assert (found.records, found.versions) == (2, 3)


def changed(table: str, frame: pl.DataFrame) -> Tables:
    return Tables(**{**vars(WHOLE), table: frame})


def without(table: str, row: int) -> Callable[[], Tables]:
    frame: pl.DataFrame = getattr(WHOLE, table)
    return lambda: changed(table, frame.filter(pl.int_range(pl.len()) != row))


def twice(table: str, row: int) -> Callable[[], Tables]:
    frame: pl.DataFrame = getattr(WHOLE, table)
    return lambda: changed(table, pl.concat([frame, frame[row]]))


def other(table: str, row: int, **changes: Any) -> Callable[[], Tables]:
    frame: pl.DataFrame = getattr(WHOLE, table)
    rows = frame.to_dicts()
    rows[row] |= changes
    return lambda: changed(table, pl.DataFrame(rows, frame.schema))


SPOILED: Final = {
    "a message not landed": (without("log", 1), "published, and not in the log"),
    "a message landed that is not there": (without("messages", 3), "not in Kafka"),
    "a message landed twice": (twice("log", 0), "landed more than once"),
    "a poison message lost": (without("log", 3), "published, and not in the log"),
    "no reason": (other("log", 3, reason=None), "quarantined without a reason"),
    "an event landed as another": (other("log", 0, event_id="e9"), "not accepted as what it is"),
    "an event quarantined": (
        other("log", 0, verdict="quarantined", reason="x"),
        "not accepted as what it is",
    ),
    "an event not settled": (without("history", 1), "accepted, and not in the history"),
    "an event settled twice": (twice("history", 1), "in the history twice"),
    "a record lost": (without("dataset", 0), "last said, and not in the dataset"),
    "a record doubled": (twice("dataset", 0), "in the dataset twice"),
    "an old state": (other("dataset", 0, fine_yuan=10), "last said, and not in the dataset"),
    "a row of a file never sent": (
        other("sent", 3, fine_yuan=99),
        "a decision said, and not in the history",
    ),
    "a version that no file has": (
        other("sent", 2, fine_yuan=10),
        "a decision in the history, never said",
    ),
}


@pytest.mark.parametrize("name", SPOILED)
def test_what_is_spoiled_is_named(name: str) -> None:
    spoiled, fault = SPOILED[name]
    assert any(fault in one for one in count(spoiled()).faults), count(spoiled()).faults
