"""The window: questions answered out of the replica, each with its receipt.

What it says has gone through `Desk` first: an answer without a receipt on the disk never goes out.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

from connectors.errors import MiantiError
from connectors.receipts import Receipts
from connectors.replica import Position, Replica
from connectors.settings import Settings
from flows.answer.ask import layout_titles
from flows.answer.at_window import Gathering, Known, landed_through
from flows.answer.form import Filled
from flows.clock import china_today
from flows.fold_rows import whole_rows
from flows.receipt import rules
from flows.receipt.chain import Sealed
from flows.receipt.continuity import Continuity
from flows.receipt.desk import Desk
from flows.receipt.entry import (
    Asker,
    Decided,
    Question,
    answer_body,
    decide_all,
    look_body,
    refusal_body,
    search_body,
)
from flows.receipt.together import Together
from flows.replica import place
from schemas.catalogue.grammar import Catalogue
from schemas.dialect import Words

_VERSION: Final = version("mianti")
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
#: Enterprises that a search names at most.
FOUND: Final = 20


class Behind(MiantiError):
    """The replica is further behind the topics than the window may answer from."""


@dataclass(frozen=True)
class Pending:
    """An answer that waits for its receipt: what was known, and what was decided."""

    known: Known
    decided: Decided
    receipt: asyncio.Future[Sealed]

    @property
    def name(self) -> str | None:
        """Return the enterprise's name in the register, where it may be shown."""
        rows = self.known.facts.of("registration")
        names = [row["name"] for row in rows if row["usable"] == "yes" and row["name"]]
        return str(names[-1]) if names else None


class Window:
    """One window at work. The caller holds its place (`connectors.receipts.answering`).

    For one event loop. Raises what reading the catalogue and the keys raises.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.book = rules.rule_book(settings)
        self.publishers = rules.publishers_of(settings)
        self.layout_titles = layout_titles(settings)
        rules.keep_here(settings, self.book)
        self._place = place(settings)
        self._gathering: Gathering | None = None
        self._mark: tuple[int, int] | None = None
        self._continuity = Continuity(settings)
        self._desk = Desk(settings.mianti_window, settings.mianti_window_name, begin=False)
        self._own = Receipts(settings.mianti_window)
        self._receipts = Together(self._desk)
        if self._continuity.agreed:
            self._desk.begin()

    @property
    def catalogue(self) -> Catalogue:
        """Return the catalogue in use."""
        return self.book.catalogue

    def ask(self, asker: Asker, question: Question) -> Pending:
        """Decide, and have the receipt written; raises Behind, NoReplica, as `require_continuous`."""
        self.require_continuous()
        gathering = self._open()
        known = gathering.gather(question.subject, question.on, question.known_at)
        require_fresh(known.positions, self.settings)
        decided = decide_all(self.catalogue, question, known.facts)
        purposes = self._purposes(question)
        body = answer_body(asker, question, purposes, known, self.book.digest, decided, _VERSION)
        return Pending(known, decided, self._receipts.give(body))

    def refuse(self, asker: Asker, question: Question, why: Words) -> asyncio.Future[Sealed]:
        """Have a refusal's receipt written. Raises as `require_continuous`."""
        self.require_continuous()
        purposes = self._purposes(question)
        return self._receipts.give(refusal_body(asker, question, purposes, why, _VERSION))

    def look(self, asker: Asker, subject: str, shown: list[str]) -> asyncio.Future[Sealed]:
        """Have the receipt of a look at uses written. Raises as `require_continuous`."""
        self.require_continuous()
        return self._receipts.give(look_body(asker, subject, shown, _VERSION))

    def search(self, asker: Asker, found: list[str]) -> asyncio.Future[Sealed]:
        """Have the receipt of a search by name written. Raises as `require_continuous`."""
        self.require_continuous()
        return self._receipts.give(search_body(asker, found, _VERSION))

    def require_continuous(self) -> None:
        """Return if the window's chain goes on from what was shipped of it.

        Raises OtherChain where it was cut; NotCompared where the storage could not be asked yet;
        NotWritten.
        """
        self._continuity.require()
        self._desk.begin()

    def unshipped_seconds(self) -> float:
        """Return for how long the oldest receipt not shipped yet has waited. Raises NotWritten."""
        return self._continuity.unshipped_seconds(self._own, dt.datetime.now(dt.UTC))

    def named(self, text: str) -> list[tuple[str, str]]:
        """Return (subject, name) by a part of the name or the beginning of the code.

        Safe in any thread. Raises NoReplica.
        """
        with closing(self._place.open()) as replica:
            found = replica.named(text.strip(), FOUND)
            return [(code, name) for code, name in found if name in _names(replica, code)]

    def positions(self) -> Mapping[str, Position]:
        """Return how far the replica has followed each family. Raises NoReplica."""
        return self._open().replica.positions()

    def close(self) -> None:
        """Close what is open."""
        self._continuity.close()
        self._receipts.close()
        self._desk.close()
        self._own.close()
        if self._gathering is not None:
            self._gathering.replica.close()

    def _purposes(self, question: Question) -> list[str]:
        matters = self.catalogue.matters
        return [f"{matters[code].department}/{matters[code].purpose}" for code in question.matters]

    def _open(self) -> Gathering:
        """Return what gathers from the replica in use; a rebuild puts another in its place."""
        mark = self._place.mark()
        if self._gathering is None or self._mark != mark:
            if self._gathering is not None:
                self._gathering.replica.close()
                self._gathering = None
            book = self.book
            self._gathering = Gathering(self._place.open(), book.cycles, book.rights)
            self._mark = mark
        return self._gathering


