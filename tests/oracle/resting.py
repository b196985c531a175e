"""What an answer rests on: the enterprise's own records as known then, and whole data of a publisher.

Not the whole decision, which needs the rule book: but no receipt may name an event that was not
known or no longer held, nor exempt by a licence that was not in force, by data that nobody had
stated complete, or while a message waited that might be about the enterprise.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

from tests.oracle.delta import Row
from tests.oracle.log_account import Log, place_of
from tests.oracle.report import Report
from tests.oracle.state import State
from tests.oracle.state import state as fold
from tests.oracle.versions import first_landed, version


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
        stated = [rows for rows in known.values() if _stated(rows, paper, body["subject"])]
        if not stated:
            yield f"{told} by data that {paper['source']} had not stated complete"
        elif all(_waits(rows, paper["source"], body["subject"]) for rows in stated):
            yield f"{told} while a message of {paper['source']} waits in quarantine"


def _in_force(row: Row) -> bool:
    return row["usable"] == "yes" and row["state"] in ("in_force", "in_business")


def _stated(rows: list[Row], paper: Row, subject: str) -> bool:
    """Return whether the statements of all partitions of a layout say `through`, for an enterprise.

    A statement of a file that says nothing of completeness leaves standing what was said before;
    whom a layout leaves out is what its newest statements say.
    """
    layouts: dict[str, dict[int, Row]] = {}
    said = [row for row in rows if row["verdict"] == "accepted" and row["facet"] == "statement"]
    for row in sorted(said, key=lambda row: (row["sequence"], row["event_id"])):
        if row["publisher"] == paper["source"]:
            parts, told = layouts.setdefault(row["layout"], {}), row["statement"]
            new = {name: value for name, value in told.items() if value is not None}
            parts[told["partition"]] = parts.get(told["partition"], {}) | new
    for parts in layouts.values():
        times: list[Any] = [one.get("complete_through") for one in parts.values()]
        whole = len(parts) == max(one["partitions"] for one in parts.values())
        left_out = any(subject in one["excepted"] or one["unnamed"] for one in parts.values())
        if whole and not left_out and all(times) and min(times).isoformat() == paper["through"]:
            return True
    return False


def _waits(rows: list[Row], publisher: str, subject: str) -> bool:
    closed = {place_of(row) for row in rows if row["verdict"] == "closed"}
    waiting: Iterable[Any] = (
        row["about"]
        for row in rows
        if row["verdict"] == "quarantined"
        and row["topic"].endswith(f".{publisher}")
        and place_of(row) not in closed
    )
    return any(about in (None, subject) for about in waiting)
