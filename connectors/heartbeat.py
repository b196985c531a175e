"""The heartbeat of landing: the time through which all topics of a family are in its log.

One small object a family beside the logs, replaced whole: an idle landing adds no commit to a table.
It names a commit of the log by its version and digest, so that it holds for this log alone. Beside a
log restored from a backup, or made anew, it does not hold until the next landing has written another.
"""

from __future__ import annotations

import datetime as dt

from deltalake import DeltaTable
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from connectors import lake, store
from connectors.settings import Settings


class Commit(BaseModel):
    """A commit of a log: the table's version, and the SHA-256 of the commit's file."""

    model_config = ConfigDict(frozen=True)

    version: int
    digest: str


class Heartbeat(BaseModel):
    """`commit` holds every message that was in the family's topics at `through` (UTC).

    `through` is a time of the landing machine's clock.
    """

    model_config = ConfigDict(frozen=True)

    through: AwareDatetime
    commit: Commit


def newest_commit(table: DeltaTable) -> Commit:
    """Return the commit at which a log was opened."""
    place, version = store.place_of(table.table_uri), table.version()
    return Commit(version=version, digest=lake.commit_digest(place, version) or "")


def is_in_log(settings: Settings, family: str, commit: Commit) -> bool:
    """Return whether a commit is one of the log that lies there now. One small request."""
    place = lake.uri(settings, "log", family)
    return lake.commit_digest(place, commit.version) == commit.digest


def read_heartbeat(settings: Settings, family: str) -> Heartbeat | None:
    """Return what was written last; None where there is none, or none that can be read.

    Whether it holds for the log, `is_in_log` says. Raises StoreUnreachable, OSError.
    """
    content = store.read(_place(settings, family))
    try:
        return None if content is None else Heartbeat.model_validate_json(content)
    except ValidationError:
        return None


def write_heartbeat(settings: Settings, family: str, beat: Heartbeat, now: dt.datetime) -> None:
    """Replace a family's heartbeat, unless a newer one holds.

    A time later than `now` (UTC) is of a clock that was ahead, and is replaced. Raises
    StoreUnreachable, DiskFull, OSError.
    """
    last = read_heartbeat(settings, family)
    newer = last is not None and beat.through <= last.through <= now
    if newer and last is not None and is_in_log(settings, family, last.commit):
        return
    place, content = _place(settings, family), beat.model_dump_json().encode()
    try:
        store.replace(place, content)
    except store.StoreUnreachable:  # some servers refuse two writers of one object at once
        store.replace(place, content)


def held_through(settings: Settings, family: str) -> dt.datetime | None:
    """Return the time (UTC) through which a family was landed, by the heartbeat in the lake.

    None where it is not known. Never later than now, however far the landing machine's clock is
    ahead.
    """
    beat = read_heartbeat(settings, family)
    if beat is None or not is_in_log(settings, family, beat.commit):
        return None
    return min(beat.through, dt.datetime.now(dt.UTC))


def has_log(settings: Settings, family: str) -> bool:
    """Return whether a family has a log: one that has none was never landed."""
    return store.exists(f"{lake.uri(settings, 'log', family)}/_delta_log/{0:020}.json")


def _place(settings: Settings, family: str) -> str:
    return f"{settings.mianti_lake}/heartbeat/{family}.json"
