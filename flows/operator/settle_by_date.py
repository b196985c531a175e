"""The flow that follows the calendar: what a new day makes unusable, and who has fallen silent."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from connectors.settings import read_settings
from flows.clock import china_today
from flows.complete import Cycle, cycles
from flows.operator import telling
from flows.operator.families import EVERY, Family, each
from flows.operator.words import cycle_rows, settle_summary, settled_rows
from flows.settle import Settled, settle

_log = logging.getLogger(__name__)


@flow(name="settle-by-date", flow_run_name="settle-by-date")
@telling.in_words("settle-by-date")
def settle_by_date_flow(on: dt.date | None = None, families: list[Family] = EVERY) -> State[Any]:
    """Fold the datasets for a day, and look who has missed its cycle · 按日期更新数据集

    Args:
        on: The day (in China) the datasets shall hold for; today when left empty.
            数据集所对应的日期（北京时间），不填为当天。
        families: Which families to settle. 要更新的数据类别。
    """
    telling.begin()
    day = on or china_today()
    # What a new day changes is known from the rows; another day than today's may change any.
    outcome = each(families, lambda family: _settle(family, day, everything=on is not None))
    settled = [one for one, _ in outcome.done.values()]
    found = [cycle for _, some in outcome.done.values() for cycle in some]
    telling.table("settle-by-date", settled_rows(settled, day), "Datasets by day · 数据集日期")
    now = dt.datetime.now(dt.UTC)
    told = "Who has published when, and what it promised · 各部门报送情况"
    telling.table("publishers", cycle_rows(found, now), told)
    missed = [cycle for cycle in found if cycle.missed(now)]
    for cycle in missed:
        _log.warning("%s/%s: the promised cycle was missed", cycle.publisher, cycle.family)
        telling.cycle_missed(cycle)
    summary = f"{day}, {settle_summary(settled)}" + _silent(missed)
    return telling.end("settle-by-date", summary, outcome.failed)


def _settle(family: str, day: dt.date, *, everything: bool) -> tuple[Settled, list[Cycle]]:
    settings = read_settings()
    done = settle(settings, family, on=day, everything=everything)
    _log.info("%s: %s buckets folded for %s, %s rows", family, done.buckets, day, f"{done.rows:,}")
    return done, cycles(settings, family)


def _silent(missed: list[Cycle]) -> str:
    names = ", ".join(sorted({cycle.publisher for cycle in missed}))
    return f"; silent: {names}" if names else ""
