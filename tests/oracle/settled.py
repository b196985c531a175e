"""History and dataset against the log: each bucket as far as its own watermark says, for its day.

A watermark `settled:<bucket>` is the log's version settled through, plus one; `day:<bucket>` the
day (since 1970) a dataset's bucket was folded for. `log:through` is the newest version of the log
that was seen, plus one, `log:commit` the first 63 bits of the SHA-256 of its commit.
`docs/decisions/0002-fold.md`, `0004-history.md`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator

from tests.oracle import contract
from tests.oracle.delta import Row, State, Table
from tests.oracle.identity import bucket
from tests.oracle.log_account import Log
from tests.oracle.report import Report
from tests.oracle.state import state as fold
from tests.oracle.versions import first_landed, frozen, version

BUCKETS = range(64)
_KEPT = (
    *("subject", "record_key", "usable", "unusable_reason", "as_of", "usable_until"),
    *("versions", "first_landed_at", "last_landed_at", "bucket"),
)
_ENVELOPE = (
    *("publisher", "issuer", "issuer_name", "occurred_at"),
    *("layout", "layout_version", "file_digest", "file_row"),
)


def examine_settled(log: Log, history: Table, dataset: Table, report: Report) -> None:
    """Compare what was settled of a family with its log; note what is wrong."""
    marks = {"history": _marks(history), "dataset": _marks(dataset)}
    report.fault(*_watermarks(log, marks["history"], marks["dataset"]))
    for name, table in (("history", history), ("dataset", dataset)):
        report.fault(*_memory(log, table, name, max(marks[name].values())))
    held: dict[int, list[Row]] = {number: [] for number in BUCKETS}
    found = history.rows() if history.exists else []
    report.history_rows += len(found)
    expected: dict[str, Row] = {}
    for number, mark in marks["history"].items():
        expected |= _settled(log, number, mark)
    report.fault(*_history(expected, found))
    for row in dataset.rows() if dataset.exists else []:
        held.setdefault(row["bucket"], []).append(row)
        report.dataset_rows += 1
        report.usable_rows += row["usable"] == "yes"
    for number, mark in marks["dataset"].items():
        day = dataset.newest.ids.get(f"day:{number}") if dataset.exists else None
        events = _settled(log, number, mark)
        report.fault(*_bucket(log.family, number, events, held.pop(number), day))
    report.fault(*(f"dataset: there is a bucket {number}" for number in held))


def _marks(table: Table) -> dict[int, int]:
    ids = table.newest.ids if table.exists else {}
    return {number: ids.get(f"settled:{number}", 0) for number in BUCKETS}


def _watermarks(log: Log, history: dict[int, int], dataset: dict[int, int]) -> Iterator[str]:
    for number in BUCKETS:
        if history[number] > log.table.newest.version + 1:
            yield f"history: the watermark of bucket {number} is beyond the log's end"
        if dataset[number] > history[number]:
            yield f"dataset: the watermark of bucket {number} is beyond the history's"


def _memory(log: Log, table: Table, name: str, last: int) -> Iterator[str]:
    """What was settled names the log's commit it was settled through, by its bytes."""
    known = table.newest.ids if table.exists else {}
    through = known.get("log:through", 0)
    if not last or not through:
        return  # never settled, or by a release that remembered nothing
    place = log.table.place / "_delta_log" / f"{through - 1:020}.json"
    said = place.read_bytes() if place.exists() else b""
    number = int.from_bytes(hashlib.sha256(said).digest()[:8], "big") // 2
    if number != known.get("log:commit"):
        yield f"{name}: the commit {through - 1} that it was settled through is not the log's"


def _settled(log: Log, number: int, mark: int) -> dict[str, Row]:
    """Return the events of a bucket that a watermark says are settled, by id."""
    last, version = log.table.newest, mark - 1
    while version < last.version and log.table.compacts(version + 1):
        version += 1  # the same rows, and nobody needs the files that held them before
    state: State = log.table.at(min(version, last.version)) if mark else State(-1)
    paths = state.files if version < last.version else last.files
    rows = (row for file in paths.values() for row in log.table.of(file))
    mine = (row for row in rows if row["verdict"] == "accepted" and row["facet"])
    return first_landed(row for row in mine if bucket(row["subject"]) == number)


def _history(expected: dict[str, Row], found: list[Row]) -> Iterator[str]:
    seen: set[str] = set()
    for row in found:
        event = row["event_id"]
        told = f"history: event {event} ({row['record_key']})"
        if event in seen:
            yield f"{told} is there twice"
        elif event not in expected:
            yield f"{told} is there, and not in the log before the watermark"
        else:
            wanted = expected[event]
            other = [name for name in row if row[name] != wanted[name]]
            yield from (f"{told} has another {name} than the log" for name in other)
        seen.add(event)
    for event in expected.keys() - seen:
        yield f"history: event {event} ({expected[event]['record_key']}) is missing"


def _bucket(
    family: str, number: int, events: dict[str, Row], found: list[Row], day: int | None
) -> Iterator[str]:
    said = {event: row for event, row in events.items() if row["facet"] != "statement"}
    if day is None:
        if said or found:
            yield f"dataset: bucket {number} names no day, and has {len(said)} events"
        return
    expected = _expected(family, said, dt.date(1970, 1, 1) + dt.timedelta(days=day))
    seen = set()
    for row in found:
        key = (row["subject"], row["record_key"])
        told = "dataset: row {} {}".format(*key)
        wanted = expected.get(key)
        if key in seen:
            yield f"{told} is there twice"
        elif wanted is None:
            yield f"{told} is there, and nothing of it was accepted"
        else:
            if row["usable"] == "yes" and wanted["usable"] == "no":
                yield f"{told} may not be used ({wanted['unusable_reason']}), and says it may"
            other = [name for name in wanted if frozen(row[name]) != wanted[name]]
            yield from (f"{told} has another {name} than the fold" for name in other)
        seen.add(key)
    for key in expected.keys() - seen:
        yield "dataset: row {} {} is missing".format(*key)


def _expected(family: str, events: dict[str, Row], day: dt.date) -> dict[tuple[str, str], Row]:
    """Return, by record, the whole row of a dataset that its versions give for a day."""
    folded = fold((version(row) for row in events.values()), family, day)
    rows = {}
    for key, told in folded.items():
        row: Row = dict.fromkeys(contract.names(family, "datasets"))
        if told["usable"] == "yes":
            decision = events[told["event_id"]]
            row |= {name: decision[name] for name in _ENVELOPE}
            row |= {"decision_event_id": told["event_id"]}
        row |= {name: value for name, value in told.items() if name in row}
        row |= {"as_of": day, "bucket": bucket(key[0])}
        row |= dict(zip(("subject", "record_key"), key, strict=True))
        kept = row if told["usable"] == "yes" else {name: row[name] for name in _KEPT}
        rows[key] = dict.fromkeys(row) | kept
    return rows
