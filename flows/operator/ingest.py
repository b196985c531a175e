"""The flow that lands what Kafka holds and settles what is due."""

from __future__ import annotations

import logging
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from connectors.settings import Settings, read_settings
from flows.ground import told_of_topics
from flows.ingest import Ingested, ingest
from flows.operator import telling
from flows.operator.families import EVERY, Family, each
from flows.operator.lag import lags
from flows.operator.quarantined import tell_quarantined
from flows.operator.words import ingest_line, ingest_summary, ingested_text, landed_rows

_log = logging.getLogger(__name__)


@flow(name="ingest", flow_run_name="ingest")
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
    telling.show_logs()
    outcome = each(families, lambda family: _ingest(read_settings(), family, accept_gap))
    return telling.end("ingest", ingest_summary(outcome.done.values()), outcome.failed)


def _ingest(settings: Settings, family: str, accept_gap: bool) -> Ingested:
    done = ingest(settings, family, accept_gap=accept_gap)
    landed = done.landed
    _log.info("%s", ingest_line(done))
    for english, chinese in told_of_topics(landed.unlisted, landed.compacted):
        _log.warning("%s: %s\n%s", family, english, chinese)
    if landed.parts:
        rows = landed_rows(landed, lags(settings, family))
        telling.table(f"ingest-{family}", rows, ingested_text(done))
    if landed.quarantined:
        tell_quarantined(settings, landed)
    return done
