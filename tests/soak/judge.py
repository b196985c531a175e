"""What a soak has left, judged: in columns always, row by row by the oracle where there is little.

The receipts are the oracle's in both: there are fewer of them.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl

from tests.faults.processes import ROOT
from tests.oracle import kafka_reader
from tests.oracle.delta import Table
from tests.oracle.files import Sent
from tests.oracle.installation import Installation, examine
from tests.oracle.receipts import Places, examine_receipts
from tests.oracle.report import Report
from tests.oracle.verdict import Tables
from tests.soak import count
from tests.soak.publish import Job, told
from tests.soak.run import Ran
from tests.soak.town import MIANTI, Town

FAMILIES: Final = ("licence", "credit")
_EVERY: Final = ("registration", *FAMILIES)
_WINDOW: Final = "window-1"
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
#: Messages that the oracle is given row by row, in a minute or two; beyond, columns alone.
ROW_BY_ROW: Final = 60_000
#: Whose names `mianti receipt verify` is given.
_PROVED: Final = 3
_UNHEARD: Final = re.compile(r"receipt \S+ is of an answer that nobody was given")


@dataclass
class Judged:
    """All that is wrong, and how much was looked at; `report` is the oracle's, where it was asked."""

    faults: list[str] = field(default_factory=list)
    counts: dict[str, count.Count] = field(default_factory=dict)
    receipts: int = 0
    shipped: int = 0
    answers: int = 0
    unheard: int = 0
    proved: int = 0
    report: Report | None = None


def judge(town: Town, ran: Ran) -> Judged:
    """Judge everything."""
    found = Judged()
    lake = str(town.exchange.lake)
    for family in FAMILIES:
        jobs = [job for job in town.jobs if job.topic.split(".")[1] == family]
        sent = pl.concat(map(count.sent, jobs))
        # A file that failed while Kafka was away holds everyone in its publisher's other families, too.
        topics = [f"mianti.{family}.{job.id}" for job in town.jobs]
        tables = count.read(town.broker.address, lake, family, topics, sent)
        found.counts[family] = count.count(tables)
        found.faults += [f"{family}: {fault}" for fault in found.counts[family].faults]
    answers = questions(town)
    heard = [one["answer"] for one in answers if "answer" in one]
    lost = sum(1 for one in answers if broke_off(one))
    messages = sum(one.messages for one in found.counts.values())
    report = Report()
    if messages <= ROW_BY_ROW:
        found.report = report = _row_by_row(town, heard)
    else:
        examine_receipts(_places(town), heard, report)
    found.receipts, found.shipped, found.answers = report.receipts, report.shipped, report.answers
    _receipts(report, lost, found)
    _commands(town, found)
    found.faults += [ran.wedged] if ran.wedged else []
    found.faults += [f"{name} did not end well" for name in badly_ended(ran)]
    return found


def questions(town: Town) -> list[dict[str, Any]]:
    """Return what came of every question."""
    return [json.loads(line) for line in town.answers.read_text("utf-8").splitlines()]


def broke_off(question: dict[str, Any]) -> bool:
    """Return whether a question was taken and its answer never came: it may have a receipt."""
    error = question.get("error")
    return error is not None and error != "ConnectionRefusedError" and not error.isdigit()


def badly_ended(ran: Ran) -> list[str]:
    """Return the parts that did not end by themselves when they were told to."""
    return [one for one in ("follow", "replica", "asker") if ran.stopped.get(one) != 0]


def _receipts(report: Report, lost: int, found: Judged) -> None:
    """Only a question that came to no answer may have a receipt that nobody was given."""
    kinds = Counter(bool(_UNHEARD.fullmatch(fault)) for fault in report.faults)
    found.unheard = kinds[True]
    found.faults += [fault for fault in report.faults if not _UNHEARD.fullmatch(fault)]
    if found.unheard > lost:
        found.faults.append(f"{found.unheard} answers went to nobody, {lost} questions were lost")
    if report.shipped != report.receipts:
        found.faults.append(f"{report.receipts} receipts, and {report.shipped} shipped")


def _row_by_row(town: Town, heard: list[dict[str, Any]]) -> Report:
    exchange = town.exchange
    deeds = {job.topic: _deeds(job, exchange.home) for job in town.jobs if job.kind == "law"}
    table = exchange.settings.mianti_publishers
    assert table is not None
    there = Installation(
        exchange.home, Path(exchange.lake), _EVERY, Tables([(_EPOCH, table)]), deeds
    )
    return examine(there, kafka_reader.read(exchange.address, town.topics), heard)


def _deeds(job: Job, home: Path) -> list[Any]:
    folder = Path(job.folder).relative_to(home)
    return [
        Sent(folder / one.file, edition := dt.datetime.fromisoformat(one.edition), edition)
        for one in told(job.journal)
    ]


def _places(town: Town) -> Places:
    lake = Path(town.exchange.lake)
    shipped = Table(lake / "window" / "receipts")
    return Places(_WINDOW, town.exchange.home / "window", shipped, lake / "evidence")


def _commands(town: Town, found: Judged) -> None:
    """What an operator has: `mianti verify`, and `mianti receipt verify`, the newest one first."""
    verified = _mianti(town, "verify", "--json")
    if verified.returncode != 0:
        found.faults.append(f"mianti verify: {verified.stdout[:2000]}{verified.stderr[:2000]}")
    for number in _some(found.receipts):
        id_ = f"{_WINDOW}-{number}"
        proof = _mianti(town, "receipt", "verify", id_, "--json")
        found.proved += proof.returncode == 0
        if proof.returncode != 0:
            found.faults.append(f"mianti receipt verify {id_}: {proof.stdout}{proof.stderr}")


def _mianti(town: Town, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, which takes minutes where millions of events are recounted."""
    return subprocess.run(
        [sys.executable, *MIANTI, *arguments],
        env={**os.environ, **town.environment, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def _some(last: int) -> Sequence[int]:
    """Return numbers of receipts from the last to the second; the first one names the key."""
    return sorted({max(2, last * n // _PROVED) for n in range(1, _PROVED + 1)} if last > 1 else ())
