"""Which buckets are settled now, and in which pieces. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from schemas.bucket import BUCKETS

#: A bucket smaller than this is cheap to write again, so it never waits.
SMALL_BUCKET: Final = 20_000
#: Beyond it, a bucket waits until this part of it is new …
FAIR_PART: Final = 0.05
#: … or what is new has waited this long.
OLDEST_WAIT: Final = dt.timedelta(minutes=10)
#: Versions of the log that quiet buckets may stand behind: reading the tail costs what lies there.
FAR_BEHIND: Final = 20
#: Versions in one piece; two are held at a time: one is made while the last one is written.
GROUP_ROWS: Final = 150_000

#: By bucket, a watermark: the version of the log (plus one) it is settled through.
Marks = Mapping[int, int]


@dataclass(frozen=True)
class Waiting:
    """What of one bucket the log has and the history lacks; `stops`: it ends the use of something."""

    versions: int
    oldest: dt.datetime
    stops: bool


@dataclass(frozen=True)
class Stand:
    """How things stand: watermarks and rows (by bucket) of history and dataset, and what waits.

    `end` is the watermark of a bucket that lacks nothing. `turned`: buckets with a row that holds
    no longer on the day asked for; all that have rows, where every one is to be made again.
    """

    end: int
    history: Marks
    dataset: Marks
    rows: Mapping[int, int]
    waiting: Mapping[int, Waiting]
    turned: set[int]


@dataclass(frozen=True)
class Group:
    """Buckets settled in one piece: the watermarks they have in each table, and will have."""

    history: Marks
    dataset: Marks
    after: Marks

    @property
    def buckets(self) -> list[int]:
        """Return the buckets."""
        return list(self.after)

    @property
    def gaining(self) -> list[int]:
        """Return the buckets whose history is to be written, too."""
        return [bucket for bucket in self.after if self.history[bucket] < self.after[bucket]]


@dataclass(frozen=True)
class Plan:
    """What to do. `quiet`, `level`: buckets of history and dataset that the log had nothing for."""

    quiet: list[int]
    level: list[int]
    groups: list[Group]


def plan(stand: Stand, now: dt.datetime, *, everything: bool) -> Plan:
    """Return what is to be settled; `everything`: also what could wait. `now` is UTC."""
    due = {b for b, new in stand.waiting.items() if everything or _is_due(new, stand.rows, b, now)}
    # What a table that was forgotten still holds of a bucket, the log may have nothing of.
    due |= {b for b, held in stand.rows.items() if held and stand.history[b] == 0}
    if everything:
        due |= {bucket for bucket in stand.turned if stand.history[bucket] < stand.end}
    held = due | stand.waiting.keys()
    passing = bool(due) or stand.end - 1 - min(stand.history.values()) > FAR_BEHIND
    quiet = [
        b for b in range(BUCKETS) if passing and b not in held and stand.history[b] < stand.end
    ]
    level = [b for b in quiet if stand.dataset[b] == stand.history[b]]
    # Passed over first: what follows begins from there.
    history = {**stand.history, **dict.fromkeys(quiet, stand.end)}
    dataset = {**stand.dataset, **dict.fromkeys(level, stand.end)}
    behind = {bucket for bucket in range(BUCKETS) if history[bucket] > dataset[bucket]}
    after = history | dict.fromkeys(due, stand.end)
    pieces = [*_pieces(sorted(due), stand), *_pieces(sorted((behind | stand.turned) - due), stand)]
    groups = [
        Group(*({bucket: marks[bucket] for bucket in piece} for marks in (history, dataset, after)))
        for piece in pieces
    ]
    return Plan(quiet, level, groups)


def _is_due(new: Waiting, rows: Mapping[int, int], bucket: int, now: dt.datetime) -> bool:
    held = rows.get(bucket, 0)
    return (
        new.stops
        or held < SMALL_BUCKET
        or new.versions >= FAIR_PART * held
        or abs(now - new.oldest) > OLDEST_WAIT  # a time yet to come: a clock has gone back
    )


def _pieces(buckets: list[int], stand: Stand) -> list[list[int]]:
    """Put buckets together as long as their versions fit into memory at once."""
    pieces: list[list[int]] = []
    held = 0
    for bucket in buckets:
        new = stand.waiting.get(bucket)
        more = stand.rows.get(bucket, 0) + (new.versions if new else 0)
        if not pieces or held + more > GROUP_ROWS:
            pieces.append([])
            held = 0
        pieces[-1].append(bucket)
        held += more
    return pieces
