"""What an answer rests on: the enterprise's own records as known then, and whole data of a publisher.

Not the whole decision, which needs the rule book: but no receipt may name an event that was not
known or no longer held, nor exempt by a licence that was not in force, by data that nobody had
stated complete, or while a message waited that might be about the enterprise.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from tests.oracle.delta import Row
from tests.oracle.log_account import Log, place_of
from tests.oracle.report import Report
from tests.oracle.spelling import spelt
from tests.oracle.state import State
from tests.oracle.state import state as fold
from tests.oracle.versions import first_landed, version

#: What stands where a name should, and is none.
_NO_NAMES = {"", "无", "/", "-", "NULL", "0"}


def examine_answers(bodies: Iterable[Row], logs: list[Log], report: Report) -> None:
    """Compare what answers rest on with the logs; note what is wrong."""
    for body in bodies:
        if body.get("kind") == "answer":
            here = f"receipt {body['window']}-{body['sequence']}"
            known = {log.family: _known(log, body) for log in logs}
            folded = {family: _folded(family, rows, body) for family, rows in known.items()}
            report.fault(*_records(here, body, known, folded, report))
            report.fault(*_exemptions(here, body, known, folded))


def _known(log: Log, body: Row) -> list[Row]:
    """Return the rows of a log, whatever their verdict, that were landed by what it knew."""
    said = body["known"].get(log.family)
    if said is None:
        return []
    known_at = dt.datetime.fromisoformat(said)
    return [row for row in log.table.rows() if row["landed_at"] <= known_at]


def _folded(family: str, rows: list[Row], body: Row) -> State:
    mine = (row for row in rows if row["subject"] == body["subject"] and _is_event(row))
    told = (version(row) for row in first_landed(mine).values())
    return fold(told, family, dt.date.fromisoformat(body["on"]))


def _is_event(row: Row) -> bool:
    return row["verdict"] == "accepted" and row["facet"] not in (None, "statement")


def _records(
    here: str,
    body: Row,
    known: dict[str, list[Row]],
    folded: dict[str, State],
    report: Report,
) -> Iterator[str]:
    holding = {one for state in folded.values() for row in state.values() for one in row["holding"]}
    there = {row["event_id"]: row for rows in known.values() for row in rows if _is_event(row)}
    for event in sorted({event for part in _parts(body) for event in part["records"]}):
        report.records_named += 1
        if event not in there:
            yield f"{here} rests on {event}, which nobody knew by then"
        elif there[event]["subject"] != body["subject"]:
            yield f"{here} rests on {event}, which is of another enterprise"
        elif event not in holding:
            yield f"{here} rests on {event}, which held no longer, or not yet"


def _parts(body: Row) -> list[Row]:
    return [part for one in body["answers"] for part in (*one["papers"], *one["form"])]


def _exemptions(
    here: str, body: Row, known: dict[str, list[Row]], folded: dict[str, State]
) -> Iterator[str]:
    for paper in (paper for one in body["answers"] for paper in one["papers"]):
        told = f"{here} exempts from {paper['material']}"
        if not paper["outcome"].startswith("exempt"):
            continue
        rows = [row for state in folded.values() for row in state.values()]
        good = {id_ for row in rows if _in_force(row) for id_ in row["holding"]}
        if paper["outcome"] == "exempt_by_licence" and not good & {*paper["records"]}:
            yield f"{told} by a licence that was not in force"
        stated = [family for family, rows in known.items() if _stated(rows, paper)]
        if not stated:
            yield f"{told} by data that {paper['source']} had not stated complete"
        elif all(_held(known, family, paper["source"], body["subject"]) for family in stated):
            yield f"{told} while rows or messages wait that may be about the enterprise"


def _in_force(row: Row) -> bool:
    return row["usable"] == "yes" and row["state"] in ("in_force", "in_business")


def _newest(rows: list[Row]) -> dict[tuple[str, str], dict[int, Row]]:
    """Return, by publisher and layout, what the newest statement of each partition says.

    A statement of a file that says nothing of completeness leaves standing what was said before.
    """
    layouts: dict[tuple[str, str], dict[int, Row]] = {}
    every = [row for row in rows if row["verdict"] == "accepted" and row["facet"] == "statement"]
    gone = {(r["record_key"], r["overrules"]["sequence"]) for r in every if r.get("overrules")}
    said = [row for row in every if (row["record_key"], row["sequence"]) not in gone]
    for row in sorted(said, key=lambda row: (row["sequence"], row["event_id"])):
        parts, told = layouts.setdefault((row["publisher"], row["layout"]), {}), row["statement"]
        new = {name: value for name, value in told.items() if value is not None}
        parts[told["partition"]] = parts.get(told["partition"], {}) | new
    return layouts


def _stated(rows: list[Row], paper: Row) -> bool:
    """Return whether the statements of all partitions of a layout of the source say `through`."""
    for (publisher, _), parts in _newest(rows).items():
        times: list[Any] = [one.get("complete_through") for one in parts.values()]
        whole = len(parts) == max(one["partitions"] for one in parts.values())
        same = all(times) and min(times).isoformat() == paper["through"]
        if publisher == paper["source"] and whole and same:
            return True
    return False


def _held(known: dict[str, list[Row]], family: str, source: str, subject: str) -> bool:
    """Return whether what waits may end a record of a family on which an answer rests.

    Any row or message of the source may, in whatever layout it came; and of whatever publisher a
    penalty may, where the record is no credit record itself.
    """
    names = _names(known, subject)
    if any(who == source for who in _holding(known[family], subject, names)):
        return True
    return family != "credit" and any(_holding(known.get("credit", []), subject, names))


def _names(known: dict[str, list[Row]], subject: str) -> set[str]:
    """Return the names that decisions give an enterprise, as statements write them."""
    found = set()
    for family, rows in known.items():
        column = "name" if family == "registration" else "subject_name"
        for row in rows:
            if _is_event(row) and row["subject"] == subject and row["facet"] == "decision":
                found.add(spelt(row["decision"][column] or ""))
    return {"name:" + hashlib.sha256(name.encode()).hexdigest()[:16] for name in found - _NO_NAMES}


def _holding(rows: list[Row], subject: str, names: set[str]) -> Iterator[str]:
    """Yield the publishers of whom rows were refused, or messages wait, that may be of a subject.

    A row names an enterprise by its code, the organisation code within it, or else by its name:
    one whose name nobody knows may be meant by any name.
    """
    own = {subject, subject[8:17]} | names
    for (publisher, _), parts in _newest(rows).items():
        held = {one for part in parts.values() for one in part["excepted"]}
        any_name = not names and any(one.startswith("name:") for one in held)
        if held & own or any_name or any(part["unnamed"] for part in parts.values()):
            yield publisher
    closed = {place_of(row) for row in rows if row["verdict"] == "closed"}
    for row in rows:
        waits = row["verdict"] == "quarantined" and place_of(row) not in closed
        if waits and row["about"] in (None, subject):
            yield row["topic"].rsplit(".", 1)[1]
