"""The end of the demo: the window open on one enterprise, and what the whole sample saved."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import click
import httpx
import polars as pl

from connectors import lake
from connectors.errors import MiantiError
from connectors.settings import Settings
from connectors.stack import Server
from deploy.window.tokens import Caller, issue
from flows.answer.asked import ASKED
from flows.answer.batch import ask_all
from flows.catalogue import catalogue
from flows.figures import saved
from flows.receipt.verify import verify
from schemas.families import FAMILIES

_CLERK: Final = "demo-clerk"
_HOURS: Final = dt.timedelta(hours=8)
#: Before every paper: need not bring, else a promise, else follows or must be brought.
_MARKS: Final = {"exempt_by_licence": "✓", "exempt_by_data": "✓", "on_promise": "~"}


class NotProven(MiantiError):
    """The receipt of an answer does not verify."""


def demo_token(settings: Settings) -> str:
    """Return a token for all departments of the catalogue, good for a working day."""
    departments = tuple(catalogue(settings.mianti_catalogue).departments)
    return issue(settings, Caller(_CLERK, departments), _HOURS)


def ask_window(settings: Settings, window: Server, subject: str, matter: str) -> None:
    """Ask the window over HTTP, print the answer, and verify its receipt."""
    headers = {"Authorization": f"Bearer {demo_token(settings)}"}
    asked = {"subject": subject, "matter": matter}
    response = httpx.post(f"{window.address}/v1/ask", json=asked, headers=headers, timeout=60)
    response.raise_for_status()
    told = response.json()
    [answer] = told["answers"]
    click.echo(
        f"\nAt the window · 在窗口: {matter} {answer['name']['zh']} · {answer['name']['en']}  "
        f"({told['name'] or ''} {subject}, {told['on']})"
    )
    for one in answer["papers"]:
        click.echo(_line(one))
    proof = verify(settings, told["receipt"]["id"])
    if proof.flaws:
        raise NotProven(
            f"The receipt {proof.id} does not verify: {'; '.join(proof.flaws)}.",
            f"回执 {proof.id} 验证未通过：{'；'.join(proof.flaws)}。",
        )
    click.echo(f"  receipt · 回执: {proof.id}, verified · 已验证")


def _line(one: dict[str, Any]) -> str:
    outcome, name = one["outcome_words"], one["name"]
    mark = _MARKS.get(one["outcome"], "✗")
    return f"  {mark} {outcome['zh']} · {outcome['en']}: {name['zh']} · {name['en']}"


def tell_saved(settings: Settings) -> None:
    """Ask every matter for every enterprise of the datasets; print how many papers that saves."""
    found = catalogue(settings.mianti_catalogue)
    subjects = _subjects(settings)
    asked = subjects.join(pl.DataFrame({"matter": [*found.matters]}), how="cross").with_columns(
        row=pl.int_range(pl.len(), dtype=pl.Int64), fault=pl.lit(None, pl.String)
    )
    decided = pl.concat(ask_all(settings, asked.select(ASKED.names())))
    counts = saved(decided, found)
    columns = ("asked", "exempt", "promised", "to_bring", "to_follow", "not_accepted")
    total = counts.select(pl.col(columns).sum()).row(0, named=True)
    to_bring = total["to_bring"] + total["to_follow"] + total["not_accepted"]
    click.echo(
        f"Every matter for each of {subjects.height:,} enterprises, papers · "
        f"全部事项 × {subjects.height:,} 家企业，材料份数: asked · 应交 {total['asked']:,}, exempt · 免提交 "
        f"{total['exempt']:,}, promise · 承诺 {total['promised']:,}, to bring · 须提交 {to_bring:,}"
    )


def _subjects(settings: Settings) -> pl.DataFrame:
    tables = [lake.open_table(settings, "datasets", family) for family in FAMILIES]
    found = [lake.scan(table).select("subject") for table in tables if table is not None]
    none = pl.LazyFrame(schema={"subject": pl.String})
    return pl.concat([none, *found]).unique().sort("subject").collect()
