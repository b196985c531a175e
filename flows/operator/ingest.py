"""The flow that lands what Kafka holds and settles what is due."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from prefect import flow
from prefect.client.schemas.objects import State

from connectors import lake
from connectors.settings import Settings, read_settings
from flows.ground import told_of_topics
from flows.ingest import ingest
from flows.log import ACCEPTED, QUARANTINED
from flows.operator import story, telling
from flows.operator.families import EVERY, Family, each
from flows.operator.lag import lags
from flows.operator.quarantined import tell_quarantined
from flows.operator.words import ingested_text, landed_rows
from flows.settle import sizes

_log = logging.getLogger(__name__)
_KEY: Final = "ingest"
_TOLD: Final = (
    "What was landed since the last run that told of it, whoever landed it (this run, the landing "
    "that runs on, a command), and what changed in the datasets.\n\n"
    "上次报告以来的入库情况（无论由本次运行、持续入库还是命令行完成），以及数据集的变化。"
)


@flow(name="ingest", flow_run_name="ingest")
@telling.in_words("ingest")
def ingest_flow(families: list[Family] = EVERY, accept_gap: bool = False) -> State[Any]:
    """Land what Kafka holds now, and settle what is due · 接入新消息并更新数据集

    Args:
        families: Which families to take in; the others are left alone. 要接入的数据类别。
        accept_gap: Go on although messages were deleted from Kafka before they were landed; the
            log remembers how many; or although a topic is another of its name (a mirrored
            cluster). Only when they are lost for good: never in a schedule.
            消息在入库前已被 Kafka 清除时仍继续，缺口数量会记入日志；或主题已换为同名主题（镜像集群）。
            仅在确认无法恢复时使用。
    """
    telling.begin()
    told = story.totals(telling.lines(_KEY))
    outcome = each(families, lambda family: _ingest(read_settings(), family, accept_gap, told))
    changes = outcome.done.values()
    if any(one.any for one in changes):
        telling.table(_KEY, story.rows(changes, told), _TOLD)
    return telling.end("ingest", story.summary(changes), outcome.failed)


def _ingest(
    settings: Settings, family: str, accept_gap: bool, told: Mapping[str, story.Total]
) -> story.Change:
    done = ingest(settings, family, accept_gap=accept_gap)
    change = story.change(done, _total(settings, family), told.get(family))
    landed = done.landed
    _log.info("%s: %s", family, story.summary([change]))
    for english, chinese in told_of_topics(landed.unlisted, landed.compacted):
        _log.warning("%s: %s\n%s", family, english, chinese)
    if landed.parts:
        rows = landed_rows(landed, lags(settings, family))
        telling.table(f"ingest-{family}", rows, ingested_text(done))
    if landed.quarantined:
        tell_quarantined(settings, landed)
    return change


def _total(settings: Settings, family: str) -> story.Total:
    """Return what a family's tables have, from their own statistics."""
    log, dataset = (lake.open_table(settings, kind, family) for kind in ("log", "datasets"))
    counts = lake.rows_by(log, "verdict") if log is not None else {}
    rows = sum(sizes(dataset).values()) if dataset is not None else 0
    return story.Total(counts.get(ACCEPTED, 0), counts.get(QUARANTINED, 0), rows)
