"""The end of the demo: the window open on one enterprise, and what the whole sample saved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final

import click
import httpx
import polars as pl

from connectors import lake
from connectors.errors import MiantiError
from connectors.settings import Settings
from connectors.stack import Server
from deploy.cli.times import landed_words
from deploy.window.tokens import Caller, issue
from flows.answer.ask import landed_through
from flows.answer.asked import ASKED
from flows.answer.batch import ask_all
from flows.catalogue import catalogue
from flows.figures import saved
from flows.receipt.verify import verify
from schemas.avro import FAMILIES

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
        f"{matter} {answer['name']['zh']} · {answer['name']['en']}  "
        f"({told['name'] or ''} {subject}, {told['on']})"
    )
    for line in _lines(answer["papers"]):
        click.echo(line)
    proof = verify(settings, told["receipt"]["id"])
    if proof.flaws:
        raise NotProven(
            f"The receipt {proof.id} does not verify: {'; '.join(proof.flaws)}.",
            f"回执 {proof.id} 验证未通过：{'；'.join(proof.flaws)}。",
        )
    click.echo(f"  receipt · 回执: {proof.id}, verified · 已验证")


def _lines(papers: list[dict[str, Any]]) -> Iterable[str]:
    for one in papers:
        outcome, name = one["outcome_words"], one["name"]
        mark = _MARKS.get(one["outcome"], "✗")
        yield f"  {mark} {outcome['zh']} · {outcome['en']}: {name['zh']} · {name['en']}"
        yield f"      {one['why']['zh']}"
        yield f"      {one['why']['en']}"


def tell_saved(settings: Settings) -> None:
    """Ask every matter for every enterprise of the datasets; print how many papers that saves."""
    found = catalogue(settings.mianti_catalogue)
    subjects, through = _subjects(settings), landed_through(settings)
    asked = subjects.join(pl.DataFrame({"matter": [*found.matters]}), how="cross").with_columns(
        row=pl.int_range(pl.len(), dtype=pl.Int64), fault=pl.lit(None, pl.String)
    )
    decided = pl.concat(ask_all(settings, asked.select(ASKED.names())))
    counts = saved(decided, found)
    click.echo(
        f"\nPapers saved · 免提交统计 ({subjects.height:,} enterprises · 家企业, data through · "
        f"数据截至 {landed_words(through)})"
    )
    click.echo(_row("matter · 事项", "asked 应交", "exempt 免", "promised 诺", "to bring 交"))
    for row in counts.iter_rows(named=True):
        name = f"{row['matter']} {found.matters[row['matter']].name.zh}"
        to_bring = row["to_bring"] + row["to_follow"] + row["not_accepted"]
        click.echo(_row(name, row["asked"], row["exempt"], row["promised"], to_bring))
    summed = pl.col("asked", "exempt", "promised", "to_bring", "to_follow", "not_accepted").sum()
    total = counts.select(summed).row(0, named=True)
    to_bring = total["to_bring"] + total["to_follow"] + total["not_accepted"]
    click.echo(_row("all · 合计", total["asked"], total["exempt"], total["promised"], to_bring))


def _subjects(settings: Settings) -> pl.DataFrame:
    tables = [lake.open_table(settings, "datasets", family) for family in FAMILIES]
    found = [lake.scan(table).select("subject") for table in tables if table is not None]
    return pl.concat(found).unique().sort("subject").collect()


def _row(name: str, *numbers: object) -> str:
    told = [f"{one:>10,}" if isinstance(one, int) else f"{one:>10}" for one in numbers]
    wide = sum(ord(char) > 0x2E80 for char in name)
    return f"  {name}{' ' * max(1, 42 - len(name) - wide)}{' '.join(told)}"
