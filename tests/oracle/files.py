"""What publishers sent, from their files on: each row of a file is in Kafka as what it must be.

For the small layout of `tests/oracle/layout.py`, whose rules of publishing `publishing.py` holds;
other layouts are not modelled, and their files are not given here.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.oracle.kafka_reader import Kafka
from tests.oracle.publishing import Publisher, Unclear, Version
from tests.oracle.report import Report
from tests.oracle.verdict import judge


@dataclass(frozen=True)
class Sent:
    """A file that was published, at a time (UTC), with the edition it states; in their order."""

    path: Path
    edition: dt.datetime | None
    at: dt.datetime


@dataclass(frozen=True)
class TakenBack:
    """A record that was withdrawn by hand; `undo`: or whose withdrawal was lifted."""

    record_key: str
    undo: bool = False


def examine_files(
    topic: str, deeds: list[Sent | TakenBack], folder: Path, kafka: Kafka, report: Report
) -> None:
    """Compare what a publisher did with what its topic holds; note what is wrong."""
    model = Publisher()
    for deed in deeds:
        if isinstance(deed, TakenBack):
            model.withdraw(deed.record_key, undo=deed.undo)
        else:
            text = (folder / deed.path).read_text("utf-8")
            with suppress(Unclear):  # refused whole
                account = model.send(text, deed.edition, deed.at)
                report.file_rows += account.read
                report.refused_rows += len(account.refused)
    wanted = Counter(map(_said, model.topic))
    names = {said[:3]: dict(said[-1]).keys() for said in wanted}
    found: Counter[Any] = Counter()
    for message in kafka.messages:
        verdict = judge(message, {}) if message.topic == topic else None
        event = verdict.event if verdict else None
        if event is not None and event["facet"] != "statement":
            found[_told(event, names)] += 1
    report.fault(*_compared(topic, wanted, found))


def _compared(topic: str, wanted: Counter[Any], found: Counter[Any]) -> Iterator[str]:
    for said in wanted - found:
        yield "files of {}: {} {} {} must be in Kafka, and is not".format(topic, *said[:3])
    for said in found - wanted:
        yield "files of {}: {} {} {} is in Kafka, and in no file".format(topic, *said[:3])


def _said(version: Version) -> tuple[Any, ...]:
    said = version.content
    dates = (said.effective_from, said.effective_to, said.void_ab_initio)
    key = (version.record_key, version.facet, version.sequence)
    return *key, said.subject, *dates, said.fields


def _told(event: dict[str, Any], names: dict[tuple[Any, ...], Any]) -> tuple[Any, ...]:
    """Return the same of an event; of its content, the fields that the layout fills."""
    key = (event["record_key"], event["facet"], event["sequence"])
    content = event[event["facet"]]
    fields = tuple((name, content[name]) for name in names.get(key, content))
    dates = (event["effective_from"], event["effective_to"], event["void_ab_initio"] == "yes")
    return *key, event["subject"], *dates, str(fields) if key not in names else fields
