"""The page of all that waits: one artifact, put in its own place each time, never a history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final

from connectors.settings import Settings
from flows.matters import Matter
from flows.operator import telling
from flows.operator.words import Row
from flows.todo import matters

KEY: Final = "what-waits"
_KINDS: Final = {
    "quarantine": "in quarantine · 隔离",
    "refused": "refused · 被退回",
    "landing": "landing stopped · 入库停止",
    "settling": "datasets stand still · 数据集停止更新",
    "window": "window · 服务窗口",
    "cycle": "publisher silent · 超期未报送",
    "completeness": "not stated complete · 未声明完整",
    "deployment": "no completed run · 无成功运行",
    "webhook": "alarms not taken · 报警未被接收",
}


def renew(settings: Settings) -> None:
    """Look at all that waits, and put it into the artifact. Raises what reading or Prefect raises."""
    now = dt.datetime.now(dt.UTC)
    tell(matters(settings, now), now)


def tell(found: Iterable[Matter], now: dt.datetime) -> None:
    """Put what waits at a time (UTC) into the artifact."""
    every = list(found)
    telling.renew(KEY, rows(every), description(every, now))


def description(found: list[Matter], now: dt.datetime) -> str:
    """Return what stands above the table."""
    local = f"{now.astimezone():%Y-%m-%d %H:%M:%S %Z}"
    if not found:
        return f"Nothing waits · 没有待处理事项. {local}"
    return (
        f"As of {local}, waiting for a person: {len(found):,}. Until each is done, windows exempt none "
        "of the enterprises named beside it by the data concerned.\n\n"
        f"截至 {local} 有 {len(found):,} 项待处理。处理之前，窗口不会依据有关数据对所列企业免提交。"
    )


def rows(found: Iterable[Matter]) -> list[Row]:
    """Return one line for each thing that waits."""
    return [
        {
            "what waits · 事项": _KINDS[one.kind],
            "where · 位置": one.about,
            "why · 原因": " ".join(one.said),
            "how many · 数量": f"{one.count:,}" if one.count else "",
            "since · 起始": f"{one.since.astimezone():%Y-%m-%d %H:%M %Z}" if one.since else "",
            "whose exemptions it stops · 影响哪些企业": " · ".join(one.stops),
            "what to do · 处理": " · ".join(one.to_do),
        }
        for one in found
    ]
