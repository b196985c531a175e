"""The product and its model side by side: each deed is done in both, then they are compared."""

from __future__ import annotations

import csv
import datetime as dt
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import polars as pl
import pytest
import yaml
from hypothesis import currently_in_test_context, note

from connectors.schema_ids import id_to_write
from connectors.sending import producer, send_all, written
from connectors.settings import Settings
from connectors.topics import admin, ensure_topic, topic_name
from flows.land import land
from flows.publish import Publisher
from flows.publish.edition import EditionUnclear
from flows.publish.events import single
from flows.query import query
from flows.rebuild import rebuild
from flows.settle import settle
from flows.verify import verify
from tests import oracle
from tests.oracle.layout import CHINA, Content, record_key, write_rows
from tests.oracle.publishing import Publisher as Model
from tests.oracle.publishing import Unclear, Version
from tests.oracle.state import State, state
from tests.support import lake

FAMILY = "licence"
LAYOUT = "law-licence"
ISSUER = "11990100000000115Q"
DAYS = [dt.date(2020, month, 10) for month in range(1, 7)]
#: Days to settle for and to ask about, in their order: around every date of the files; today.
ASKED = [day + dt.timedelta(days=n) for day in DAYS for n in (-1, 0, 1)]
SHOWN = (
    *("usable", "unusable_reason", "state", "objection", "effective_from", "effective_to"),
    *("number", "scope", "valid_from", "valid_to"),
)
DIALECTS = Path(oracle.__file__).parent / "dialects"
COUNTED = ("versions", "first_landed_at", "last_landed_at")


