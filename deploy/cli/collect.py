"""`mianti collect`: publish what lies in the drop zone."""

from __future__ import annotations

import datetime as dt
import json
import sys

import click

from connectors.settings import read_settings
from deploy.cli.families import AS_JSON
from flows.collect import collect, line

SOME_FAILED = 3

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
    """Collect once. Exit 0: all published; 3: some failed or had rows refused; 2: stopped."""
    done = collect(read_settings(), dt.datetime.now(dt.UTC))
    if as_json:
        told = [receipt.as_json() for receipt in done.receipts]
        summary = {"files": told, "waiting": done.waiting, "strays": done.strays}
        click.echo(json.dumps(summary, ensure_ascii=False))
    else:
        for receipt in done.receipts:
            click.echo(line(receipt))
        for path in done.strays:
            click.echo(f"{path}: put it under <publisher>/<layout>/ · 请放入 <部门>/<版式>/ 目录")
        click.echo(f"waiting · 等待 {done.waiting}")
    if done.stopped is not None:
        raise done.stopped
    refused = any(one.outcome is None or one.outcome.refused for one in done.receipts)
    sys.exit(SOME_FAILED if refused else 0)
