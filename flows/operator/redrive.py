"""The flows that empty the quarantine: judge again what waits, or give it up."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable
from typing import Any

import polars as pl
from prefect import flow
from prefect.client.schemas.objects import State

from connectors.errors import MiantiError
from connectors.settings import read_settings
from flows.operator import telling, waits
from flows.operator.families import EVERY, Family, each
from flows.operator.words import Row
from flows.operators import known
from flows.quarantine import LISTED, Chosen, discard, listed, parse_place, require_said
from flows.redrive import Redriven, redrive
from schemas.reasons import sentence

_log = logging.getLogger(__name__)


class NothingSaid(MiantiError):
    """A run does not say which messages to discard, or since when."""


@flow(name="redrive", flow_run_name="redrive")
@telling.in_words("redrive")
def redrive_flow(
    families: list[Family] = EVERY,
    reason: str | None = None,
    publisher: str | None = None,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    discarded: bool = False,
) -> State[Any]:
    """Judge quarantined messages again; what is right by now is accepted, once · 重新检查隔离消息

    Args:
        families: Which families. 数据类别。
        reason: Only what waits for this reason (a code such as unknown_code). 仅此原因代码。
        publisher: Only this publisher's messages. 仅此发布部门的消息。
        since: Only what was landed at or after this time, with its zone. 入库时间起（须含时区）。
        until: Only what was landed before this time, with its zone. 入库时间止（须含时区）。
        discarded: Take back what was discarded, not what waits. 取回已放弃的消息。
    """
    telling.begin()
    _require_zones(since, until)
    chosen = Chosen(reason, publisher, since, until, discarded=discarded)
    settings = read_settings()
    outcome = each(families, lambda family: redrive(settings, family, chosen))
    _tell_waiting(outcome.done)
    return telling.end("redrive", redriven_line(outcome.done.values()), outcome.failed)


@flow(name="discard", flow_run_name="discard")
@telling.in_words("discard")
def discard_flow(
    by: str,
    why: str,
    place: str | None = None,
    families: list[Family] = EVERY,
    reason: str | None = None,
    publisher: str | None = None,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
) -> State[Any]:
    """Give quarantined messages up; who did it and why is recorded · 放弃隔离消息并留痕

    Args:
        by: Needed: an id or a name of the operators' table (operators.yaml in the home). Prefect
            keeps what is typed here. 必填：经办人表（operators.yaml）中的编号或姓名；此处内容由 Prefect 保存。
        why: Needed: why, on one line, without personal data. 必填：原因，一行，不得含个人信息。
        place: One message, as TOPIC/PARTITION/OFFSET. Of place, reason, publisher, since and until
            at least one is needed; what fits all that are given is discarded.
            一条消息：主题/分区/位点。place、reason、publisher、since、until 至少填写一项，同时符合的才被放弃。
        families: Which families. 数据类别。
        reason: Only what waits for this reason (a code such as bad_frame). 仅此原因代码。
        publisher: Only this publisher's messages. 仅此发布部门的消息。
        since: Only what was landed at or after this time, with its zone. 入库时间起（须含时区）。
        until: Only what was landed before this time, with its zone. 入库时间止（须含时区）。
    """
    telling.begin()
    settings = read_settings()
    _require_zones(since, until)
    one = parse_place(place) if place else None
    chosen = Chosen(reason, publisher, since, until, one)
    if chosen == Chosen():
        raise NothingSaid(
            "Say which messages: a place, a reason, a publisher or a time.",
            "请指定要放弃的消息：位置、原因、发布部门或入库时间。",
        )
    require_said(by, why)
    by = known(settings, by)
    outcome = each(families, lambda family: discard(settings, family, chosen, by=by, why=why))
    _tell_waiting(outcome.done)
    summary = f"{sum(outcome.done.values()):,} discarded"
    return telling.end("discard", summary, outcome.failed)


def _require_zones(*times: dt.datetime | None) -> None:
    if any(time is not None and time.tzinfo is None for time in times):
        raise NothingSaid(
            "A time needs its zone, such as 2026-05-01T00:00:00+08:00.",
            "时间须含时区，例如 2026-05-01T00:00:00+08:00。",
        )


def redriven_line(done: Iterable[Redriven]) -> str:
    """Return what redriving came to, such as `12 accepted, 3 wait on`."""
    every = list(done)
    on = sum(one.waiting for one in every)
    return f"{sum(one.accepted for one in every):,} accepted, {on:,} wait on"


def _tell_waiting(families: Iterable[str]) -> None:
    settings = read_settings()
    counted = [listed(settings, family, Chosen()) for family in families]
    found = pl.concat([pl.DataFrame(schema=LISTED), *counted])
    told = "What waits in quarantine · 尚在隔离区的消息"
    telling.table("quarantine", waiting_rows(found), told)
    waits.renew(settings)


def waiting_rows(found: pl.DataFrame) -> list[Row]:
    """Return one line for each topic and reason (`flows.quarantine.LISTED`)."""
    return [
        {
            "topic · 主题": row["topic"],
            "reason · 原因": row["reason"],
            "meaning · 含义": _meaning(row["reason"]),
            "messages · 条数": row["messages"],
            "oldest · 最早": f"{row['oldest']:%Y-%m-%d %H:%M} UTC",
        }
        for row in found.iter_rows(named=True)
    ]


def _meaning(reason: str) -> str:
    said = sentence(reason, "…")
    return f"{said.en} {said.zh}"
