"""The log against Kafka: each committed message is in it once, as what it must be, and no other.

The account (`shared design`, 10): offsets advanced = accepted + quarantined and not redriven +
skipped + gaps. What closes a quarantined message is `docs/decisions/0013-quarantine.md`.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from tests.oracle.delta import Row, State, Table
from tests.oracle.identity import bucket
from tests.oracle.kafka_reader import Kafka, Message, Place
from tests.oracle.report import Report
from tests.oracle.verdict import Tables, judge

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_KEPT = ("topic", "partition", "offset", "landed_at", "verdict", "reason", "reason_where")
_OF_QUARANTINE = ("raw", "raw_digest", "about")


@dataclass
class Log:
    """One family's log: its table, and its accepted rows."""

    family: str
    table: Table
    accepted: list[Row]

    def refused(self) -> set[Place]:
        """Return where the messages are that were quarantined and not accepted since."""
        rows = self.table.rows()
        held = {place_of(row) for row in rows if row["verdict"] == "quarantined"}
        return held - {place_of(row) for row in self.accepted}


def examine_log(family: str, table: Table, kafka: Kafka, tables: Tables, report: Report) -> Log:
    """Compare a log with Kafka; note what is wrong."""
    known = {topic for topic, _ in kafka.bounds}
    mine = [row for row in table.rows() if row["topic"] in known]
    report.foreign += len(table.rows()) - len(mine)
    rows: dict[tuple[Place, str], list[Row]] = {}
    for row in mine:
        rows.setdefault((place_of(row), _kind(row)), []).append(row)
    for (place, verdict), held in rows.items():
        if len(held) > 1:
            report.fault(f"log: {at(place)} is there {len(held)} times as {verdict}")
    once = {name: held[0] for name, held in rows.items()}
    report.fault(*_messages(family, table.newest, kafka, tables, once, report))
    report.fault(*_closed(table.newest, once, report))
    report.fault(*_offsets(family, table.newest, kafka, once, report))
    report.fault(*_times(table))
    accepted = [row for row in mine if row["verdict"] == "accepted"]
    report.accepted += len(accepted)
    report.quarantined += sum(row["verdict"] == "quarantined" for row in mine)
    report.duplicates += len(accepted) - len({row["event_id"] for row in accepted})
    return Log(family, table, accepted)


def _kind(row: Row) -> str:
    """Return what a row says of its message: a verdict, or as what it was closed."""
    if row["verdict"] == "closed":
        return str(row["reason"])
    return row["verdict"] if row["verdict"] in ("accepted", "quarantined") else "no verdict"


def place_of(row: Row) -> Place:
    """Return where the message of a row is."""
    return row["topic"], row["partition"], row["offset"]


def at(place: Place) -> str:
    """Return a place in words."""
    return f"{place[0]}/{place[1]} offset {place[2]}"


def _messages(
    family: str,
    state: State,
    kafka: Kafka,
    tables: Tables,
    rows: dict[tuple[Place, str], Row],
    report: Report,
) -> Iterator[str]:
    there = {one.place: one for one in kafka.of(family)}
    report.messages += len(there)
    for place, verdict in rows:
        if verdict not in ("accepted", "quarantined", "redriven", "discarded"):
            yield f"log: {at(place)} is {verdict}, which nothing can be"
        if place not in there and place[2] >= kafka.bounds.get(place[:2], (0, 0))[0]:
            yield f"log: {at(place)} is {verdict}, but Kafka has no such message"
    for place, message in there.items():
        both = ((place, "accepted"), (place, "quarantined"))
        held = [rows[one] for one in both if one in rows]
        landed = place[2] < state.ids.get("offset:{}:{}".format(*place), 0)
        if landed and not held:
            yield f"log: {at(place)} is missing"
        if held and not landed:
            yield f"log: {at(place)} is there, beyond the offset the log has come to"
        if len(held) == 2 and (place, "redriven") not in rows:
            yield f"log: {at(place)} is accepted and quarantined, and was not redriven"
        for row in held:
            yield from _judged(message, row, tables, report)


def _judged(message: Message, row: Row, tables: Tables, report: Report) -> Iterator[str]:
    verdict = judge(message, tables.at(row["landed_at"]), row["landed_at"])
    here = at(message.place)
    if verdict is None:
        report.unjudged += 1
        return
    if verdict.accepted != (row["verdict"] == "accepted"):
        must = "accepted" if verdict.accepted else f"quarantined ({sorted(verdict.reasons)})"
        yield f"log: {here} is {row['verdict']} ({row['reason']}), but must be {must}"
        return
    if verdict.accepted:
        wanted = (verdict.event or {}) | {"schema_id": verdict.schema_id}
        wanted["bucket"] = bucket(wanted["subject"])
        ignored: tuple[str, ...] = _KEPT[:5]
    else:
        why = ":".join(one for one in (row["reason"], row["reason_where"]) if one)
        if why not in verdict.reasons:
            yield f"log: {here} is quarantined for {why}, not for one of {sorted(verdict.reasons)}"
        number = verdict.schema_id
        wanted = {name: getattr(verdict, name) for name in _OF_QUARANTINE} | {"schema_id": number}
        ignored = _KEPT
    yield from _different(here, row, wanted, ignored)


