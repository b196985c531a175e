"""Following: a landing that runs on, for those who need seconds. Settling stays with `ingest`.

It keeps its Kafka clients, asks for the ends of all topics at once, and lands only the families
whose ends have moved. An `ingest` at the same time is fenced by the log's own offsets.
"""

from __future__ import annotations

import datetime as dt
import logging
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from kafka import KafkaConsumer, TopicPartition

from connectors.clients import connecting, kept
from connectors.errors import MiantiError
from connectors.heartbeat import Commit, Heartbeat, is_in_log, write_heartbeat
from connectors.reading import consumer
from connectors.settings import Settings, kafka_address
from connectors.topics import ends_written, partitions
from flows.ground import split_topics
from flows.land import Landed, Written, land
from flows.operator.families import each
from schemas import contract
from schemas.avro import FAMILIES

_log = logging.getLogger(__name__)
EACH_SECONDS: Final = 0.25
TELL_SECONDS: Final = 30.0
_TOPICS_SECONDS: Final = 5.0
_ASK_MS: Final = 5_000
_FIRST_PAUSE, _LAST_PAUSE = 0.5, 30.0

Ends: TypeAlias = dict[TopicPartition, int]


class Ended(BaseException):
    """It was told to end while it had nothing in hand."""


class Ending:
    """Whether it was told to end: at once where nothing is in hand, else after the batch."""

    def __init__(self) -> None:
        self.asked = False
        self._at_ease = False

    def ask(self, *_: object) -> None:
        """Tell it to end; also as the handler of a signal."""
        self.asked = True
        if self._at_ease:
            self._at_ease = False
            raise Ended

    @contextmanager
    def at_ease(self) -> Iterator[None]:
        """Mark what may be broken off. Raises Ended."""
        self._at_ease = True
        try:
            if self.asked:
                raise Ended
            yield
        finally:
            self._at_ease = False


