"""`mianti ingest`: land what Kafka has now, settle what is due."""

import json
from dataclasses import asdict

import click

from connectors.settings import read_settings
from deploy.cli.families import AS_JSON, SEVERAL, chosen
from flows.ingest import Ingested, ingest

_HELP = """Land new events and settle the datasets · 事件入库并更新数据集

What the Prefect deployment `ingest` runs on its schedule.

\b
  mianti ingest
  mianti ingest licence --json
"""


@click.command(help=_HELP)
@SEVERAL
@click.option("--accept-gap", is_flag=True, help="Go on behind messages that are gone · 接受缺口")
@AS_JSON
def command(families: tuple[str, ...], accept_gap: bool, as_json: bool) -> None:
    """Ingest each family up to the end offsets seen when its turn begins."""
    settings = read_settings()
    told = {}
    for family in chosen(families):
        done = ingest(settings, family, accept_gap=accept_gap)
        told[family] = _as_json(done)
        if not as_json:
            _tell(done)
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))


def _as_json(done: Ingested) -> dict[str, object]:
    return {
        "accepted": done.landed.accepted,
        "quarantined": done.landed.quarantined,
        "reasons": done.landed.reasons,
        "partitions": [asdict(part) for part in done.landed.parts],
        "buckets": done.settled.buckets,
        "versions": done.settled.versions,
        "dataset_rows": done.settled.rows,
        "seconds": done.seconds,
    }


def _tell(done: Ingested) -> None:
    click.echo(
        f"{done.family}: accepted · 入库 {done.landed.accepted:,}, quarantined · 隔离 "
        f"{done.landed.quarantined:,}; settled · 更新 {done.settled.versions:,}, dataset rows · "
        f"数据集行数 {done.settled.rows:,} ({done.seconds:.1f} s)"
    )
    for reason, count in sorted(done.landed.reasons.items()):
        click.echo(f"  {count:>8,}  {reason}")