def _different(
    here: str, row: Row, wanted: dict[str, Any], ignored: tuple[str, ...]
) -> Iterator[str]:
    for name, value in row.items():
        if name not in ignored and value != wanted.get(name):
            yield f"log: {here} has another {name} than it must have"


def _closed(state: State, rows: dict[tuple[Place, str], Row], report: Report) -> Iterator[str]:
    """What was given up may be taken back later, and is then redriven."""
    commits = set()
    for (place, kind), row in rows.items():
        if kind not in ("redriven", "discarded"):
            continue
        commits.add(row["landed_at"])
        before = rows.get((place, "quarantined"))
        accepted = rows.get((place, "accepted"))
        if before is None or before["landed_at"] >= row["landed_at"]:
            yield f"log: {at(place)} was closed, but was not quarantined before"
        if kind == "redriven":
            report.redriven += 1
            if accepted is None or accepted["landed_at"] != row["landed_at"]:
                yield f"log: {at(place)} was redriven, but not accepted in the same commit"
        else:
            report.discarded += 1
            later = accepted is None or accepted["landed_at"] > row["landed_at"]
            if not later or not row["closed_by"] or not row["closed_why"]:
                yield f"log: {at(place)} was discarded without a name or reason, or once accepted"
        said = ("closed_by", "closed_why") if kind == "discarded" else ()
        yield from _different(at(place), row, {}, (*_KEPT, *said))
    if state.ids.get("closings", 0) != len(commits):
        yield f"log: counts {state.ids.get('closings', 0)} closings, and holds {len(commits)}"


def _offsets(
    family: str,
    state: State,
    kafka: Kafka,
    rows: dict[tuple[Place, str], Row],
    report: Report,
) -> Iterator[str]:
    held = Counter(place[:2] for place in {place for place, _ in rows})
    for part, (first, end) in kafka.bounds.items():
        if part[0].split(".")[1] != family:
            continue
        name = "{}:{}".format(*part)
        stands, skipped, gap = (
            state.ids.get(f"{k}:{name}", 0) for k in ("offset", "skipped", "gap")
        )
        there = [one.offset for one in kafka.messages if one.place[:2] == part]
        markers = stands - max(first, gap) - sum(offset < stands for offset in there)
        report.skipped += skipped
        if stands > end:
            yield f"account: {name} stands at {stands}, beyond Kafka's end {end}"
        if stands != held[part] + skipped + gap:
            told = f"{held[part]} messages, {skipped} skipped, {gap} gone"
            yield f"account: {name} does not balance: {stands} offsets advanced, {told}"
        if gap >= first and skipped != markers:
            yield f"account: {name} has skipped {skipped}, and Kafka {markers} without a message"
    kinds = ("offset", "skipped", "gap")
    for name in state.ids:
        kind, _, rest = name.partition(":")
        topic, _, number = rest.rpartition(":")
        known = {of for of, _ in kafka.bounds}
        if kind in kinds and topic in known and (topic, int(number)) not in kafka.bounds:
            yield f"account: {name} is of a partition that Kafka does not have"


def _times(table: Table) -> Iterator[str]:
    """Each commit lands its rows at one time of its own, later than the one before it."""
    last = 0
    for version in range(table.newest.version + 1):
        actions = table.commit(version)
        found = [one["txn"] for one in actions if "txn" in one]
        landed = next((one["version"] for one in found if one["appId"] == "landed_at"), None)
        if landed is None:  # compacted, grown, a gap noted: nothing was landed
            continue
        if landed <= last:
            yield f"log: commit {version} was landed no later than the one before it"
        last = landed
        # By the commit itself: what a checkpoint sums up looks as if it were all of one version.
        names = {unquote(one["add"]["path"]) for one in actions if "add" in one}
        added = [file for path, file in table.newest.files.items() if path in names]
        for row in (row for file in added for row in table.of(file)):
            if micros(row["landed_at"]) != landed:
                yield f"log: {at(place_of(row))} has another time of landing than its commit"


def micros(time: dt.datetime) -> int:
    """Return a time as microseconds since 1970."""
    return (time - _EPOCH) // dt.timedelta(microseconds=1)
