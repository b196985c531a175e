"""`mianti collect`: publish what lies in the drop zone."""

from __future__ import annotations

import datetime as dt
import json
import sys

import click

from connectors.settings import read_settings
from deploy.cli.families import AS_JSON

SOME_FAILED = 3
_WAITING = (
    " (written less than 30 s ago, or its publisher is publishing just now: collect again · "
    "写入不足 30 秒，或该部门正在发布：请稍后再次运行)"
)

_HELP = """Publish the files of the drop zone · 发布投放区中的文件

What the Prefect deployment `collect` runs on its schedule. Files lie under
<MIANTI_ZONE>/<publisher>/<layout>/; each is moved to done/ or failed/ there, with a receipt and its
refused rows. A file written to less than 30 seconds ago waits for the next run.

\b
  mkdir -p .mianti/zone/credit-demo/cn-sgs-2018-penalty
  cp penalties-20260501.csv .mianti/zone/credit-demo/cn-sgs-2018-penalty/
  mianti collect
"""


@click.command(help=_HELP)
@AS_JSON
def command(as_json: bool) -> None:
    """Collect once. Exit 0: all published; 2: stopped; 3: not all of what lies there was, or in doubt."""
    from flows.collect import collect, line

    done = collect(read_settings(), dt.datetime.now(dt.UTC))
    if as_json:
        told = [receipt.as_json() for receipt in done.receipts]
        summary = {
            "files": told,
            "waiting": done.waiting,
            "strays": done.strays,
            "copies": done.copies,
            "unread": {
                path: {"en": why.message_en, "zh": why.message_zh}
                for path, why in done.unread.items()
            },
        }
        click.echo(json.dumps(summary, ensure_ascii=False))
    else:
        for receipt in done.receipts:
            click.echo(line(receipt))
        for path in done.strays:
            click.echo(f"{path}: put it under <publisher>/<layout>/ · 请放入 <部门>/<版式>/ 目录")
        for path, why in done.unread.items():
            click.echo(f"{path}: not read · 未读取: {why}")
        for path in done.copies:
            click.echo(
                f"{path}: a copy made by a sync program or file manager, not published; remove it, or "
                "rename it if it is an export of its own · 同步软件或文件管理器产生的副本，未发布；"
                "请删除，如确为另一次导出请改名"
            )
        click.echo(f"waiting · 等待 {done.waiting}{_WAITING if done.waiting else ''}")
    if done.stopped is not None:
        raise done.stopped
    refused = any(one.outcome is None or one.outcome.warns for one in done.receipts)
    left = done.strays or done.unread or done.copies
    sys.exit(SOME_FAILED if refused or left else 0)
