"""`mianti rebuild`: make a dataset again from its log."""

from __future__ import annotations

import click

from connectors.settings import read_settings
from deploy.cli.families import ONE

_HELP = """Make a dataset again from its log · 由日志重建数据集

Readers see the old rows until each bucket's new ones replace them.
"""


@click.command(help=_HELP)
@ONE
def command(family: str) -> None:
    """Fold the family's whole log again."""
    from flows.rebuild import rebuild

    done = rebuild(read_settings(), family)
    click.echo(
        f"{family}: {done.buckets} buckets from {done.versions:,} versions, "
        f"{done.rows:,} rows · 已重建"
    )
