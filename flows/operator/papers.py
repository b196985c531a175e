"""The flow that says what the windows saved, and what an operator can work on next."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator
from typing import Annotated, Any

import polars as pl
from prefect import flow
from prefect.client.schemas.objects import State
from pydantic import Field

from connectors import lake
from connectors.settings import Settings, read_settings
from flows.answer.words import reason_in_short
from flows.catalogue import catalogue
from flows.figures import decided_in, saved, still_asked
from flows.operator import telling
from flows.operator.words import Row
from flows.receipt.ship import shipped_table
from schemas import contract
from schemas.catalogue.grammar import Catalogue
from schemas.publishers import PublishersTable

_log = logging.getLogger(__name__)


@flow(name="papers", flow_run_name="papers")
@telling.in_words("papers")
def papers_flow(days: Annotated[int, Field(ge=1, le=366)] = 1) -> State[Any]:
    """Count the papers that windows saved, and those still asked for · 免提交统计

    Args:
        days: Over how many days until now; the windows' answers out of their receipts.
            统计最近多少天，依据各窗口的回执。
    """
    telling.begin()
    settings = read_settings()
    found = catalogue(settings.mianti_catalogue)
    table = contract.publishers(settings.mianti_publishers)
    decided = decided_since(settings, dt.datetime.now(dt.UTC) - dt.timedelta(days=days))
    counts, through = saved(decided, found), _through(newest_receipt(settings))
    telling.table("papers-saved", saved_rows(counts, found), f"Papers saved · 免提交情况 {through}")
    asked = still_asked(decided)
    told = f"Papers most often still asked for, and why · 仍需提交的材料及原因 {through}"
    telling.table("papers-still-asked", asked_rows(asked, found, table), told)
    exempt, every = counts["exempt"].sum(), counts["asked"].sum()
    return telling.end("papers", f"{exempt:,} of {every:,} papers saved", {})


def newest_receipt(settings: Settings) -> dt.datetime | None:
    """Return the time (UTC) of the newest receipt that a window has shipped; None: there is none."""
    receipts = shipped_table(settings)
    if receipts is None:
        return None
    newest: dt.datetime | None = lake.scan(receipts).select(pl.col("at").max()).collect().item()
    return newest


def _through(newest: dt.datetime | None) -> str:
    """Return through which time statistics count: answers given later are not shipped yet."""
    told = f"{newest:%Y-%m-%d %H:%M:%S} UTC" if newest else "—"
    return f"(receipts through · 回执截至 {told})"


def decided_since(settings: Settings, since: dt.datetime) -> pl.DataFrame:
    """Return the papers (`flows.figures.DECIDED`) that windows decided since a time (UTC)."""
    receipts = shipped_table(settings)
    if receipts is None:
        return decided_in(pl.Series([], dtype=pl.String))
    wanted = (pl.col("kind") == "answer") & (pl.col("at") >= since)
    return decided_in(lake.scan(receipts).filter(wanted).select("text").collect()["text"])


def saved_rows(counts: pl.DataFrame, found: Catalogue) -> list[Row]:
    """Return one line for each matter."""
    return [
        {
            "department · 部门": found.departments[row["department"]].name.zh
            if row["department"] in found.departments
            else "",
            "matter · 事项": _matter(row["matter"], found),
            "asked · 应交": row["asked"],
            "exempt · 免提交": row["exempt"],
            "promised · 承诺": row["promised"],
            "may follow · 容缺": row["to_follow"],
            "to bring · 须交": row["to_bring"],
            "not accepted · 不予认可": row["not_accepted"],
        }
        for row in counts.iter_rows(named=True)
    ]


def asked_rows(asked: pl.DataFrame, found: Catalogue, table: PublishersTable) -> list[Row]:
    """Return one line for each paper and reason."""
    return [*_asked_rows(asked, found, table)]


def _asked_rows(asked: pl.DataFrame, found: Catalogue, table: PublishersTable) -> Iterator[Row]:
    for row in asked.iter_rows(named=True):
        material = found.materials.get(row["material"])
        source = table.publishers.get(row["source"] or "")
        reason = reason_in_short(row["reason"])
        yield {
            "paper · 材料": f"{material.name.zh} · {material.name.en}"
            if material
            else row["material"],
            "times · 次数": row["times"],
            "why · 原因": f"{reason.zh} · {reason.en}",
            "source · 数据源": f"{source.name.zh} · {source.name.en}"
            if source
            else row["source"] or "",
            "matters · 事项": ", ".join(row["matters"]),
        }


def _matter(code: str, found: Catalogue) -> str:
    matter = found.matters.get(code)
    return f"{code} {matter.name.zh}" if matter else code
