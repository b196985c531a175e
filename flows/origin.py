"""Which log a table was settled from, so that another log's versions are not taken for this one's.

A watermark is a number of the log's versions. After a restore that put the log back further than
history and datasets, or in a log made anew, the same numbers mean other commits: what is landed
under them would count as settled, and a revocation be in no dataset. So each table remembers the
last commit it was settled through, by its number and by what it says; a log that lacks that commit,
or has another in its place, is not the one. Rule: `docs/decisions/0004-history.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from deltalake import DeltaTable

from connectors import lake, store
from connectors.errors import MiantiError
from connectors.settings import Settings
from connectors.transactions import transactions
from flows.tail import marks_of

#: The transaction ids of the memory: the log's version (plus one), and 63 bits of its commit's
#: digest. What an earlier release settled has neither, until it is settled next.
THROUGH: Final = "log:through"
COMMIT: Final = "log:commit"
#: No commit has this digest.
_NONE: Final = -1
#: The memory of a table that is to be made again.
FORGOTTEN: Final = {THROUGH: 0, COMMIT: _NONE}


class OtherLog(MiantiError):
    """History or dataset were settled from another log, or from a later state of this one."""

    def __init__(self, family: str) -> None:
        """Say which family stands still, and the way out."""
        super().__init__(
            f"{family}: history and dataset were settled from another log than the one that is "
            "there, or from a later state of it (a restore, or a log made anew). Nothing more is "
            "settled, so that nothing landed is passed over; `mianti ask` and `mianti query` answer "
            "out of the log alone. Put history and datasets back to where the log is, or run "
            f"`mianti rebuild {family}`; then `mianti verify`.",
            f"{family}：history 和数据集依据的不是当前日志，或是其后来的状态（恢复了备份，或日志已重建）。"
            "为避免遗漏已入库的数据，数据集已停止更新；`mianti ask` 和 `mianti query` 仅按日志应答。"
            f"请将 history 和 datasets 恢复到与日志一致，或执行 `mianti rebuild {family}`，"
            "然后执行 `mianti verify`。",
        )


@dataclass(frozen=True)
class Origin:
    """A log as far as it is settled: its version plus one, and its last commit's digest."""

    through: int
    commit: int | None

    def ids(self, known: Mapping[str, int]) -> dict[str, int]:
        """Return what a table with some transactions is to remember; none where it knows more."""
        if self.commit is None or known.get(THROUGH, 0) >= self.through:
            return {}
        return {THROUGH: self.through, COMMIT: self.commit}


def origin(log: DeltaTable) -> Origin:
    """Return a log as it was opened."""
    return Origin(log.version() + 1, _commit(log, log.version()))


def _commit(log: DeltaTable, version: int) -> int | None:
    """Return 63 bits of a commit's digest, which fit a transaction's number."""
    digest = lake.commit_digest(store.place_of(log.table_uri), version)
    return None if digest is None else int(digest[:16], 16) >> 1


def is_own(log: DeltaTable, known: Mapping[str, int]) -> bool:
    """Return whether a table's watermarks are versions of this log, by the table's transactions.

    Without a memory the log's length alone decides. The log is opened after the table, so that it
    has all that the table has seen.
    """
    last, through = max(marks_of(known).values()), known.get(THROUGH, 0)
    if last == 0:
        return True
    if max(last, through) > log.version() + 1:
        return False
    return through == 0 or _commit(log, through - 1) == known.get(COMMIT)


def require_own(log: DeltaTable, table: DeltaTable, family: str) -> dict[str, int]:
    """Return a table's transactions. Raises OtherLog where it was settled from another log.

    One without a memory is given it: of this log, or else of a commit that no log has, for this one
    may grow past its watermarks, and all would look well.
    """
    known = transactions(table)
    own, last = is_own(log, known), max(marks_of(known).values())
    if last and known.get(THROUGH, 0) == 0:
        ids = origin(log).ids(known) if own else {THROUGH: last, COMMIT: _NONE}
        lake.append(table, lake.empty(table), ids)
    if not own:
        raise OtherLog(family)
    return known


def stopped(settings: Settings, family: str) -> OtherLog | None:
    """Return why a family is not settled any more; None where it is."""
    found = [lake.open_table(settings, kind, family) for kind in ("datasets", "history")]
    log = lake.open_table(settings, "log", family)
    for table in found:
        known = transactions(table)
        lost = log is None and max(marks_of(known).values()) > 0
        if lost or (log is not None and not is_own(log, known)):
            return OtherLog(family)
    return None
