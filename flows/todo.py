"""What a person has to do about an exchange: what waits, who is late, what was never stated complete."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from connectors.errors import MiantiError
from connectors.ledger import count_waiting
from connectors.settings import Settings
from connectors.topic_settings import Remark
from connectors.zone import open_zone
from flows.status import FamilyStatus
from schemas import contract

#: Landing that runs on takes a second, and one on a schedule some minutes.
_LONG_SECONDS: Final = 600


@dataclass(frozen=True)
class Waiting:
    """What waits on the publishers' side of this installation.

    `refused`: refused rows and failed files by publisher; `zone`: files in the drop zone by
    publisher ("": those that lie elsewhere than `<publisher>/<layout>/`). `faults`: what could not
    be looked at.
    """

    refused: dict[str, int] = field(default_factory=dict)
    zone: dict[str, int] = field(default_factory=dict)
    faults: list[MiantiError] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return what `mianti status --json` has of it."""
        return {"refused": self.refused, "zone": self.zone}


def waits(settings: Settings, now: dt.datetime) -> Waiting:
    """Return what waits in ledgers and drop zone; `now` is UTC. Raises BadContract."""
    found = Waiting()
    for name, line in contract.publishers(settings.mianti_publishers).publishers.items():
        try:
            counts = [count_waiting(settings.mianti_ledger, name, f) for f in line.families]
        except MiantiError as why:
            found.faults.append(why)
            continue
        if any(counts):
            found.refused[name] = sum(counts)
    try:
        for file in open_zone(settings.mianti_zone).dropped(now):
            name = file.publisher or ""
            found.zone[name] = found.zone.get(name, 0) + 1
    except MiantiError as why:
        found.faults.append(why)
    return found


def to_do(families: Sequence[FamilyStatus], waiting: Waiting, now: dt.datetime) -> Iterator[Remark]:
    """Yield what a person has to do, in English and Chinese; `now` is UTC. Pure.

    What is stopped or damaged says itself how it is mended.
    """
    for one in families:
        if one.lag and (one.lag_seconds or 0) > _LONG_SECONDS and not one.stopped:
            yield (
                f"{one.family}: {one.lag:,} messages were published more than {_LONG_SECONDS} s ago and are "
                "not landed: `mianti up` lands all the time, `mianti ingest` now.",
                f"{one.family}：{one.lag:,} 条消息发布超过 {_LONG_SECONDS} 秒仍未入库：`mianti up` 持续入库，"
                "`mianti ingest` 立即入库。",
            )
        if one.quarantined:
            yield (
                f"{one.family}: {one.quarantined:,} messages wait in quarantine, and nobody whom they "
                "may be about is exempted: `mianti quarantine list`.",
                f"{one.family}：{one.quarantined:,} 条消息被隔离，可能涉及的企业暂停免提交："
                "`mianti quarantine list`。",
            )
        for cycle in one.cycles:
            if cycle.missed(now) and cycle.heard_at is not None:
                silent = (now - cycle.heard_at).days
                yield (
                    f"{cycle.publisher} ({one.family}) is late: silent for {silent} days, promised "
                    f"every {cycle.cycle.days}. Nobody is exempted by what it does not say: ask it "
                    "for its export.",
                    f"{cycle.publisher}（{one.family}）逾期：已 {silent} 天未报送，承诺每 "
                    f"{cycle.cycle.days} 天报送一次。不能据其数据中没有的记录免提交，请催报。",
                )
        late = {cycle.publisher for cycle in one.cycles if cycle.missed(now)}
        for publisher, layout in one.outdated(now):
            if publisher not in late:
                yield _state(
                    publisher,
                    layout,
                    "was stated complete longer ago than promised",
                    "声明完整的时间已超过承诺周期",
                )
        for publisher, layout in one.never_complete():
            yield _state(publisher, layout, "was never stated complete", "从未声明完整")
    for publisher, count in waiting.refused.items():
        yield (
            f"{publisher}: {count:,} refused rows or failed files wait to be mended: `mianti refused "
            f"list --publisher {publisher}`.",
            f"{publisher}：{count:,} 个退回行或失败文件待修改：`mianti refused list --publisher {publisher}`。",
        )
    if any(waiting.zone.values()):
        count = sum(waiting.zone.values())
        yield (
            f"{count:,} files lie in the drop zone: the deployment `collect` publishes them, or "
            "`mianti collect`.",
            f"投放区中有 {count:,} 个文件：由 `collect` 流程发布，或执行 `mianti collect`。",
        )


def _state(publisher: str, layout: str, when: str, chinese: str) -> Remark:
    command = (
        f"mianti publish FILE --publisher {publisher} --layout {layout} --complete-through TIME"
    )
    return (
        f"{publisher} {layout} {when}, so nobody is exempted by it. Where an export "
        f"holds all of its data: `{command}` with the time it was made.",
        f"{publisher} {layout}：{chinese}，不能据此免提交。导出文件包含全部数据的，请执行 "
        f"`{command}`，TIME 填写导出时间。",
    )
