"""A world whose deeds may die after any of their steps, and are done again afterwards.

The model knows nothing of half a publication: while one that died is not yet done again, nothing
is compared with it. `whole` asks the oracle, too, which goes by what Kafka holds.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from kafka import KafkaProducer

from connectors import clients
from flows.land import land
from flows.maintain import maintain
from flows.publish import Publisher
from flows.publish.edition import EditionUnclear
from flows.replica import Follower, place
from flows.replica import rebuild as build
from tests.oracle.delta import Table
from tests.oracle.heartbeat import examine_heartbeat
from tests.oracle.kafka_reader import read
from tests.oracle.layout import CHINA, record_key
from tests.oracle.ledger import examine_ledger
from tests.oracle.log_account import examine_log
from tests.oracle.publishing import Unclear, Version
from tests.oracle.replica import examine_replica
from tests.oracle.report import Report
from tests.oracle.settled import examine_settled
from tests.oracle.verdict import Tables
from tests.property.law_world import FAMILY, ISSUER, World, told
from tests.property.steps import Dead, Life, numbered
from tests.support import kafka as raw
from tests.support import lake

Name = tuple[str, str, int, str, Any, dt.date | None, dt.date | None]
#: Of withdrawals the model knows what they say, not how many it takes to say it.
_NOT_MODELLED = ("withdrawal", "statement")


@dataclass
class Mortal(World):
    """`dies` holds after how many steps the next deed dies; `deaths` after which steps deeds did."""

    dies: int | None = None
    deaths: Counter[str] = field(default_factory=Counter)
    replayed: int = 0
    _unfinished: Callable[[], object] | None = None
    _untold: bool = False
    _follower: Follower | None = None
    _alone: ExitStack = field(default_factory=ExitStack)

    @property
    def kafka(self) -> str:
        """The broker's address."""
        assert self.settings.kafka_bootstrap_servers is not None
        return self.settings.kafka_bootstrap_servers

    def close(self) -> None:
        """Let go of the replica."""
        self._alone.close()
        self._follower = None

    # Publishing: one that died is done again before the publisher does anything else.

    def _send(self, text: str, edition: dt.date | None) -> None:
        self.resume()
        path, stated = self._written(text, edition), None
        if edition:
            stated = dt.datetime.combine(edition, dt.time(), CHINA)
        publisher = Publisher(self.name, self.settings)
        try:
            self.model.send(text, stated, dt.datetime.now(dt.UTC))
        except Unclear:
            self._publish(lambda: _unclear(publisher, path))
        else:
            self._publish(lambda: publisher.publish_file(path))

    def _written(self, text: str, edition: dt.date | None) -> Path:
        name = f"f{len(self.files)}-{edition:%Y%m%d}.csv" if edition else f"f{len(self.files)}.csv"
        self.files.append((text, edition))
        path = self.folder / name
        path.write_text(text, "utf-8")
        return path

    def _withdraw(self, number: str, *, undo: bool) -> None:
        self.resume()
        key = record_key(ISSUER, number)
        if self.model.withdraw(key, undo=undo) is not None:
            publisher = Publisher(self.name, self.settings)
            self._publish(lambda: publisher.withdraw(key, "公示有误", undo=undo))

    def _publish(self, work: Callable[[], object]) -> None:
        with self._mortal("publish") as life:
            work()
        self._unfinished = work if life.dead else None
        if life.dead:
            _arrives()

    def resume(self) -> None:
        """Do again what died while publishing."""
        work, self._unfinished = self._unfinished, None
        if work is not None:
            work()

    def overhear(self, number: str, facet: str, said: str, further: int) -> None:
        """Let another program of the publisher write a version."""
        self.resume()
        super().overhear(number, facet, said, further)

    def lose(self) -> None:
        """Lose the ledger."""
        self.resume()
        super().lose()

    def replay(self, count: int) -> None:
        """Send the topic's last messages once more, just as they are.

        A statement speaks of its own partition, and counts in no other; the rest goes anywhere.
        """
        held = self.messages()[-count:] if count else []
        address = self.kafka
        for one in held:
            partition = one.partition if b"/statement/" in one.value else 0
            raw.send(address, self.topic, [(one.key, one.value)], partition=partition)
        self.replayed += len(held)

    def messages(self) -> list[Any]:
        """Return what the topic holds, in the order of its times."""
        address = self.kafka
        found = raw.messages(address, self.topic) if self.topic in raw.topics(address) else []
        return sorted(found, key=lambda one: one.timestamp)

    # The lake: whatever dies is simply done again some time later.

    def land(self, *, plain: bool = False) -> None:
        """Land; the model takes over what was landed when."""
        with self._mortal("land") as life:
            land(self.settings, FAMILY, plain=plain)
        self._take_over(life)

    def settle(self, further: int) -> None:
        """Settle, and compare unless it died."""
        with self._mortal("settle") as life:
            super().settle(further)
        told(f"settled for {self.days[self.day]}, died: {life.dead}")

    def rebuild(self) -> None:
        """Make the dataset again, and compare unless it died."""
        self.day = len(self.days) - 1
        with self._mortal("rebuild"):
            super().rebuild()

    def maintain(self) -> None:
        """Compact the tables and delete at once what no follower of the exchange needs.

        A replica is promised a week: one that lags is brought up to date first.
        """
        self.follow(died=False)
        with self._mortal("maintain"):
            maintain(self.settings, FAMILY, retain=dt.timedelta(0))

    def follow(self, *, died: bool = True) -> None:
        """Bring the window's replica up to its log."""
        dies, self.dies = self.dies, self.dies if died else None
        with self._mortal("follow") as life:
            if self._follower is None:
                self._alone.enter_context(place(self.settings).alone())
                self._follower = self._alone.enter_context(closing(Follower(self.settings)))
            self._follower.step()
        if life.dead:
            self.close()
        self.dies = None if died else dies

    def build(self) -> None:
        """Build the replica anew."""
        self.close()
        with self._mortal("build"), place(self.settings).alone():
            build(self.settings)

    def compare_dataset(self) -> None:
        """Compare, unless the model cannot know what should be there."""
        if not (self._unfinished or self._untold):
            super().compare_dataset()

    @contextmanager
    def _mortal(self, deed: str) -> Iterator[Life]:
        """Let a block die after as many steps as were given to it, if it takes so many."""
        dies, self.dies = self.dies, None
        with numbered(dies) as life:
            try:
                yield life
            except Dead:
                life.dead = True
                last = life.taken[-1] if life.taken else "-"
                self.deaths[deed] += 1
                told(f"{deed} died after {len(life.taken)} steps: {last}")

    def _take_over(self, life: Life) -> None:
        """Let the model know what was landed, and when first."""
        place = f"{self.settings.mianti_lake}/log/{FAMILY}"
        if not lake.exists(place):
            return
        rows = lake.read(place).filter(verdict="accepted", topic=self.topic)
        first: dict[Name, dt.datetime] = {}
        for row in rows.filter(~pl.col("facet").is_in(_NOT_MODELLED)).iter_rows(named=True):
            name = _of_row(row)
            first[name] = min(row["landed_at"], first.get(name, row["landed_at"]))
        self.landings = sorted(rows["landed_at"].unique())
        known = {_of(version) for version in self.model.topic}
        assert first.keys() <= known, f"in no file: {first.keys() - known}"
        self._untold = bool(self._unfinished or life.dead)  # until a landing has told all
        if self._untold:
            return
        for number, one in enumerate(self.model.topic):
            if one.facet not in _NOT_MODELLED:
                at = first.get(_of(one))
                assert at is not None, f"it never arrived: {one}"
                self.model.topic[number] = replace(one, landed_at=at)
        self.model.land(self.landings[-1] if self.landings else dt.datetime.now(dt.UTC))

    def whole(self) -> Report:
        """Finish everything that died, compare all of it, and ask the oracle."""
        self.dies = None
        self.resume()
        self.finish()
        self.follow()
        followed = self.examined()
        self.build()
        built = self.examined()
        assert (followed.quarantined, followed.unjudged) == (0, 0)
        assert followed.replica_rows == built.replica_rows
        return built

    def examined(self) -> Report:
        """Ask the oracle, which goes by what Kafka holds."""
        found, places = Report(), Path(self.settings.mianti_lake)
        kafka = read(self.kafka, [self.topic])
        since = dt.datetime.min.replace(tzinfo=dt.UTC)
        tables = Tables([(since, self.settings.mianti_publishers or Path())])
        table = Table(places / "log" / FAMILY)
        log = examine_log(FAMILY, table, kafka, tables, found)
        examine_heartbeat(places, FAMILY, table, kafka, found)
        history, dataset = (Table(places / kind / FAMILY) for kind in ("history", "datasets"))
        examine_settled(log, history, dataset, found)
        examine_replica(self.settings.mianti_window / "replica", [log], found)
        ledger = self.settings.mianti_ledger / f"{self.name}.{FAMILY}.sqlite"
        if ledger.exists():  # it may just have been lost
            examine_ledger(ledger, kafka, log.refused(), found)
        assert found.faults == [], found.faults
        self.events = found.accepted
        return found


def _unclear(publisher: Publisher, path: Path) -> None:
    with pytest.raises(EditionUnclear):
        publisher.publish_file(path)


def _arrives() -> None:
    """Have what the dead publisher had on its way come in, before it is looked for."""
    for client in (clients._KEPT.get() or (None, {}))[1].values():
        if isinstance(client, KafkaProducer):
            client.flush()


def _of(version: Version) -> Name:
    said = version.content
    key = (version.record_key, version.facet, version.sequence, said.subject)
    return *key, said.get("state"), said.effective_from, said.effective_to


def _of_row(row: dict[str, Any]) -> Name:
    key = (row["record_key"], row["facet"], row["sequence"], row["subject"])
    return *key, row[row["facet"]].get("state"), row["effective_from"], row["effective_to"]
