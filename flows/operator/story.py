"""What happened since the last run that told of it, whoever landed it. Pure.

The landing that runs on lands within a second what the next run of `ingest` then settles. So a run
tells the difference between what the tables have now and what the last run has told, not what it
did with its own hands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flows.ingest import Ingested
from flows.operator.words import Row

_FAMILY: Final = "family · 类别"
_ALL: Final = (
    "accepted in all · 累计入库",
    "quarantined in all · 累计隔离",
    "dataset rows · 数据集行数",
)


@dataclass(frozen=True)
class Total:
    """What a family's tables have: messages accepted and quarantined ever, rows in the dataset."""

    accepted: int
    quarantined: int
    rows: int


@dataclass(frozen=True)
class Change:
    """What one run tells of a family: `own` of the accepted were landed by the run itself.

    `versions`: new ones taken into history and dataset.
    """

    family: str
    before: Total
    now: Total
    own: int = 0
    versions: int = 0

    @property
    def accepted(self) -> int:
        """Return how many messages were accepted; none where a restore took some back."""
        return max(self.now.accepted - self.before.accepted, 0)

    @property
    def quarantined(self) -> int:
        """Return how many messages were quarantined."""
        return max(self.now.quarantined - self.before.quarantined, 0)

    @property
    def any(self) -> bool:
        """Whether there is anything to tell."""
        return self.before != self.now or self.versions > 0


def change(done: Ingested, now: Total, before: Total | None) -> Change:
    """Return what a run tells of a family, by what the last one has told of it.

    Where that is not known: what the run itself has landed, and settled of what others landed. A
    log only grows: what was told of one that was more is of another, put back or made anew.
    """
    landed, settled = done.landed, done.settled
    if before is None or now.accepted < before.accepted + landed.accepted:
        rows = now.rows if settled.rows_before is None else settled.rows_before
        accepted = max(landed.accepted, min(settled.versions, now.accepted))
        before = Total(now.accepted - accepted, now.quarantined - landed.quarantined, rows)
    return Change(done.family, before, now, landed.accepted, settled.versions)


def summary(changes: Iterable[Change]) -> str:
    """Return what happened, such as `225 accepted, 3 quarantined (credit); credit 468 → 693 rows`."""
    told = [one for one in changes if one.any]
    landed = [one for one in told if one.accepted or one.quarantined]
    parts = [_landed(landed)] if landed else []
    parts += [said for one in told if (said := _dataset(one))]
    return "; ".join(parts) or "nothing new"


def _landed(changes: list[Change]) -> str:
    quarantined = sum(one.quarantined for one in changes)
    said = f"{sum(one.accepted for one in changes):,} accepted"
    said += f", {quarantined:,} quarantined" if quarantined else ""
    return f"{said} ({', '.join(one.family for one in changes)})"


def _dataset(one: Change) -> str:
    if one.before.rows != one.now.rows:
        return f"{one.family} {one.before.rows:,} → {one.now.rows:,} rows"
    return f"{one.family} {one.versions:,} updated" if one.versions else ""


def rows(changes: Iterable[Change], told: Mapping[str, Total]) -> list[Row]:
    """Return one line for each family, those that this run left alone as they were told before."""
    now = {family: Change(family, total, total) for family, total in told.items()}
    now |= {one.family: one for one in changes}
    return [
        {
            _FAMILY: one.family,
            "accepted since the last run · 上次运行以来入库": one.accepted,
            "of these by this run · 其中本次运行入库": min(one.own, one.accepted),
            "quarantined since · 上次运行以来隔离": one.quarantined,
            "dataset rows before · 此前行数": one.before.rows,
            "taken into the dataset · 本次更新": one.versions,
            **dict(zip(_ALL, (one.now.accepted, one.now.quarantined, one.now.rows), strict=True)),
        }
        for one in now.values()
    ]


def totals(lines: Iterable[Any]) -> dict[str, Total]:
    """Return what `rows` has told, by family; nothing of a line that is not one of them."""
    found: dict[str, Total] = {}
    for line in lines:
        values = [line.get(name) for name in _ALL] if isinstance(line, dict) else []
        numbers = [value for value in values if isinstance(value, int)]
        if len(numbers) == len(_ALL):
            found[str(line.get(_FAMILY))] = Total(*numbers)
    return found
