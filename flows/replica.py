"""The window's replica follows the logs: all versions of a family, and the position, together.

A follower like settling: the log is read from the version after its position on. The nightly
vacuum keeps what was replaced for some days (`flows.maintain.RETAIN`): a follower that was away
for longer, or finds another log under the name, builds the replica anew.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import polars as pl
from deltalake import DeltaTable

from connectors import lake
from connectors.ahead import ahead
from connectors.errors import MiantiError
from connectors.heartbeat import Heartbeat, is_in_log, read_heartbeat
from connectors.replica import NoReplica, Place, Position, Ready, Replica, prepared
from connectors.settings import Settings
from connectors.topics import publisher_of
from connectors.transactions import transactions
from flows.log import ACCEPTED, CLOSED, LANDED, QUARANTINED, history_columns, log_columns
from flows.maintain import RETAIN
from schemas.avro import FAMILIES

_log = logging.getLogger(__name__)
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_WHERE: Final = f"verdict IN ('{ACCEPTED}', '{QUARANTINED}', '{CLOSED}')"
#: How long a follower may be away and still find the files it needs, with a day to spare.
AWAY: Final = RETAIN - dt.timedelta(days=1)
Progress = Callable[[int], None]


class LogGone(MiantiError):
    """A log that was followed is not where it was."""


@dataclass
class Followed:
    """What one round took in, and whether the replica was built anew for it."""

    versions: int = 0
    rebuilt: bool = False


def place(settings: Settings) -> Place:
    """Return where the replica of these settings lies."""
    return Place(settings.mianti_window / "replica")


def rebuild(settings: Settings, progress: Progress = lambda _: None) -> int:
    """Build the replica anew out of the logs; return its versions. The old one serves meanwhile.

    `progress` is told how many versions were added. The caller holds the place (`Place.alone`).
    """
    count = 0
    with place(settings).built() as new:
        for family in FAMILIES:
            seen_at = dt.datetime.now(dt.UTC)  # what is landed while it is read is not in it
            beat = read_heartbeat(settings, family)  # before the log: its commit is then in it
            log = lake.open_table(settings, "log", family)
            if log is None:
                continue
            pieces = lake.in_pieces(log, _columns(family), _WHERE)
            with closing(ahead(pieces, partial(_prepared, family), 1)) as done:
                for _, ready in done:
                    new.add(ready)
                    count += ready.count
                    progress(ready.count)
            position = _position(log, seen_at)
            beat = _held(settings, family, log, beat)
            new.move(family, position)
            new.hear(family, heard(position, beat, dt.datetime.now(dt.UTC)))
    return count


class Follower:
    """Keeps the replica up to its logs. The caller holds the place (`Place.alone`)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._logs: dict[str, DeltaTable] = {}
        self._replica: Replica | None = None

    def step(self) -> Followed:
        """Take in what the logs have gained; build the replica first where it cannot be continued.

        Raises LogGone, and what reading the lake raises; the replica is then as it was.
        """
        try:
            return self._step()
        except BaseException:
            self._logs.clear()  # opened anew next time: what they were may be gone
            raise

    def _step(self) -> Followed:
        try:
            replica = self._replica or place(self._settings).open()
        except NoReplica:
            return self._anew("there is none")
        self._replica = replica
        positions, done = replica.positions(), Followed()
        for family in FAMILIES:
            now = dt.datetime.now(dt.UTC)
            # Before the log: what it speaks of is then in the log as opened.
            beat = read_heartbeat(self._settings, family)
            log = self._log(family)
            if log is None:
                continue
            found = positions.get(family)
            if found is None or found.log != _id(log) or found.version > log.version():
                return self._anew(f"{family} has another log")
            if now - found.seen_at > AWAY:
                return self._anew(f"{family} was not followed since {found.seen_at:%Y-%m-%d}")
            done.versions += _take(replica, family, log, found, now)
            if beat is not None and beat.through != found.beat:
                held = _held(self._settings, family, log, beat)
                replica.hear(family, heard(found, held, dt.datetime.now(dt.UTC)))
        return done

    def close(self) -> None:
        """Close the replica."""
        if self._replica is not None:
            self._replica.close()
            self._replica = None

    def _anew(self, why: str) -> Followed:
        _log.info("building the replica: %s", why)
        self.close()
        return Followed(rebuild(self._settings), rebuilt=True)

    def _log(self, family: str) -> DeltaTable | None:
        known = self._logs.get(family)
        if known is None:
            known = lake.open_table(self._settings, "log", family)
        else:
            known.update_incremental()
        if known is not None:
            self._logs[family] = known
        return known


def _take(replica: Replica, family: str, log: DeltaTable, known: Position, now: dt.datetime) -> int:
    """Add what a log has gained since a position, and move the position, in one transaction.

    `now` (UTC) is before the log was looked at.
    """
    if log.version() == known.version:
        if not lake.is_there(log):
            raise LogGone(
                f"The log of {family} is no longer where it was: look at MIANTI_LAKE. The window "
                "answers no more until it is back.",
                f"{family} 的日志已不在原处：请检查 MIANTI_LAKE。恢复之前窗口不再应答。",
            )
        replica.seen(family, now)
        return 0
    count = 0
    with replica.transaction():
        for rows in lake.added_since(log, known.version, _columns(family), _WHERE):
            ready = _prepared(family, rows)
            replica.add(ready)
            count += ready.count
        replica.move(family, _position(log, now))
    return count


def _held(
    settings: Settings, family: str, log: DeltaTable, beat: Heartbeat | None
) -> Heartbeat | None:
    """Return a heartbeat that holds for a log as it was opened; None for any other."""
    if beat is None or beat.commit.version > log.version():
        return None
    return beat if is_in_log(settings, family, beat.commit) else None


def heard(known: Position, beat: Heartbeat | None, now: dt.datetime) -> Position:
    """Return a position with the time of a heartbeat taken in; `now`: this machine's clock (UTC).

    A heartbeat counts as one of now where its clock is ahead, and only once: a landing that has
    stopped repeats its last one. One from the future that is the first to be read may have been
    written long ago, so that it counts from the next on. A time known before that lies in the future
    was taken when this machine's clock was ahead.
    """
    if beat is None or beat.through == known.beat:
        return known
    through = min(beat.through, now)
    if known.through is not None and known.through <= now:
        through = max(through, known.through)
    if known.beat is None and beat.through > now:
        return replace(known, beat=beat.through, through=None)
    return replace(known, beat=beat.through, through=through)


def _columns(family: str) -> pl.Schema:
    more = {name: log_columns(family)[name] for name in ("verdict", "about")}
    return pl.Schema({**history_columns(family), **more})


def _prepared(family: str, rows: pl.DataFrame) -> Ready:
    accepted = rows["verdict"] == ACCEPTED
    held = rows.filter(~accepted).with_columns(
        publisher=pl.col("topic").map_elements(publisher_of, pl.String),
        closed=pl.col("verdict") == CLOSED,
        subject=pl.col("about"),
    )
    return prepared(family, rows.filter(accepted).select(history_columns(family).names()), held)


def _position(log: DeltaTable, seen_at: dt.datetime) -> Position:
    landed = transactions(log).get(LANDED, 0)
    at = _EPOCH + dt.timedelta(microseconds=landed)
    return Position(_id(log), log.version(), at, seen_at)


def _id(log: DeltaTable) -> str:
    return str(log.metadata().id)
