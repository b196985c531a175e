"""`mianti query`: records on any day, as known at any time."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import click
import polars as pl

from connectors.settings import read_settings
from deploy.cli.families import AS_JSON, ONE
from deploy.cli.times import KNOWN_AT, ON, asked_day, asked_time
from flows.clock import CHINA
from flows.query import query

_HELP = """Print records, the unsettled tail included · 查询记录（含尚未整理的最新事件）

\b
  mianti query licence --subject 91990000MA00000000
  mianti query licence --subject 91… --on 2026-04-01 --known-at 2026-04-07T09:00
  mianti query credit --json | head

Records that may not be used show their key and the reason alone.
"""
_SHOWN = ("subject", "record_key", "state", "unusable_reason", "as_of", "last_landed_at")


@click.command(help=_HELP)
@ONE
@click.option("--subject", help="Unified social credit code · 统一社会信用代码")
@ON
@KNOWN_AT
@AS_JSON
def command(
    family: str, subject: str | None, on: str | None, known_at: str | None, as_json: bool
) -> None:
    """Print one row a record: JSON lines, or a short table."""
    code = subject.strip().upper() if subject else None
    rows = query(read_settings(), family, code, asked_day(on), asked_time(known_at))
    if as_json:
        for row in rows.iter_rows(named=True):
            click.echo(json.dumps(row, ensure_ascii=False, default=str))
        return
    _table(rows)


def _table(rows: pl.DataFrame) -> None:
    click.echo(f"{rows.height} records · 条记录")
    for row in rows.head(50).iter_rows(named=True):
        click.echo("  ".join(_cell(row[name]) for name in _SHOWN if row[name] is not None))
    if rows.height > 50:
        click.echo("… --json prints them all · 用 --json 输出全部")


def _cell(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return value.astimezone(CHINA).isoformat(timespec="seconds")
    return str(value)
