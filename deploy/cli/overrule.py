"""`mianti overrule`: a facet with a sequence that nothing can follow is set right."""

from __future__ import annotations

import click

from connectors.settings import read_settings

_HELP = """Set right what was given one of the last sequences · 更正序号过大的版本

Such a version, by a program of your own or of whoever may write into the topic, hides all that is
said of the record afterwards. See first that nobody else may write there (SECURITY.md). The event
that is sent names the sequence and says again what was said before; who did it, and why, is in it.

\b
  mianti overrule '11…/沪许〔2026〕12号' --facet standing --sequence 9007199254740991 \\
      --publisher licence-demo --by li-wei --reason 'sent by a stranger'
"""


@click.command(help=_HELP)
@click.argument("record_key")
@click.option("--facet", required=True, help="decision, standing, withdrawal, statement … · 信息面")
@click.option(
    "--sequence",
    "sequences",
    required=True,
    multiple=True,
    type=int,
    help="The wrong one; again for each · 错误的序号",
)
@click.option("--publisher", required=True, help="Id in the publishers' table · 发布部门编号")
@click.option("--by", required=True, help="An id or name of operators.yaml · 经办人编号或姓名")
@click.option("--reason", required=True, help="Why; no personal data · 原因（不得含个人信息）")
def command(
    record_key: str, facet: str, sequences: tuple[int, ...], publisher: str, by: str, reason: str
) -> None:
    """Overrule the versions named; the events are delivered when it says so."""
    from flows.publish.overrule import Wrong, overrule

    wrong = Wrong(record_key, facet, sequences)
    count = overrule(read_settings(), publisher, wrong, by=by, reason=reason)
    click.echo(f"Overruled · 已更正 {count}; it counts with the next ingest · 下次入库后生效")