def end_on_signals(ending: Ending) -> None:
    """Let SIGTERM and SIGINT tell it to end; within a flow, in place of Prefect's own handler."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ending.ask)


@dataclass
class Standing:
    """What following one family has come to since it began; `error`: why it does not go on now."""

    family: str
    accepted: int = 0
    quarantined: int = 0
    landed_at: dt.datetime | None = None
    #: The newest heartbeat (UTC): everything sent before it is in the log.
    through: dt.datetime | None = None
    error: str | None = None
    # Its own: the ends it has landed up to, the log's commit then, and when it may be tried again.
    seen: Ends | None = field(default=None, repr=False)
    commit: Commit | None = field(default=None, repr=False)
    pause: float = field(default=0.0, repr=False)
    not_before: float = field(default=0.0, repr=False)

    def went_well(self, landed: Landed | None, ends: Ends) -> None:
        """Take in what was landed up to some ends."""
        self.error, self.pause, self.seen = None, 0.0, ends
        if landed is None:
            return
        self.commit = landed.commit
        self.through = landed.through or self.through
        if not landed.parts:
            return
        self.accepted += landed.accepted
        self.quarantined += landed.quarantined
        self.landed_at = dt.datetime.now(dt.UTC)
        self.seen = _reached(landed, ends)

    def went_wrong(self, why: str) -> None:
        """Wait longer each time before it is tried again; then look at every partition anew."""
        self.error, self.seen = why, None
        self.pause = min(max(self.pause * 2, _FIRST_PAUSE), _LAST_PAUSE)
        self.not_before = time.monotonic() + self.pause


def _reached(landed: Landed, ends: Ends) -> Ends:
    """Return the next offsets to land, after a landing up to some ends, or beyond them."""
    return ends | {TopicPartition(p.topic, p.partition): p.end for p in landed.parts}


#: Told now and then: where all families stand, and what was landed since it was told last.
Tell: TypeAlias = Callable[[list[Standing], list[Landed]], None]


def follow(
    settings: Settings,
    ending: Ending,
    *,
    tell: Tell = lambda *_: None,
    ready: Callable[[], None] = lambda: None,
) -> list[Standing]:
    """Land whatever comes, until told to end; return where each family stands then.

    `tell` must not block; it is called at once when something was landed or an error came or went,
    then each `TELL_SECONDS`. `ready` is called when Kafka has been asked, in each round.
    Raises NotRunning when it is not known where Kafka is; nothing else ends it.
    """
    kafka_address(settings)
    standings = [Standing(family) for family in FAMILIES]
    news = _News(standings, tell)
    try:
        while True:
            with kept():  # new clients after whatever went wrong
                rounds = _Rounds(settings, ending, standings, news)
                while rounds.one(ready):
                    with ending.at_ease():
                        time.sleep(EACH_SECONDS)
            with ending.at_ease():
                time.sleep(EACH_SECONDS)
    except Ended:
        news.tell()
    return standings


class _Rounds:
    """Asking for ends, and landing where they have moved, on one set of clients."""

    def __init__(
        self, settings: Settings, ending: Ending, standings: list[Standing], news: _News
    ) -> None:
        self._settings, self._ending, self._news = settings, ending, news
        self._standings = {one.family: one for one in standings}
        self._parts: dict[str, list[TopicPartition]] = {}
        self._written: dict[str, Written] = {}
        self._noted: dict[str, float] = {}
        self._listed = float("-inf")
        self._listed_at = dt.datetime.now(dt.UTC)

    def one(self, ready: Callable[[], None]) -> bool:
        """Do one round; return whether all of it went well."""
        now = time.monotonic()
        due = [one.family for one in self._standings.values() if one.not_before <= now]
        known, broken = self._ask_at_once(due)
        ready()

        def work(family: str) -> tuple[Landed | None, Ends]:
            if broken is not None:
                raise broken
            with connecting():
                ends = known[family] if family in known else self._ask([family])[family]
                standing = self._standings[family]
                if ends == standing.seen and self._beat(family, standing.commit, ends):
                    return None, ends
                done = land(self._settings, family, enough=lambda: self._ending.asked)
                if done.through is None:
                    self._beat(family, done.commit, _reached(done, ends))
                else:
                    self._written.pop(family, None)
                return done, ends

        outcome = each(due, work)
        for family, (landed, ends) in outcome.done.items():
            self._standings[family].went_well(landed, ends)
        for family, why in outcome.failed.items():
            self._standings[family].went_wrong(why)
        self._news.note([landed for landed, _ in outcome.done.values() if landed is not None])
        return not outcome.failed

    def _ask_at_once(self, due: list[str]) -> tuple[dict[str, Ends], MiantiError | None]:
        """Return the ends of all families, none where each must be asked by itself, or an error.

        One partition without a leader leaves the whole request without an answer. What it failed
        of is told family by family.
        """
        try:
            return self._ask(due), None
        except MiantiError as error:  # no client could be made: nor could it for one family
            return {}, error
        except Exception:  # kafka-python: a KeyError for a topic that was just deleted
            self._listed = float("-inf")
            return {}, None

    def _ask(self, families: list[str]) -> dict[str, Ends]:
        with self._ending.at_ease(), consumer(self._settings) as client:
            if time.monotonic() - self._listed > _TOPICS_SECONDS:
                self._listed_at = dt.datetime.now(dt.UTC)
                self._parts = self._partitions(client)
                self._listed = time.monotonic()
            self._note_written(families)
            parts = [part for family in families for part in self._parts[family]]
            ends: Ends = client.end_offsets(parts, timeout_ms=_ASK_MS) if parts else {}
        return {family: {p: ends[p] for p in self._parts[family]} for family in families}

    def _partitions(self, client: KafkaConsumer) -> dict[str, list[TopicPartition]]:
        """Return by family the partitions of the topics of known publishers."""
        publishers = contract.publishers(self._settings.mianti_publishers).publishers
        topics = client.topics()

        def of(family: str) -> list[str]:
            named = [topic for topic in topics if topic.startswith(f"mianti.{family}.")]
            return split_topics(named, publishers)[0]

        return {f: [p for topic in of(f) for p in partitions(client, topic)] for f in FAMILIES}

    def _note_written(self, families: list[str]) -> None:
        """Ask once for each list of topics what was written by then, where no answer waits."""
        due = [family for family in families if self._is_due(family)]
        ends = ends_written(self._settings, [p for family in due for p in self._parts[family]])
        for family in due:
            self._noted[family] = self._listed
            held = {part: ends[part] for part in self._parts[family]}
            self._written[family] = Written(self._listed_at, held)

    def _is_due(self, family: str) -> bool:
        waiting = self._written.get(family)
        if waiting is not None and waiting.ends.keys() <= {*self._parts[family]}:
            return False
        return self._noted.get(family) != self._listed

    def _beat(self, family: str, commit: Commit | None, reached: Ends) -> bool:
        """Write a heartbeat where the log has all that was written when it was asked.

        Returns False where the log is not the one that was landed to: one from a backup lies there.
        """
        written = self._written.get(family)
        if written is None or commit is None or not written.is_landed(reached):
            return True
        if not is_in_log(self._settings, family, commit):
            return False
        beat = Heartbeat(through=written.at, commit=commit)
        write_heartbeat(self._settings, family, beat, dt.datetime.now(dt.UTC))
        self._standings[family].through = written.at
        del self._written[family]
        return True


class _News:
    """What is to be told, gathered so that a busy day is not told message by message."""

    def __init__(self, standings: list[Standing], tell: Tell) -> None:
        self._standings, self._tell = standings, tell
        self._landed: dict[str, Landed] = {}
        self._errors: list[str | None] = [None for _ in standings]
        self._next = float("-inf")
        self._next_beat = float("-inf")

    def note(self, landed: list[Landed]) -> None:
        """Take in what one round landed; tell when it is time."""
        for one in landed:
            if one.parts:
                self._landed[one.family] = joined(self._landed.get(one.family), one)
        errors = [one.error for one in self._standings]
        late = self._landed and time.monotonic() >= self._next
        if late or errors != self._errors:
            self.tell()
        elif time.monotonic() >= self._next_beat:  # the time through which it has landed goes on
            self._tell(self._standings, [])
            self._next_beat = time.monotonic() + TELL_SECONDS
        self._errors = errors

    def tell(self) -> None:
        """Tell what is there."""
        for one in self._landed.values():
            _log.info(
                "%s: %s accepted, %s quarantined (commits: %s)",
                one.family,
                f"{one.accepted:,}",
                f"{one.quarantined:,}",
                one.commits,
            )
        self._tell(self._standings, list(self._landed.values()))
        self._landed = {}
        self._next = self._next_beat = time.monotonic() + TELL_SECONDS


def joined(first: Landed | None, then: Landed) -> Landed:
    """Return two landings of a family as one; each part from its first offset to its last."""
    if first is None:
        return then
    whole = {(part.topic, part.partition): part for part in first.parts}
    for part in then.parts:
        before = whole.setdefault((part.topic, part.partition), part)
        if before is not part:
            before.add(part)
    reasons = dict(first.reasons)
    for reason, count in then.reasons.items():
        reasons[reason] = reasons.get(reason, 0) + count
    commits = first.commits + then.commits
    return replace(then, parts=list(whole.values()), reasons=reasons, commits=commits)
