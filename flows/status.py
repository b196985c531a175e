"""Where each family stands: lag, counts, completeness, silence."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from deltalake import DeltaTable
from kafka import KafkaConsumer
from kafka.errors import BrokerResponseError

from connectors import lake
from connectors.damage import explained, require_whole
from connectors.errors import MiantiError
from connectors.heartbeat import held_through
from connectors.reading import consumer
from connectors.settings import Settings
from connectors.topic_settings import Remark, remarks
from connectors.transactions import transactions
from flows.complete import Cycle, cycles, layouts, sent, stated
from flows.ground import compacted_so_far, require_sound, stand, survey, told_of_topics
from flows.log import ACCEPTED
from flows.matters import Matter, in_tables
from flows.origin import stopped
from flows.settle import sizes
from schemas import contract


@dataclass(frozen=True)
class FamilyStatus:
    """One family: `lag` in messages not landed, `lag_seconds` the age of the oldest of them.

    `accepted`: rows of the log; `quarantined`: messages that wait to be redriven or discarded. What
    could not be asked is None.
    `last_run`: when the log last took anything in (UTC). `landed_through` (UTC): everything
    published before it is in the log; None where that is not known. `complete_through`: by
    publisher and layout, ISO 8601 in UTC. `matters`: what waits for a person. `stopped`: why
    nothing more is landed or settled, in both languages; None: it is. `remarks`: what else must be
    looked at, in English and Chinese; `compacted` and `topics_not_read` are among them. `faults`:
    what could not be looked at, and why.
    """

    family: str
    lag: int | None = None
    lag_seconds: float | None = None
    accepted: int | None = None
    quarantined: int | None = None
    dataset_rows: int | None = None
    complete_through: dict[str, dict[str, str | None]] = field(default_factory=dict)
    last_run: dt.datetime | None = None
    landed_through: dt.datetime | None = None
    cycles: list[Cycle] = field(default_factory=list)
    matters: list[Matter] = field(default_factory=list)
    stopped: str | None = None
    remarks: list[Remark] = field(default_factory=list)
    compacted: int = 0
    topics_not_read: list[str] = field(default_factory=list)
    faults: list[MiantiError] = field(default_factory=list)

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
            "publishers": [
                {
                    "publisher": one.publisher,
                    "heard_at": one.heard_at.isoformat() if one.heard_at else None,
                    "cycle_days": one.cycle / dt.timedelta(days=1),
                    "late": one.missed(dt.datetime.now(dt.UTC)),
                }
                for one in self.cycles
            ],
            "faults": [{"en": why.message_en, "zh": why.message_zh} for why in self.faults],
        }


def status(settings: Settings, family: str) -> FamilyStatus:
    """Return where a family stands. Raises Damaged, and NotRunning when Kafka cannot be found."""
    found = look(settings, family)
    if found.faults:
        raise found.faults[0]
    return found


def look(settings: Settings, family: str, away: MiantiError | None = None) -> FamilyStatus:
    """Return where a family stands, as far as it can be seen; the rest is among its `faults`.

    `away`: why Kafka does not answer, where that is known; it is not asked again.
    """
    faults: list[MiantiError] = []
    found: dict[str, Any] = {}
    with noting(settings, family, faults):
        require_whole(settings, family)
    whole = not faults
    with noting(settings, family, faults):
        log = lake.open_table(settings, "log", family)
        known = transactions(log)
        found["last_run"] = _last_run(log) if log is not None else None
        if away is None:
            with noting(settings, family, faults):
                found |= _ask_kafka(settings, family, known)
        else:
            faults.append(away)
        if whole:
            found |= _lake(settings, family, log)
    why = found.pop("not_settled", None)
    stops = "\n".join(filter(None, [found.pop("not_landed", None), str(why or "")]))
    return FamilyStatus(family, **found, stopped=stops or None, faults=faults)


@contextmanager
def noting(settings: Settings, family: str, faults: list[MiantiError]) -> Iterator[None]:
    """Note what goes wrong in the block: a damaged table is told once, whoever stumbles over it."""
    try:
        yield
    except Exception as error:
        why = error if isinstance(error, MiantiError) else explained(settings, error, (family,))
        if why is None and isinstance(error, BrokerResponseError):
            kind = type(error).__name__
            why = MiantiError(f"Kafka refused ({kind}).", f"Kafka 拒绝了请求（{kind}）。")
        if why is None:
            raise
        if str(why) not in map(str, faults):
            faults.append(why)


def _lake(settings: Settings, family: str, log: DeltaTable | None) -> dict[str, Any]:
    """Return what the lake says, by `FamilyStatus`'s names; `not_settled`: why nothing is settled."""
    dataset = lake.open_table(settings, "datasets", family)
    counts = verdicts(log) if log is not None else {}
    landed, statements = sent(log), stated(settings, family)
    told, promised = layouts(landed, statements), cycles(settings, family, landed)
    now = dt.datetime.now(dt.UTC)
    waits = in_tables(family, log, statements, told, promised, now)
    return {
        "accepted": counts.get(ACCEPTED, 0),
        "quarantined": sum(one.count for one in waits if one.kind == "quarantine"),
        "dataset_rows": sum(sizes(dataset).values()) if dataset is not None else 0,
        "complete_through": {
            publisher: {layout: at.isoformat() if at else None for layout, at in of.items()}
            for publisher, of in told.items()
        },
        "landed_through": held_through(settings, family),
        "cycles": promised,
        "matters": waits,
        "not_settled": stopped(settings, family),
    }


def verdicts(log: DeltaTable) -> dict[str, int]:
    """Return the log's rows by verdict, from the table's own statistics."""
    return lake.rows_by(log, "verdict")


def _ask_kafka(settings: Settings, family: str, known: dict[str, int]) -> dict[str, Any]:
    """Return what Kafka holds that the log does not, by `FamilyStatus`'s names.

    `not_landed`: why it cannot be landed. `known`: the log's transactions.
    """
    publishers = contract.publishers(settings.mianti_publishers).publishers
    with consumer(settings) as client:
        ground = stand(survey(settings, family, client, publishers), client, known)
        at, first, ends = ground.start, ground.first, ground.ends
        behind = {p: max(at[p], first[p]) for p in ground.parts if ends[p] > at[p]}
        lag = sum(ends[part] - at[part] for part in behind)
        seconds = _age(client, behind) if behind else 0.0
        not_landed = None
        try:
            require_sound(ground, client, known)
        except MiantiError as why:
            not_landed = f"landing is stopped · 入库已停止: {why}"
    compacted = compacted_so_far(known)
    return {
        "lag": lag,
        "lag_seconds": seconds,
        "not_landed": not_landed,
        "remarks": [*told_of_topics(ground.unlisted, compacted), *remarks(ground.configs)],
        "compacted": compacted,
        "topics_not_read": ground.unlisted,
    }


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


def _last_run(log: DeltaTable) -> dt.datetime | None:
    newest = log.history(1)
    return dt.datetime.fromtimestamp(newest[0]["timestamp"] / 1000, dt.UTC) if newest else None
