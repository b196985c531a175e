"""`mianti query`: records on any day, as known at any time."""

from __future__ import annotations

import json
from typing import Final

import click

from connectors.settings import read_settings
from deploy.cli.families import AS_JSON, ONE
from deploy.cli.records import lines
from deploy.cli.times import KNOWN_AT, ON, asked_day, asked_time
from flows.clock import china_today

_HELP = """Print records, the unsettled tail included · 查询记录（含尚未整理的最新事件）

\b
  mianti query licence --subject 91990100MA0KGAWY1K
  mianti query licence --subject 91… --on 2026-04-01 --known-at 2026-04-07T09:00
  mianti query credit --json | head

Days: the term; of a credit record, to the end of its publication · 日期：有效期；信用记录止于公示截止日
Records that may not be used show their key and the reason alone · 不得使用的记录只显示键和原因
"""
_MOST: Final = 50


@click.command(help=_HELP)
@ONE
@click.option("--subject", help="Unified social credit code · 统一社会信用代码")
@ON
@KNOWN_AT
@AS_JSON
def command(
    family: str, subject: str | None, on: str | None, known_at: str | None, as_json: bool
) -> None:
    """Print one row a record: JSON lines, or columns for people."""
    from flows.answer.subject import checked_subject
    from flows.query import query

    code = checked_subject(subject) if subject is not None else None
    day = asked_day(on) or china_today()
    rows = query(read_settings(), family, code, day, asked_time(known_at))
    if as_json:
        for row in rows.iter_rows(named=True):
            click.echo(json.dumps(row, ensure_ascii=False, default=str))
        return
    click.echo(f"{rows.height} records · 条记录, {family}, as of · 截至 {day}")
    if rows.height:
        for line in lines(family, rows.head(_MOST).to_dicts()):
            click.echo(line)
    if rows.height > _MOST:
        click.echo(
            f"… the first {_MOST}; --json prints them all · 仅显示前 {_MOST} 条，用 --json 输出全部"
        )
