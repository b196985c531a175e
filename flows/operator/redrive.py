"""The flows that empty the quarantine: judge again what waits, or give it up."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import polars as pl
from prefect import flow
from prefect.client.schemas.objects import State
from pydantic import AwareDatetime

from connectors.errors import MiantiError
from connectors.settings import read_settings
from flows.operator import telling
from flows.operator.families import EVERY, Family, each
from flows.operator.words import Row
from flows.quarantine import LISTED, Chosen, discard, listed, require_said
from flows.redrive import Redriven, redrive
from schemas.reasons import sentence

_log = logging.getLogger(__name__)


class NothingSaid(MiantiError):
    """A run does not say which messages to discard."""


@flow(name="redrive", flow_run_name="redrive")
def redrive_flow(
    families: list[Family] = EVERY,
    reason: str | None = None,
    publisher: str | None = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
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
    telling.show_logs()
    chosen = Chosen(reason, publisher, since, until, discarded=discarded)
    settings = read_settings()
    outcome = each(families, lambda family: redrive(settings, family, chosen))
    _tell_waiting(outcome.done)
    return telling.end("redrive", redriven_line(outcome.done.values()), outcome.failed)


@flow(name="discard", flow_run_name="discard")
def discard_flow(
    by: str,
    why: str,
    families: list[Family] = EVERY,
    reason: str | None = None,
    publisher: str | None = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
) -> State[Any]:
    """Give quarantined messages up; who did it and why is recorded · 放弃隔离消息并留痕

    Args:
        by: Who gives them up; Prefect keeps what is typed here. 经办人；此处内容由 Prefect 保存。
        why: Why; without personal data. 原因，不得含个人信息。
        families: Which families. 数据类别。
        reason: Only what waits for this reason (a code such as bad_frame). 仅此原因代码。
        publisher: Only this publisher's messages. 仅此发布部门的消息。
        since: Only what was landed at or after this time, with its zone. 入库时间起（须含时区）。
        until: Only what was landed before this time, with its zone. 入库时间止（须含时区）。
    """
    telling.show_logs()
    settings, chosen = read_settings(), Chosen(reason, publisher, since, until)
    if chosen == Chosen():
        raise NothingSaid(
            "Say which messages: a reason, a publisher or a time.",
            "请指定要放弃的消息：原因、发布部门或入库时间。",
        )
    require_said(by, why)
    outcome = each(families, lambda family: discard(settings, family, chosen, by=by, why=why))
    _tell_waiting(outcome.done)
    summary = f"{sum(outcome.done.values()):,} discarded"
    return telling.end("discard", summary, outcome.failed)


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