def _names(replica: Replica, subject: str) -> set[str]:
    """Return the names under which an enterprise may be shown today."""
    entries = replica.versions(subject).get("registration", [])
    rows = whole_rows(entries, "registration", china_today())
    return {row["name"] for row in rows if row["usable"] == "yes"}


def behind(positions: Mapping[str, Position], now: dt.datetime) -> float | None:
    """Return how many seconds the replica may be behind the topics; None: that is not known.

    Measured from the heartbeats of landing. A time yet to come is as far off as one long past: the
    clock has gone back since, and a follower at work sets it anew within a second.
    """
    if landed_through(positions) is None:
        return None
    return max(_age(position, now) for position in positions.values())


def _age(position: Position, now: dt.datetime) -> float:
    through = position.through or _EPOCH
    return max(_seconds(now, through), _seconds(now, position.seen_at))


def _seconds(now: dt.datetime, time: dt.datetime) -> float:
    return abs((now - time).total_seconds())


def require_fresh(positions: Mapping[str, Position], settings: Settings) -> float:
    """Return how many seconds a replica is behind. Raises Behind beyond the limit."""
    now = dt.datetime.now(dt.UTC)
    limit = settings.mianti_window_behind_seconds
    late = behind(positions, now)
    if late is not None and late <= limit:
        return late
    if not positions:
        raise Behind(
            "Nothing was landed yet: the window has nothing to answer from. Publish and ingest "
            "first.",
            "尚无任何数据入库，窗口无法应答。请先发布并入库。",
        )
    family, oldest = max(positions.items(), key=lambda one: _age(one[1], now))
    if _seconds(now, oldest.seen_at) > limit:
        late = _age(oldest, now)
        raise Behind(
            f"The window's data are {late:.0f} s behind the exchange, more than the {limit} s "
            "allowed: its follower does not run or cannot reach the lake. Ask the operator.",
            f"窗口数据落后于交换平台 {late:.0f} 秒，超过允许的 {limit} 秒："
            "跟随进程未运行或无法访问数据湖，请联系运维人员。",
        )
    if late is None:
        raise Behind(
            f"It is not known through which time {family} was landed: no landing of this release "
            "has finished on this log yet. Start the landing (`mianti up`, or `mianti ingest`); the "
            "window answers as soon as it has finished.",
            f"尚不清楚 {family} 类数据的入库截至时间：本版本尚未对该日志完成一次入库。"
            "请启动入库（`mianti up` 或 `mianti ingest`），完成后窗口即恢复应答。",
        )
    raise Behind(
        f"The window's data are {late:.0f} s behind the exchange, more than the {limit} s allowed: the "
        f"landing of {family} does not run, is stopped, or cannot reach Kafka, and what departments "
        "have published since may be missing. Ask the operator to look at `mianti status`, and at the "
        "clocks of the landing's machine and the window's.",
        f"窗口数据落后于交换平台 {late:.0f} 秒，超过允许的 {limit} 秒："
        f"{family} 类数据的入库未运行、已停止或无法连接 Kafka，各部门此后发布的数据可能尚未到达。"
        "请运维人员查看 `mianti status`，并核对入库与窗口所在机器的时钟。",
    )


def form_of(decided: Decided) -> Iterator[tuple[list[str], Filled]]:
    """Yield the fields of all matters' forms, each once: filled by the first that can."""
    fields: dict[str, tuple[list[str], Filled]] = {}
    for code, form in decided.forms.items():
        for one in form:
            codes, held = fields.get(one.id, ([], one))
            better = one if held.unfilled is not None and one.unfilled is None else held
            fields[one.id] = ([*codes, code], better)
    yield from fields.values()
