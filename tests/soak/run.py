"""A soak from its beginning to its end: everything runs, parts are killed, all of it is finished."""

from __future__ import annotations

import datetime as dt
import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from kafka.errors import KafkaError

from connectors.topics import ensure_topic
from flows.maintain import maintain, maintain_receipts
from flows.settle import settle
from schemas.avro import FAMILIES
from tests.soak.parts import Part
from tests.soak.town import Town, poison
from tests.soak.watch import Figures, Watch
from tests.support import kafka as raw
from tests.support.window import follow

_TICK: Final = 0.1
#: With millions of events the last settling takes minutes.
_PATIENCE: Final = 1200.0
_POISON_EACH: Final = 5.0


class Wedged(AssertionError):
    """A part did not come to work, or what is published was never landed."""


@dataclass
class Ran:
    """What came of it: when it began and its load ended, who was killed when, all the figures."""

    began: float = 0.0
    loaded: float = 0.0
    finished: float = 0.0
    kills: list[tuple[float, str]] = field(default_factory=list)
    wedged: str | None = None
    stopped: dict[str, int | None] = field(default_factory=dict)
    figures: Figures = field(default_factory=Figures)


class Killer:
    """Kills one part after the other, each while it is at work."""

    def __init__(self, town: Town) -> None:
        self._town, self._plan = town, town.plan
        self._chance = random.Random(f"{self._plan.seed} kills")
        self._left = [*self._plan.victims]
        self._next = time.monotonic() + self._plan.kill_every
        self._victim: Part | None = None
        self._at: float | None = None
        self.kills: list[tuple[float, str]] = []

    @property
    def done(self) -> bool:
        """Whether all whom it was told to kill were killed."""
        return self._victim is None and not self._left

    def look(self) -> None:
        """Kill, when it is time and the chosen part is at work."""
        now = time.monotonic()
        if self._victim is None:
            if now < self._next or (self._plan.victims and not self._left):
                return
            self._victim, self._at = self._chosen(), None
        if self._victim.pid is None:
            self._victim.hurry()
        if not self._victim.at_work():
            self._at = None
            if now > self._next + _PATIENCE:
                raise Wedged(f"{self._victim.name} does not come to work")
        elif self._at is None:
            self._at = now + self._chance.uniform(0.0, 0.5)
        elif now >= self._at:
            self._victim.kill()
            self.kills.append((time.time(), self._victim.name))
            print(f"{dt.datetime.now():%H:%M:%S} killed {self._victim.name}", flush=True)
            self._victim, self._next = None, max(now, self._next + self._plan.kill_every)

    def _chosen(self) -> Part:
        parts = {part.name: part for part in self._town.parts if part.name != "asker"}
        return parts[self._left.pop(0) if self._left else self._chance.choice(sorted(parts))]


def run(town: Town) -> Ran:
    """Run it all, and finish it all."""
    for topic in town.topics:
        ensure_topic(town.settings, topic)
    window = town.exchange.home / "window"
    lake = town.exchange.home / "lake"
    watch = Watch(town.parts, town.broker.address, town.topics, lake, window)
    ran = Ran(figures=watch.figures)
    try:
        _begin(town, ran)
        watch.start()
        _load(town, watch, ran)
        _finish(town, watch, ran)
    except Wedged as why:  # what it came to by then is judged all the same
        ran.wedged = str(why)
        ran.loaded = ran.loaded or time.time()
    finally:
        watch.stop()
        for program in town.programs():
            if program.process is not None:
                program.process.kill()
                program.process.wait()
    return ran


def _begin(town: Town, ran: Ran) -> None:
    """Start all parts; the load begins when they are at work."""
    running = [one for one in town.programs() if one.every is None]
    _until(town, lambda: all(one.at_work() for one in running), "a part does not come to work")
    ran.began = time.time()
    (town.folder / "begin").touch()


def _load(town: Town, watch: Watch, ran: Ran) -> None:
    began, plan = time.monotonic(), town.plan
    killer, poisoner = Killer(town), _Poisoner(town)
    ran.kills = killer.kills
    while not (
        time.monotonic() >= began + plan.seconds
        and (killer.done or not plan.victims)
        and watch.messages() >= plan.least
    ):
        if time.monotonic() > began + plan.seconds + _PATIENCE:
            raise Wedged("the load does not come to its end")
        _look(town)
        killer.look()
        poisoner.look()
        time.sleep(_TICK)
    ran.loaded = time.time()


def _look(town: Town) -> None:
    for part in town.parts:
        part.look()


class _Poisoner:
    """Puts messages that are no events into the topic of the first office."""

    def __init__(self, town: Town) -> None:
        self._town, self._number, self._next = town, 0, 0.0

    def look(self) -> None:
        if time.monotonic() < self._next or not self._town.broker.at_work():
            return
        self._next = time.monotonic() + _POISON_EACH
        bad = poison(self._town.plan.seed, self._number)
        self._number += 1
        with suppress(KafkaError, AssertionError):  # it is being killed: what came through counts
            raw.send(self._town.broker.address, self._town.topics[0], bad, partition=1)


def _finish(town: Town, watch: Watch, ran: Ran) -> None:
    """Let publishers finish, and all they have published be landed, settled and followed."""
    (town.folder / "stop").touch()
    publishers = [one for one in town.programs() if one.finish]
    _until(town, lambda: all(one.finished for one in publishers), "the publishers do not finish")
    quiet = time.time()
    _until(town, lambda: watch.known_lag(quiet) == 0, "what is published is never landed")
    ran.finished = time.time()
    for scheduled in ("ingest", "maintain"):
        town.part(scheduled).every = _PATIENCE
        _until(town, partial(_idle, town, scheduled), "a run does not end")
    # The follower last: it ships the last receipts when it is told to end.
    for name in ("asker", "ingest", "maintain", "follow", "window", "replica"):
        ran.stopped[name] = town.part(name).stop(60)
    settings = town.settings
    for family in FAMILIES:
        settle(settings, family, everything=True)
        # Nobody writes any more, so nothing that was replaced is needed by anyone.
        maintain(settings, family, retain=dt.timedelta(0))
    maintain_receipts(settings, retain=dt.timedelta(0))
    follow(settings)


def _idle(town: Town, name: str) -> bool:
    return town.part(name).pid is None


def _until(town: Town, true: Callable[[], bool], why: str) -> None:
    end = time.monotonic() + _PATIENCE
    while not true():
        if time.monotonic() > end:
            raise Wedged(why)
        _look(town)
        time.sleep(_TICK)
