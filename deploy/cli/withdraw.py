"""`mianti withdraw`: what was published wrongly stops being used."""

from __future__ import annotations

import click

from connectors.settings import read_settings

_HELP = """Take a record back · 撤回记录

The record leaves the dataset with the next ingest; only its key and the reason stay. The law
gives three working days (SAMR Order 45 art. 11).

\b
  mianti withdraw '11…/沪罚〔2026〕12号' --publisher credit-demo --reason 'wrong enterprise'
  mianti withdraw '11…/沪罚〔2026〕12号' --publisher credit-demo --undo --reason 'was right'
"""


@click.command(help=_HELP)
@click.argument("record_key")
@click.option("--publisher", required=True, help="Id in the publishers' table · 发布部门编号")
@click.option("--reason", required=True, help="Why; no personal data · 原因（不得含个人信息）")
@click.option("--undo", is_flag=True, help="Lift the withdrawal · 取消撤回")
def command(record_key: str, publisher: str, reason: str, undo: bool) -> None:
    """Withdraw one record, or lift its withdrawal; the event is delivered when it says so."""
    from flows.publish import Publisher

    changed = Publisher(publisher, read_settings()).withdraw(record_key, reason, undo=undo)
    if not changed:
        click.echo("Nothing to change: it is so already · 无需更改，状态已是如此")
    elif undo:
        click.echo("The withdrawal is lifted with the next ingest · 下次入库后恢复")
    else:
        click.echo("Withdrawn; it leaves the dataset with the next ingest · 已撤回，下次入库后生效")
