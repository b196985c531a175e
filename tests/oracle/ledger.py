"""A publisher's ledger against its topic: what was sent is in Kafka, and nothing was forgotten.

Another program of the publisher may write to its topic, too: the ledger follows the topic, and
knows it up to its own position (`docs/decisions/0003-ledger.md`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.oracle.identity import content_digest
from tests.oracle.kafka_reader import Kafka, Message, Place
from tests.oracle.log_account import at, micros
from tests.oracle.report import Report
from tests.oracle.verdict import judge

_QUERY = "SELECT record_key, facet, sequence, subject, digest, edition, sent, mark FROM versions"
Event = dict[str, Any]


def examine_ledger(path: Path, kafka: Kafka, refused: set[Place], report: Report) -> None:
    """Compare the ledger `<publisher>.<family>.sqlite` with Kafka; note what is wrong.

    `refused`: the messages that the log has not accepted. What a ledger holds by such a message
    alone is counted: the publisher will call it unchanged, though nobody has taken it in.
    """
    publisher, family = path.stem.rsplit(".", 1)
    topic = f"mianti.{family}.{publisher}"
    if not path.exists():
        report.fault(f"ledger of {path.stem}: there is none, and the topic is there")
        return
    with closing(sqlite3.connect(path)) as database:
        held = {row[:3]: row[3:] for row in database.execute(_QUERY)}
        positions = dict(
            database.execute("SELECT part, next FROM positions WHERE topic = ?", (topic,))
        )
    report.ledger_rows += len(held)
    sent = [one for one in kafka.of(family) if one.topic == topic]
    report.fault(*_positions(topic, positions, kafka))
    there: dict[tuple[str, str, int], list[Event]] = {}
    taken: set[tuple[str, str, int]] = set()
    for message in sent:
        event = _event(message)
        if event is None:
            continue
        key = (event["record_key"], event["facet"], event["sequence"])
        there.setdefault(key, []).append(event)
        if message.place not in refused:
            taken.add(key)
        if message.offset >= positions.get(message.partition, 0):
            report.unread += 1
        elif key not in held:
            told = "ledger of {}: forgot {} {} {}, which Kafka has at {}"
            report.fault(told.format(path.stem, *key, at(message.place)))
    said = {key for key, told in held.items() if told[1]}
    report.held_though_refused += len(said & there.keys() - taken)
    report.repeated += sum(map(len, there.values())) - len(there)
    for key, told in held.items():
        if told[1] or key in taken:  # of what was refused its sequence alone is kept
            report.fault(*_row(path.stem, family, key, told, there.get(key, [])))


def _event(message: Message) -> Event | None:
    found = judge(message, {})
    return found.event if found else None


def _row(
    name: str, family: str, key: tuple[str, str, int], told: tuple[Any, ...], events: list[Event]
) -> Iterator[str]:
    subject, digest, edition, sent, mark = told
    here = "ledger of {}: {} {} {}".format(name, *key)
    if key[2] == 0 or not (sent or events):
        return  # never sent: a neutral state nothing was published of, or not yet
    if not events:
        yield f"{here} was sent, and Kafka does not have it"
    elif not any(digest == content_digest(family, event) for event in events):
        yield f"{here} has another content than Kafka"
    elif not any(subject == event["subject"] for event in events):
        yield f"{here} has another subject than Kafka"
    elif not any(mark == (event["withdrawal"] or {}).get("reason_code") for event in events):
        yield f"{here} has another mark than Kafka"
    elif all(event["edition"] and (edition or 0) < micros(event["edition"]) for event in events):
        yield f"{here} was last seen in an edition older than the one it was sent in"


def _positions(topic: str, positions: dict[int, int], kafka: Kafka) -> Iterator[str]:
    for part, following in positions.items():
        end = kafka.bounds.get((topic, part), (0, -1))[1]
        if following > end:
            yield f"ledger: its position in {topic}/{part} ({following}) is beyond the end {end}"
