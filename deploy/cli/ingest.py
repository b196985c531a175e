"""`mianti ingest`: land what Kafka has now, settle what is due."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from connectors.errors import MiantiError
from connectors.settings import read_settings
from deploy.cli.families import AS_JSON, SEVERAL, chosen

if TYPE_CHECKING:
    from flows.ingest import Ingested


_HELP = """Land new events and settle the datasets · 事件入库并更新数据集

What the Prefect deployment `ingest` runs on its schedule. With --follow it runs on until it is
stopped, and lands each event of every family within a second of its publication (`mianti up`
starts one); settling stays with the schedule.

即部署 `ingest` 定时执行的工作。使用 --follow 时持续运行，消息发布后一秒内入库（`mianti up`
会启动一个）；数据集的更新仍由定时流程完成。

\b
  mianti ingest
  mianti ingest licence --json
  mianti ingest --follow
"""
_FAILED = 2


@click.command(help=_HELP)
@SEVERAL
@click.option("--accept-gap", is_flag=True, help="Go on behind messages that are gone · 接受缺口")
@click.option("--follow", is_flag=True, help="Run on, land only · 持续运行，仅入库")
@AS_JSON
def command(families: tuple[str, ...], accept_gap: bool, follow: bool, as_json: bool) -> None:
    """Ingest each family up to the end offsets seen when its turn begins; or follow all.

    Exit code 2 when a family could not be ingested; the others were.
    """
    from connectors.damage import explained
    from deploy.local.follow import run_here
    from flows.ingest import ingest

    settings = read_settings()
    if follow:
        if families or accept_gap or as_json:
            raise click.UsageError(
                "--follow lands every family and takes no FAMILY, no --accept-gap, no --json.\n"
                "--follow 对全部类别持续入库，不能与类别、--accept-gap 或 --json 同时使用。"
            )
        sys.exit(run_here(settings))
    told, failed = {}, dict[str, None]()
    for family in chosen(families):
        try:
            done = ingest(settings, family, accept_gap=accept_gap)
        except Exception as error:  # of one family: it holds up none of the others
            why = error if isinstance(error, MiantiError) else explained(settings, error)
            if why is None:
                raise
            failed[str(why)] = None
            continue
        told[family] = _as_json(done)
        if not as_json:
            _tell(done)
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
    for sentences in failed:  # said once, though it may be true of all
        click.echo(sentences, err=True)
    if failed:
        sys.exit(_FAILED)


def _as_json(done: Ingested) -> dict[str, object]:
    return {
        "accepted": done.landed.accepted,
        "quarantined": done.landed.quarantined,
        "reasons": done.landed.reasons,
        "topics_not_read": done.landed.unlisted,
        "compacted": done.landed.compacted,
        "partitions": [asdict(part) for part in done.landed.parts],
        "buckets": done.settled.buckets,
        "versions": done.settled.versions,
        "dataset_rows": done.settled.rows,
        "seconds": done.seconds,
        "landed_through": done.landed.through.isoformat() if done.landed.through else None,
    }


def _tell(done: Ingested) -> None:
    from flows.ground import told_of_topics

    click.echo(
        f"{done.family}: accepted · 入库 {done.landed.accepted:,}, quarantined · 隔离 "
        f"{done.landed.quarantined:,}; settled · 更新 {done.settled.versions:,}, dataset rows · "
        f"数据集行数 {done.settled.rows:,} ({done.seconds:.1f} s)"
    )
    if done.landed.through is None:
        click.echo(
            "  not all was landed: a transaction is open, or Kafka lacks a topic that was landed "
            "before; windows fall behind\n  未能全部入库：有事务尚未结束，或 Kafka 缺少此前入库过的主题；窗口数据将滞后"
        )
    for reason, count in sorted(done.landed.reasons.items()):
        click.echo(f"  {count:>8,}  {reason}")
    for english, chinese in told_of_topics(done.landed.unlisted, done.landed.compacted):
        click.echo(f"  ! {english}\n    {chinese}")
