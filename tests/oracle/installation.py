"""A whole installation examined: Kafka, logs, history, datasets, replica, ledgers and receipts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tests.oracle.delta import Row, Table
from tests.oracle.files import Sent, TakenBack, examine_files
from tests.oracle.heartbeat import examine_heartbeat
from tests.oracle.kafka_reader import Kafka
from tests.oracle.ledger import examine_ledger
from tests.oracle.log_account import examine_log
from tests.oracle.receipts import Places, examine_receipts
from tests.oracle.replica import examine_replica
from tests.oracle.report import Report
from tests.oracle.resting import examine_answers
from tests.oracle.settled import examine_settled
from tests.oracle.verdict import Tables


@dataclass(frozen=True)
class Installation:
    """Where everything is, the publishers' tables that landings were given, and, by topic, what
    publishers of the small layout did (their files are in `home`)."""

    home: Path
    lake: Path
    families: tuple[str, ...]
    tables: Tables
    deeds: dict[str, list[Sent | TakenBack]] = field(default_factory=dict)
    window: str = "window-1"


def examine(there: Installation, kafka: Kafka, answers: list[Row]) -> Report:
    """Return what is wrong with an installation, and how much was looked at.

    `kafka`: what its topics hold; `answers`: every answer its window's clients were given.
    """
    report = Report()
    for topic, deeds in there.deeds.items():
        examine_files(topic, deeds, there.home, kafka, report)
    logs = []
    for family in there.families:
        table = Table(there.lake / "log" / family)
        log = examine_log(family, table, kafka, there.tables, report)
        examine_heartbeat(there.lake, family, table, kafka, report)
        history, dataset = (Table(there.lake / kind / family) for kind in ("history", "datasets"))
        examine_settled(log, history, dataset, report)
        logs.append(log)
    examine_replica(there.home / "window" / "replica", logs, report)
    refused = {place for log in logs for place in log.refused()}
    for topic in sorted({topic for topic, _ in kafka.bounds}):
        _, family, publisher = topic.split(".", 2)
        path = there.home / "ledger" / f"{publisher}.{family}.sqlite"
        examine_ledger(path, kafka, refused, report)
    shipped = Table(there.lake / "window" / "receipts")
    places = Places(there.window, there.home / "window", shipped, there.lake / "evidence")
    examine_answers(examine_receipts(places, answers, report), logs, report)
    return report