@dataclass
class World:
    """A publisher with its own ledger, topic and lake, and the model of them."""

    settings: Settings
    name: str
    folder: Path
    model: Model = field(default_factory=Model)
    files: list[tuple[str, dt.date | None]] = field(default_factory=list)
    landings: list[dt.datetime] = field(default_factory=list)
    day: int = 0
    events: int = 0
    done: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.days = [*ASKED, dt.datetime.now(CHINA).date()]

    @property
    def topic(self) -> str:
        """Return the topic of this publisher."""
        return topic_name(FAMILY, self.name)

    def file(self, rows: list[dict[str, str]], edition: dt.date | None) -> None:
        """Publish rows as a file; its edition is in its name."""
        self._send(write_rows(rows), edition)

    def again(self, number: int, edition: dt.date | None) -> None:
        """Publish an earlier file again, under the edition given, else the one it had."""
        text, first = self.files[number]
        self._send(text, edition or first)

    def _send(self, text: str, edition: dt.date | None) -> None:
        name = f"f{len(self.files)}-{edition:%Y%m%d}.csv" if edition else f"f{len(self.files)}.csv"
        self.files.append((text, edition))
        path = self.folder / name
        path.write_text(text, "utf-8")
        stated = dt.datetime.combine(edition, dt.time(), CHINA) if edition else None
        publisher = Publisher(self.name, self.settings)
        try:
            account = self.model.send(text, stated, dt.datetime.now(dt.UTC))
        except Unclear:
            told(f"{name}: unclear")
            with pytest.raises(EditionUnclear):
                publisher.publish_file(path)
            self.done.add("unclear")
            return
        outcome = publisher.publish_file(path)
        self.events += outcome.events
        refused = _refused(outcome.refused_file)
        told(f"{name}: {account}; {outcome.published} published, refused {refused}")
        counts = (outcome.read, outcome.published, outcome.unchanged, outcome.refused)
        wanted = (account.read, len(account.published), len(account.unchanged))
        assert counts == (*wanted, len(account.refused))
        assert set(refused) == set(account.refused)
        for row, codes in refused.items():
            assert codes <= account.refused[row], f"row {row}"
        assert outcome.reasons == Counter(code for codes in refused.values() for code in codes)
        self.done |= set(outcome.reasons)

    def lose(self) -> None:
        """Lose the ledger."""
        for path in self.settings.mianti_ledger.glob("*"):
            path.unlink()
        self.model.lose_ledger()

    def withdraw(self, number: str) -> None:
        """Withdraw a record."""
        self._withdraw(number, undo=False)

    def undo(self, number: str) -> None:
        """Lift a record's withdrawal."""
        self._withdraw(number, undo=True)

    def _withdraw(self, number: str, *, undo: bool) -> None:
        key = record_key(ISSUER, number)
        expected = self.model.withdraw(key, undo=undo)
        if expected is None:
            return
        publisher = Publisher(self.name, self.settings)
        assert publisher.withdraw(key, "公示有误", undo=undo) == expected
        self.events += expected

    def overhear(self, number: str, facet: str, said: str, further: int) -> None:
        """Let another program of the publisher write a version with a sequence of its own."""
        key = record_key(ISSUER, number)
        mine = [v for v in self.model.topic if v.record_key == key]
        subjects = [v.content.subject for v in mine if v.facet == "decision"]
        if not subjects:
            return
        last = max((v.sequence for v in mine if v.facet == facet), default=0)
        content = Content(subjects[-1], (("state", said),))
        version = Version(key, facet, max(1, last + further), content)
        self.model.overhear(version)
        _write(self.settings, self.name, version)
        self.events += 1

    def land(self) -> None:
        """Land; the model takes over when that was."""
        landed = land(self.settings, FAMILY)
        log = lake.read(f"{self.settings.mianti_lake}/log/{FAMILY}")
        times = log.filter(pl.col("verdict") == "accepted").select("landed_at").unique()
        new = sorted(set(times["landed_at"]) - set(self.landings))
        assert len(new) == bool(landed.accepted)
        assert all(time > past for time in new for past in self.landings)
        self.landings += new
        for time in new:
            self.model.land(time)

    def settle(self, further: int) -> None:
        """Settle for the day that comes `further` behind the last one, and compare."""
        self.day = min(self.day + further, len(self.days) - 1)
        settle(self.settings, FAMILY, on=self.days[self.day])
        self.compare_dataset()

    def ingest(self, further: int) -> None:
        """Land, then settle."""
        self.land()
        self.settle(further)

    def rebuild(self) -> None:
        """Make the dataset again, which is always for today."""
        self.day = len(self.days) - 1
        rebuild(self.settings, FAMILY)
        self.compare_dataset()

    def ask(self, day: int, landing: int, later: int) -> None:
        """Ask about a day, as known `later` microseconds after one of the landings."""
        times = self.landings[-landing % len(self.landings) :] if self.landings else []
        known_at = times[0] + dt.timedelta(microseconds=later) if times else None
        self._ask(self.days[day], known_at)

    def finish(self) -> None:
        """Land and settle what is left, then compare everything."""
        self.land()
        self.settle(len(self.days))
        self._ask(self.days[len(self.days) // 2], None)
        assert verify(self.settings, FAMILY).differences == []

    def _ask(self, day: dt.date, known_at: dt.datetime | None) -> None:
        expected = state(self.model.topic, FAMILY, day, known_at)
        rows = query(self.settings, FAMILY, on=day, known_at=known_at)
        assert set(rows["as_of"]) <= {day}
        self._compare(rows, expected)
        for row in rows.iter_rows(named=True):
            last = row["usable_until"] or self.days[-1]
            for other in [d for d in self.days if day < d <= last]:
                then = state(self.model.topic, FAMILY, other, known_at)
                assert then[row["subject"], row["record_key"]] == _of(row, expected), other

    def compare_dataset(self) -> None:
        """Compare what plain Polars reads in the dataset with the model, for the day settled."""
        day = self.days[self.day]
        place = f"{self.settings.mianti_lake}/datasets/{FAMILY}"
        rows = lake.read(place) if lake.exists(place) else query(self.settings, FAMILY)
        assert all(row["as_of"] <= day for row in rows.iter_rows(named=True))
        assert all(u is None or u >= day for u in rows["usable_until"])
        self._compare(rows, state(self.model.topic, FAMILY, day))

    def _compare(self, found: pl.DataFrame, expected: State) -> None:
        assert sorted(found.select("subject", "record_key").iter_rows()) == sorted(expected)
        withdrawn = {v.record_key for v in self.model.topic if v.facet == "withdrawal"}
        for row in found.iter_rows(named=True):
            wanted = dict.fromkeys(SHOWN) | _of(row, expected)
            names = SHOWN if row["record_key"] in withdrawn else (*SHOWN, *COUNTED)
            assert {n: row[n] for n in names} == {n: wanted[n] for n in names}, row["record_key"]
            self.done |= {str(row["unusable_reason"]), str(row["state"])}


def _of(row: dict[str, Any], expected: State) -> dict[str, Any]:
    return expected[row["subject"], row["record_key"]]


def _refused(path: str | None) -> dict[int, set[str]]:
    """Return, by row number, the reason codes of a file of refused rows, one at least."""
    if path is None:
        return {}
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        return dict(_reasons(csv.DictReader(file)))


def _reasons(rows: csv.DictReader[str]) -> Iterator[tuple[int, set[str]]]:
    for row in rows:
        codes = {*row["退回原因代码 reason_code"].split("; ")}
        assert "" not in codes
        yield int(row["原行号 row"]), codes


def _write(settings: Settings, publisher: str, version: Version) -> None:
    """Send a version straight to the publisher's topic, past its ledger."""
    said = version.content
    event = single(
        FAMILY,
        {
            "publisher": publisher,
            "issuer": ISSUER,
            "subject": said.subject,
            "record_key": version.record_key,
            "facet": version.facet,
            "event_type": "status_stated" if version.facet == "standing" else "objection_stated",
            "sequence": version.sequence,
            "layout": LAYOUT,
            "layout_version": "1",
            version.facet: dict(said.fields),
        },
    )
    ensure_topic(settings, topic_name(FAMILY, publisher))
    with producer(settings) as client:
        values = written(event, FAMILY, id_to_write(settings, FAMILY))
        send_all(client, topic_name(FAMILY, publisher), FAMILY, event, None, values)


Kind = TypeVar("Kind", bound=World)


@contextmanager
def founded(kind: type[Kind], kafka: str, lake: str | None = None) -> Iterator[Kind]:
    """Give a world around a publisher nobody has heard of; its topic goes when the world ends."""
    with tempfile.TemporaryDirectory(prefix="law-") as name:
        folder, publisher = Path(name), f"law-{uuid4().hex[:10]}"
        table = folder / "publishers.yaml"
        table.write_text(yaml.safe_dump({"publishers": {publisher: _line()}}), "utf-8")
        settings = Settings(
            mianti_home=folder,
            mianti_lake=lake or str(folder / "lake"),
            mianti_publishers=table,
            mianti_dialects=DIALECTS,
            kafka_bootstrap_servers=kafka,
        )
        world = kind(settings, publisher, folder)
        try:
            yield world
        finally:
            with admin(settings) as client:
                client.delete_topics([world.topic])


def _line() -> dict[str, Any]:
    return {
        "name": {"en": "Law", "zh": "法"},
        "code": ISSUER,
        "cycle": "P7D",
        "families": {
            FAMILY: {"facets": ["decision", "standing", "objection"], "issuers": [ISSUER]}
        },
        "layouts": {LAYOUT: {"codes": {"state": "law-state", "objection": "law-objection"}}},
    }


def told(text: str) -> None:
    """Have what is done printed with an example that fails."""
    if currently_in_test_context():
        note(text)
