"""A department that publishes file after file at a rate: `python -m tests.soak.publish JOB`.

It writes down what it is about to publish before it does, and what it was told afterwards, so that
it goes on where it was killed: with the same file, stated to be of the same time.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from connectors.clients import kept
from connectors.errors import MiantiError
from flows.publish import Publisher
from tests.oracle.layout import write_rows
from tests.soak import rows
from tests.support.exchange import Department, Exchange, write_csv

#: The most rows of a file: one that is behind catches up in files like this.
_MOST: Final = 10_000
_MOST_SECONDS: Final = 5.0
#: One file in so many is sent twice.
_TWICE: Final = 7
_PAUSE: Final = 0.5
#: Events of a row, about: a decision, and now and then a state.
_EACH_ROW: Final = 1.24


@dataclass(frozen=True)
class Job:
    """Who publishes what and how fast: from when a file is there until another one is."""

    id: str
    code: str
    name: str
    kind: str
    rate: float
    each: float
    seed: int
    folder: str
    begin: str
    stop: str

    @property
    def journal(self) -> Path:
        """Return where it is written down what was published."""
        return Path(self.folder) / "journal.jsonl"

    @property
    def topic(self) -> str:
        """Return the topic."""
        return f"mianti.{'credit' if self.kind == 'fines' else 'licence'}.{self.id}"


@dataclass(frozen=True)
class Told:
    """One file: its name, its edition, the records there are behind it; what came of it, if known."""

    file: str
    edition: str
    known: int
    rows: int
    outcome: dict[str, int] | None = None


def told(journal: Path) -> list[Told]:
    """Return the files written down, in their order; the last line may be cut short."""
    found: dict[str, Told] = {}
    for line in journal.read_text("utf-8").splitlines() if journal.exists() else []:
        try:
            one = Told(**json.loads(line))
        except ValueError:
            continue
        found[one.file] = one
    return [*found.values()]


def main(path: str) -> None:
    """Publish until told to stop; the file in hand is finished."""
    job = Job(**json.loads(Path(path).read_text("utf-8")))
    publisher = Publisher(job.id)
    Path(f"{path}.at-work").write_text(str(os.getpid()))
    done = told(job.journal)
    sent = sum(_events(one) for one in done)
    with kept(), job.journal.open("a", encoding="utf-8") as journal:
        journal.write("\n")  # behind a line that was cut short
        if done and done[-1].outcome is None:
            _publish(publisher, job, done[-1], journal)
        known = done[-1].known if done else 0
        number, began = len(done), _began(Path(job.begin))
        while not Path(job.stop).exists():
            due = job.rate * (time.time() - began) - sent
            if due < job.rate * job.each:
                time.sleep(min(_PAUSE, job.each))
                continue
            one = _made(
                job, number, known, int(min(_MOST, job.rate * _MOST_SECONDS, due / _EACH_ROW))
            )
            _note(journal, one)
            sent += _publish(publisher, job, one, journal)
            known, number = one.known, number + 1


def _began(path: Path) -> float:
    """Wait until it begins; return when that was (seconds since 1970)."""
    while not path.exists():
        time.sleep(_PAUSE / 10)
    return path.stat().st_mtime


def _events(one: Told) -> int:
    """Return about how many events a file was; of one whose sender was killed nobody was told."""
    return one.outcome["events"] if one.outcome else int(one.rows * _EACH_ROW)


def _made(job: Job, number: int, known: int, count: int) -> Told:
    """Write the file of a number."""
    chance = random.Random(f"{job.seed} {job.kind} {job.name} {number}")
    department = Department(Exchange(Path(job.folder), "", ""), job.id, job.code, job.name, {})
    path = Path(job.folder) / f"file-{number}.csv"
    count = max(1, count)
    if job.kind == "law":
        made = rows.law(department, chance, known, count)
        path.write_text(write_rows(made), "utf-8")
        known = rows.law_records(known, count)
    else:
        made = _KINDS[job.kind](department, chance, count)
        write_csv(path, made)
    return Told(path.name, dt.datetime.now(dt.UTC).isoformat(), known, len(made))


_KINDS: Final = {"food": rows.food, "fines": rows.fines}


_COUNTS: Final = ("read", "published", "unchanged", "refused", "events")


def _note(journal: Any, one: Told) -> None:
    journal.write(json.dumps(vars(one)) + "\n")
    journal.flush()


def _publish(publisher: Publisher, job: Job, one: Told, journal: Any) -> int:
    """Publish a file until it is published; return how many events were sent.

    One in some is sent once more, and changes nothing.
    """
    edition = dt.datetime.fromisoformat(one.edition)
    through = None if job.kind == "law" else edition
    number = int(one.file.removeprefix("file-").removesuffix(".csv"))
    path = Path(job.folder) / one.file
    outcome = _patiently(publisher, path, edition, through)
    one = Told(**(vars(one) | {"outcome": {name: outcome[name] for name in _COUNTS}}))
    _note(journal, one)
    if number % _TWICE == 0:
        again = _patiently(publisher, path, edition, through)
        assert again["events"] == 0, again
    return _events(one)


def _patiently(
    publisher: Publisher, path: Path, edition: dt.datetime, through: dt.datetime | None
) -> dict[str, Any]:
    for _ in _tries():
        try:
            return vars(publisher.publish_file(path, edition=edition, complete_through=through))
        except MiantiError as error:
            print(time.time(), error, flush=True)
    raise AssertionError


def _tries() -> Iterator[None]:
    while True:
        yield
        time.sleep(_PAUSE)


if __name__ == "__main__":
    main(sys.argv[1])
