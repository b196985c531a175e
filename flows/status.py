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
from connectors.errors import MiantiError
from connectors.heartbeat import held_through
from connectors.reading import consumer
from connectors.settings import Settings
from connectors.topic_settings import Remark, remarks
from connectors.transactions import transactions
from flows.complete import Cycle, cycles, stated
from flows.ground import compacted_so_far, require_sound, stand, survey, told_of_topics
from flows.log import ACCEPTED, QUARANTINED
from flows.origin import stopped
from flows.settle import sizes
from flows.waiting import count_waiting
from schemas import contract


@dataclass(frozen=True)
class FamilyStatus:
    """One family: `lag` in messages not landed, `lag_seconds` the age of the oldest of them.

    `accepted`: rows of the log; `quarantined`: messages that wait to be redriven or discarded.
    `last_run`: when the log last took anything in (UTC). `landed_through` (UTC): everything
    published before it is in the log; None where that is not known. `complete_through`: by
    publisher and layout, ISO 8601 in UTC. `stopped`: why nothing more is landed or settled, in both
    languages; None: it is. `remarks`: what else must be looked at, in English and Chinese;
    `compacted` and `topics_not_read` are among them.
    """

    family: str
    lag: int = 0
    lag_seconds: float = 0.0
    accepted: int = 0
    quarantined: int = 0
    dataset_rows: int = 0
    complete_through: dict[str, dict[str, str | None]] = field(default_factory=dict)
    last_run: dt.datetime | None = None
    landed_through: dt.datetime | None = None
    cycles: list[Cycle] = field(default_factory=list)
    stopped: str | None = None
    remarks: list[Remark] = field(default_factory=list)
    compacted: int = 0
    topics_not_read: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the object `mianti status --json` prints for a family."""
        return {
            "lag": self.lag,
            "lag_seconds": self.lag_seconds,
            "accepted": self.accepted,
            "quarantined": self.quarantined,
            "dataset_rows": self.dataset_rows,
            "complete_through": self.complete_through,
            "remarks": [{"en": english, "zh": chinese} for english, chinese in self.remarks],
            "compacted": self.compacted,
            "topics_not_read": self.topics_not_read,
            "last_run": self.last_run.isoformat() if self.last_run else None,
            "landed_through": self.landed_through.isoformat() if self.landed_through else None,
            "stopped": self.stopped,
        }


def status(settings: Settings, family: str) -> FamilyStatus:
    """Return where a family stands. Raises Damaged, and NotRunning when Kafka cannot be found."""
    require_whole(settings, family)
    log = lake.open_table(settings, "log", family)
    dataset = lake.open_table(settings, "datasets", family)
    kafka = _ask_kafka(settings, family, log)
    counts = verdicts(log) if log is not None else {}
    why = stopped(settings, family)
    return FamilyStatus(
        family,
        kafka.lag,
        kafka.seconds,
        counts.get(ACCEPTED, 0),
        count_waiting(log) if counts.get(QUARANTINED, 0) and log is not None else 0,
        sum(sizes(dataset).values()) if dataset is not None else 0,
        _complete(settings, family),
        _last_run(log) if log is not None else None,
        held_through(settings, family),
        cycles(settings, family),
        "\n".join(filter(None, [kafka.stopped, str(why or "")])) or None,
        kafka.remarks,
        kafka.compacted,
        kafka.unlisted,
    )


def verdicts(log: DeltaTable) -> dict[str, int]:
    """Return the log's rows by verdict, from the table's own statistics."""
    return lake.rows_by(log, "verdict")


@dataclass(frozen=True)
class _Kafka:
    """What Kafka holds that the log does not, and whether it can be landed."""

    lag: int
    seconds: float
    stopped: str | None
    remarks: list[Remark]
    compacted: int
    unlisted: list[str]


def _ask_kafka(settings: Settings, family: str, log: DeltaTable | None) -> _Kafka:
    known = transactions(log)
    publishers = contract.publishers(settings.mianti_publishers).publishers
    with consumer(settings) as client:
        ground = stand(survey(settings, family, client, publishers), client, known)
        at, first, ends = ground.start, ground.first, ground.ends
        behind = {p: max(at[p], first[p]) for p in ground.parts if ends[p] > at[p]}
        lag = sum(ends[part] - at[part] for part in behind)
        seconds = _age(client, behind) if behind else 0.0
        landing_stopped = None
        try:
            require_sound(ground, client, known)
        except MiantiError as why:
            landing_stopped = f"landing is stopped · 入库已停止: {why}"
    compacted = compacted_so_far(known)
    told = [*told_of_topics(ground.unlisted, compacted), *remarks(ground.configs)]
    return _Kafka(lag, seconds, landing_stopped, told, compacted, ground.unlisted)


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
