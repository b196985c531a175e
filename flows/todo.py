"""What a person has to do about an exchange, for `mianti status`, the artifact and the alarms.

What waits in the tables is said once, in `flows.matters`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from connectors.errors import MiantiError
from connectors.heartbeat import has_log, held_through
from connectors.ledger import count_waiting
from connectors.settings import Settings
from connectors.stack import Stack
from connectors.topic_settings import Remark
from connectors.zone import open_zone
from flows.matters import EVERYONE, Matter, Said, of_family
from flows.origin import stopped
from flows.status import FamilyStatus, status
from schemas import contract
from schemas.families import FAMILIES

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


def to_do(families: Sequence[FamilyStatus], waiting: Waiting) -> Iterator[Remark]:
    """Yield what a person has to do, in English and Chinese; pure.

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
        for matter in one.matters:
            english, chinese = matter.sentences
            yield f"{matter.about}: {english}", f"{matter.about}：{chinese}"
    landed = {m.about.split("/")[1] for f in families for m in f.matters if m.kind == "refused"}
    for publisher, count in waiting.refused.items():
        if publisher in landed:
            continue
        yield (
            f"{publisher}: {count:,} refused rows or failed files wait to be mended: `mianti refused "
            f"list --publisher {publisher}`.",
            f"{publisher}：{count:,} 个退回行或失败文件待修改：`mianti refused list --publisher {publisher}`。",
        )
    if any(waiting.zone.values()):
        count = sum(waiting.zone.values())
        yield (
            f"Files in the drop zone: {count:,}. The deployment `collect` publishes them, or `mianti collect`.",
            f"投放区中有 {count:,} 个文件：由 `collect` 流程发布，或执行 `mianti collect`。",
        )


def matters(settings: Settings, now: dt.datetime) -> list[Matter]:
    """Return what waits in the lake and at the home's window, at a time (UTC).

    Raises what reading the tables raises.
    """
    landed = [family for family in FAMILIES if has_log(settings, family)]
    found = [
        one
        for family in landed
        for one in (*_landing(settings, family, now), *of_family(settings, family, now))
    ]
    # A window of a home where nothing was ever landed has nothing to answer from.
    return [*found, *(_at_window(settings) if landed else ())]


def _landing(settings: Settings, family: str, now: dt.datetime) -> Iterator[Matter]:
    """Yield that a family is not landed any more, by its heartbeat; or not settled any more."""
    through, limit = held_through(settings, family), settings.mianti_window_behind_seconds
    if through is None or (now - through).total_seconds() > limit:
        english, chinese = _why(settings, family)
        yield Matter(
            "landing",
            family,
            (
                f"What is published is not landed any more. {english}".strip(),
                f"新发布的数据未能入库。{chinese}",
            ),
            (f"{EVERYONE[0]}: windows answer 503", f"{EVERYONE[1]}：服务窗口返回 503"),
            ("`mianti status`, and what it says", "执行 `mianti status` 并按提示处理"),
            since=through,
        )
    other = stopped(settings, family)
    if other is not None:
        yield Matter(
            "settling",
            family,
            (other.message_en, other.message_zh),
            EVERYONE,
            (f"`mianti rebuild {family}`, or restore", "重建或恢复备份"),
        )


def _why(settings: Settings, family: str) -> Said:
    try:
        told = status(settings, family).stopped
    except MiantiError as error:
        return error.message_en, error.message_zh
    return (told, "原因一并列在英文说明中。") if told else ("", "")  # it says both


def _at_window(settings: Settings) -> Iterator[Matter]:
    server = Stack.read(settings.mianti_home).window
    if server is None or server.pid is None:  # never opened, or closed by `mianti down`
        return
    try:
        answer = httpx.get(f"{server.address}/health", timeout=10, trust_env=False)
        told = str(answer.status_code)
    except httpx.TransportError as error:
        told = type(error).__name__
    if told != str(httpx.codes.OK.value):
        yield Matter(
            "window",
            settings.mianti_window_name,
            (f"The window does not answer questions ({told}).", f"服务窗口不能应答（{told}）。"),
            EVERYONE,
            ("`mianti window status`; `mianti up`", "执行 `mianti window status` 或 `mianti up`"),
        )
