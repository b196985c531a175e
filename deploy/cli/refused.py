"""`mianti refused`: refused rows and failed files that wait, and what becomes of them."""

from __future__ import annotations

import json
from typing import Any

import click

from connectors.settings import read_settings
from deploy.cli.families import AS_JSON
from deploy.cli.times import local
from schemas.faults import Said
from schemas.reasons import REASONS, sentence

_HELP = """Refused rows and failed files that wait to be mended · 待修改的退回行和失败文件

While they wait, no paper of the enterprises they may be about is exempted by the data they may
change. A row ends by a row with its record key, or by the same row with its key filled in; a file
by being published. What will never be mended is discarded by a person.

\b
  mianti refused list --publisher credit-demo
  mianti refused discard --publisher credit-demo --number 480913277105 --by 'Li Wei' --why 'a test row'
"""
_HEADER = (
    "number · 序号  layout · 版式  reason · 原因  whose exemptions it stops · 影响的企业  record key · 记录键\n"
    "        file · 文件, since · 起始"
)
_NOTHING = "Nothing waits · 没有待修改的退回行或文件"
_NO_MATCH = "No entry matches: nothing was discarded · 没有相符的条目，未放弃任何内容"

_OTHERS = {
    "sheet_unread": Said(
        en="A sheet that holds rows was not read: publish the file again with it, or without it.",
        zh="有数据的工作表未读取：请处理该工作表后重新发布文件。",
    ),
    "list_refused": Said(
        en="Every row of a list was refused, so nobody knows whom it names: mend it and publish it again.",
        zh="名单的所有行均被退回，无法确定所列企业：请修改后重新发布该文件。",
    ),
    "ledger_lost": Said(
        en="It waited in a ledger that was lost: publish the files again.",
        zh="丢失的台账中曾有待修改的行：请重新发布文件。",
    ),
    "unknown": Said(
        en="A refused row of which a former ledger kept no more: publish the file again.",
        zh="早先台账未保留该退回行的原因：请重新发布文件。",
    ),
}


def _which(command: Any) -> Any:
    """Add the options that choose entries."""
    for option in (
        click.option("--number", type=int, help="One entry, by its number in the list · 序号"),
        click.option("--file", help="Of a file of this name · 文件名"),
        click.option("--reason", "code", metavar="CODE", help="Of this reason · 原因代码"),
        click.option("--layout", help="Of this layout · 版式"),
        click.option(
            "--publisher", required=True, help="Id in the publishers' table · 发布部门编号"
        ),
    ):
        command = option(command)
    return command


@click.group(help=_HELP)
def command() -> None:
    """Look at what waits, and discard it."""


@command.command("list")
@_which
@AS_JSON
def list_(publisher: str, as_json: bool, **which: Any) -> None:
    """List what waits; no cell of a row is shown · 列出待修改的行和文件."""
    import polars as pl

    from flows.publish.discard import Which, listed

    found = listed(read_settings(), publisher, Which(**which))
    if as_json:
        told = found.with_columns(pl.col(pl.Datetime).dt.to_string("iso:strict"))
        click.echo(json.dumps(told.to_dicts(), ensure_ascii=False))
        return
    if not found.is_empty():
        click.echo(_HEADER)
    for row in found.iter_rows(named=True):
        said = meaning(row["code"])
        key = row["record_key"] or "-"
        click.echo(
            f"{row['number']:012}  {row['layout']}  {row['code']}  {about(row['subject'])}  {key}\n"
            f"        {place(row['file'], row['row'])}  {local(row['since'])}\n"
            f"        {said.en}\n        {said.zh}"
        )
    if found.is_empty():
        click.echo(_NOTHING)


@command.command("discard")
@_which
@click.option(
    "--by",
    required=True,
    help="Who discards them: an id or name of operators.yaml · 经办人编号或姓名",
)
@click.option("--why", required=True, help="Why; no personal data · 原因（不得含个人信息）")
@AS_JSON
def discard_(publisher: str, by: str, why: str, as_json: bool, **which: Any) -> None:
    """Discard what waits; who did it and why is recorded · 放弃并留痕."""
    from flows.operators import known
    from flows.publish.discard import Which, discard

    chosen = Which(**which)
    if chosen == Which():
        raise click.UsageError("Say which: --number, --file, --reason or --layout · 请指定范围")
    settings = read_settings()
    count = discard(settings, publisher, chosen, by=known(settings, by), why=why)
    if as_json:
        click.echo(json.dumps({"discarded": count}))
    else:
        click.echo(f"Discarded · 已放弃 {count:,}" if count else _NO_MATCH)


def meaning(code: str) -> Said:
    """Say what a code means: a row's reason, or why a file or a sheet waits as a whole."""
    if code in REASONS:
        told = sentence(code, "…")
        return Said(told.en, told.zh)
    if code in _OTHERS:
        return _OTHERS[code]
    return Said(
        en="The file could not be published at all: publish it again to see why, and mend it.",
        zh="文件整体未能发布：请重新发布以查看原因，修改后再发布。",
    )


def about(subject: str) -> str:
    """Say which enterprises an entry holds; of a name only a digest is kept."""
    from schemas.names_held import is_digest

    if is_digest(subject):
        return "enterprises of the row's name · 该行名称的企业"
    return subject or "EVERY enterprise · 所有企业"


def place(file: str, row: int | None) -> str:
    """Say where a row stands: in which sheet of those read, unless it is the first."""
    from connectors.files.columns import sheet_and_row

    if row is None:
        return file
    sheet, own = sheet_and_row(row)
    return f"{file}{f' sheet · 工作表 {sheet + 1}' if sheet else ''} row · 行 {own}"
