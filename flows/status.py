"""Where each family stands: lag, counts, completeness, silence."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass, field
from typing import Any

from deltalake import DeltaTable
from kafka import KafkaConsumer

from connectors import lake
from connectors.damage import require_whole
from connectors.reading import bounds, consumer
from connectors.settings import Settings
from connectors.topics import family_topics, partitions
from connectors.transactions import transactions
from flows.complete import Cycle, cycles, stated
from flows.ground import positions
from flows.log import ACCEPTED, QUARANTINED
from flows.origin import stopped
from flows.settle import sizes
from flows.waiting import count_waiting


@dataclass(frozen=True)
class FamilyStatus:
    """One family: `lag` in messages not landed, `lag_seconds` the age of the oldest of them.

    `accepted`: rows of the log; `quarantined`: messages that wait to be redriven or discarded.
    `last_run`: when the log last took anything in (UTC). `complete_through`: by publisher and
    layout, ISO 8601 in UTC. `stopped`: why nothing more is settled, in both languages.
    """

    family: str
    lag: int = 0
    lag_seconds: float = 0.0
    accepted: int = 0
    quarantined: int = 0
    dataset_rows: int = 0
    complete_through: dict[str, dict[str, str | None]] = field(default_factory=dict)
    last_run: dt.datetime | None = None
    cycles: list[Cycle] = field(default_factory=list)
    stopped: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the object `mianti status --json` prints for a family."""
        return {
            "lag": self.lag,
            "lag_seconds": self.lag_seconds,
            "accepted": self.accepted,
            "quarantined": self.quarantined,
            "dataset_rows": self.dataset_rows,
            "complete_through": self.complete_through,
            "last_run": self.last_run.isoformat() if self.last_run else None,
            "stopped": self.stopped,
        }


def status(settings: Settings, family: str) -> FamilyStatus:
    """Return where a family stands. Raises Damaged, and NotRunning when Kafka cannot be found."""
    require_whole(settings, family)
    log = lake.open_table(settings, "log", family)
    dataset = lake.open_table(settings, "datasets", family)
    lag, seconds = _lag(settings, family, log)
    counts = verdicts(log) if log is not None else {}
    why = stopped(settings, family)
    return FamilyStatus(
        family,
        lag,
        seconds,
        counts.get(ACCEPTED, 0),
        count_waiting(log) if counts.get(QUARANTINED, 0) and log is not None else 0,
        sum(sizes(dataset).values()) if dataset is not None else 0,
        _complete(settings, family),
        _last_run(log) if log is not None else None,
        cycles(settings, family),
        str(why) if why is not None else None,
    )


def verdicts(log: DeltaTable) -> dict[str, int]:
    """Return the log's rows by verdict, from the table's own statistics."""
    return lake.rows_by(log, "verdict")


def _lag(settings: Settings, family: str, log: DeltaTable | None) -> tuple[int, float]:
    with consumer(settings) as client:
        parts = [p for topic in family_topics(settings, family) for p in partitions(client, topic)]
        first, ends = bounds(client, parts)
        at = positions(transactions(log), parts)
        behind = {part: max(at[part], first[part]) for part in parts if ends[part] > at[part]}
        lag = sum(ends[part] - at[part] for part in behind)
        return lag, _age(client, behind) if behind else 0.0


def _age(client: KafkaConsumer, behind: dict[Any, int]) -> float:
    """Return the age in seconds of the oldest message not landed, by the broker's clock."""
    client.assign(list(behind))
    for part, offset in behind.items():
        client.seek(part, offset)
    oldest: int | None = None
    seen: set[Any] = set()
    deadline = time.monotonic() + 10
    while seen != set(behind) and time.monotonic() < deadline:
        for part, records in client.poll(timeout_ms=200).items():
            seen.add(part)
            times = [record.timestamp for record in records[:1]]
            oldest = min([*times, *([oldest] if oldest is not None else [])])
    if oldest is None:
        return 0.0
    age = dt.datetime.now(dt.UTC).timestamp() - oldest / 1000
    return round(max(age, 0.0), 3)


def _complete(settings: Settings, family: str) -> dict[str, dict[str, str | None]]:
    told: dict[str, dict[str, str | None]] = {}
    for publisher, layout, through, *_ in stated(settings, family).iter_rows():
        told.setdefault(publisher, {})[layout] = through.isoformat() if through else None
    return told


def _last_run(log: DeltaTable) -> dt.datetime | None:
    newest = log.history(1)
    return dt.datetime.fromtimestamp(newest[0]["timestamp"] / 1000, dt.UTC) if newest else None
