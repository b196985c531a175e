"""The heartbeat of landing against Kafka: what came before the time it names is in the log.

By `docs/decisions/0018-heartbeat.md`: `through` holds at the log's commit that it names by version and
SHA-256; beside any other log it says nothing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from pathlib import Path

from tests.oracle.delta import Table
from tests.oracle.kafka_reader import Kafka
from tests.oracle.report import Report

#: A broker stamps a message before it shows it.
_STAMPED_BEFORE = dt.timedelta(seconds=1)


def examine_heartbeat(lake: Path, family: str, table: Table, kafka: Kafka, report: Report) -> None:
    """Note each message that is not in the log though the heartbeat says so."""
    path = lake / "heartbeat" / f"{family}.json"
    if not path.exists():
        return
    told = json.loads(path.read_bytes())
    version = told["commit"]["version"]
    commit = table.place / "_delta_log" / f"{version:020}.json"
    if not commit.exists():
        return
    if hashlib.sha256(commit.read_bytes()).hexdigest() != told["commit"]["digest"]:
        return
    through = dt.datetime.fromisoformat(told["through"])
    ids = table.at(version).ids
    for one in kafka.of(family):
        early = one.appended_at is not None and one.appended_at < through - _STAMPED_BEFORE
        if early and one.offset >= ids.get(f"offset:{one.topic}:{one.partition}", 0):
            report.fault(
                f"heartbeat of {family}: {one.topic}/{one.partition} offset {one.offset} came before "
                f"{told['through']} and is not in the log"
            )
