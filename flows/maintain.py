"""Keeping the tables small: compaction and vacuum that never break a follower.

A follower reads the log's change data from its watermark on, which needs the very files that each
later commit added, even when compaction has replaced them since. Reading the table as it stands
needs none of them. `docs/operator.md` has the trials behind the rules.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError, DeltaError

from connectors import lake
from connectors.disk import is_full, room
from connectors.settings import Settings
from connectors.store import files, place_of
from flows.tail import watermarks

#: What a reader may still hold open, and what a writer may still be writing, is younger.
RETAIN: Final = dt.timedelta(days=7)


@dataclass(frozen=True)
class Maintained:
    """What maintenance did to one table: live files before and after, files and bytes deleted.

    `held` counts files that only a follower still needs; `skipped` says why nothing was compacted.
    """

    family: str
    table: lake.Kind
    files_before: int
    files_after: int
    deleted: int
    freed: int
    held: int
    skipped: str | None = None


def maintain(settings: Settings, family: str, *, retain: dt.timedelta = RETAIN) -> list[Maintained]:
    """Compact and vacuum the tables of one family; return what was done to each that exists.

    Files that no version needs any more are deleted once they are older than `retain`, also where a
    full disk left no room to compact. Raises connectors.disk.DiskFull where it leaves none for that.
    """
    done = []
    for kind in lake.TABLES:
        table = lake.open_table(settings, kind, family)
        if table is not None:
            done.append(_maintain(settings, family, kind, table, retain))
    return done


def maintain_receipts(settings: Settings, *, retain: dt.timedelta = RETAIN) -> list[Maintained]:
    """Do the same to the table of the windows' receipts: each shipment is a file of its own."""
    table = lake.open_table(settings, "window", "receipts")
    return [] if table is None else [_maintain(settings, "receipts", "window", table, retain)]


def _slowest(settings: Settings, family: str) -> int | None:
    """Return the first log version whose change data a follower still needs; None: it needs none.

    A bucket never settled (0) is read from the table as it stands.
    """
    history = lake.open_table(settings, "history", family)
    return min((mark for mark in watermarks(history).values() if mark > 0), default=None)


def _maintain(
    settings: Settings, family: str, kind: lake.Kind, table: DeltaTable, retain: dt.timedelta
) -> Maintained:
    before, there = len(table.file_uris()), files(lake.uri(settings, kind, family))
    skipped = _compact(table)
    first = _slowest(settings, family) if kind == "log" else None
    needed = _still_read(table, first) if first is not None else []
    # A vacuum also names what an earlier one has deleted.
    past = there.keys() & set(_vacuum(table, retain, [], dry_run=True))
    gone = there.keys() & set(_vacuum(table, retain, needed, dry_run=True))
    freed = sum(there[name] for name in gone)
    if gone:
        with room(place_of(table.table_uri)):
            _vacuum(table, retain, needed, dry_run=False)
            table.create_checkpoint()
    after = len(table.file_uris())
    held = len(past) - len(gone)
    return Maintained(family, kind, before, after, len(gone), freed, held, skipped)


def _compact(table: DeltaTable) -> str | None:
    """Write small files together; return why not, when it could not be done."""
    try:
        # One piece at a time: two at once hold a fifth more, for as much of the processor.
        table.optimize.compact(max_concurrent_tasks=1)
    except CommitFailedError:
        # Settling has replaced what was being compacted; its files are in one piece anyway.
        table.update_incremental()
        return "another run was writing to the table"
    except (DeltaError, OSError) as error:
        if not is_full(error):
            raise
        return "the disk is full"  # what is deleted next makes room
    return None


def _still_read(table: DeltaTable, first: int) -> list[int]:
    """Return versions whose files, together, hold the change data from version `first` on.

    The log only grows, so a file leaves it by compaction alone: one added at `first` or later is
    in the table until just before the compaction that replaces it. Older files of that version
    are kept along with it, until the follower has passed the compaction.
    """
    later = table.history(table.version() - first) if table.version() > first else []
    return [commit["version"] - 1 for commit in later if commit["operation"] == "OPTIMIZE"]


def _vacuum(
    table: DeltaTable, retain: dt.timedelta, needed: list[int], *, dry_run: bool
) -> list[str]:
    return table.vacuum(
        retention_hours=round(retain / dt.timedelta(hours=1)),
        enforce_retention_duration=False,
        # Also what a checkpoint has forgotten, or a lost commit has left behind.
        full=True,
        keep_versions=needed,
        dry_run=dry_run,
    )
