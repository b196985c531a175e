"""`mianti demo`: the whole job on the generated sample, and what came of it in a few lines."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Final

import click
import polars as pl

from connectors import lake
from connectors.settings import Settings, read_settings
from deploy.cli.at_window import ask_window, demo_token, tell_saved
from deploy.cli.publish import tell
from deploy.cli.up import places
from deploy.local.lifecycle import up
from deploy.local.processes import NotStarted
from deploy.local.runs import run_until_landed
from deploy.local.window import wait_current
from flows.publish import Publisher
from flows.query import query
from flows.sample.generate import generate
from flows.sample.manifest import Manifest
from schemas.avro import FAMILIES

_ROWS: Final = 400
_SEED: Final = 1
#: Renewing a builder's qualification.
_MATTER: Final = "JS-3002"
_HELP = """Do the whole job on a generated sample · 用生成的样例演示全流程

Starts what is missing, publishes the files of three departments, lets Prefect land and settle
them, and shows what came of it. Run it again at will: nothing is doubled.
"""


@click.command(help=_HELP)
def command() -> None:
    """Up, sample, publish, ingest through Prefect, show."""
    settings = read_settings()
    stack = up(settings, flows=True, progress=_step)
    folder = settings.mianti_home / "sample"
    _step("Writing the sample · 正在生成样例")
    manifest = generate(_ROWS, _SEED, folder)
    click.echo("\nPublished · 发布")
    first_day = [name for name in manifest.files if "/" not in name]
    for name in first_day:
        publisher = Publisher(manifest.files[name].publisher, settings)
        # As a department does with each export: without it nobody may conclude from an absence.
        now = dt.datetime.now(dt.UTC)
        tell(
            publisher.publish_file(folder / name, complete_through=now), publisher.name, stated=True
        )
    run_until_landed(settings, _step)
    _datasets(settings)
    _enterprise(settings, manifest)
    click.echo("\nAt the window · 在窗口")
    if stack.window is None or stack.replica is None:
        raise NotStarted("The window does not run.", "服务窗口没有运行。")
    wait_current(settings, stack.replica)
    ask_window(settings, stack.window, manifest.enterprise, _MATTER)
    tell_saved(settings)
    click.echo()
    for name, where in places(settings, stack):
        click.echo(f"{name}: {where}")
    _next(settings, manifest, folder)
    page = f"{stack.window.address}/page/#token={demo_token(settings)}"
    click.echo(f"\nOpen the window as its clerk · 打开窗口页面（8 小时内有效）:\n  {page}")


def _step(text: str) -> None:
    click.echo(f"… {text}", err=True)


def _datasets(settings: Settings) -> None:
    click.echo("\nDatasets · 数据集")
    for family in FAMILIES:
        table = lake.open_table(settings, "datasets", family)
        if table is None:
            continue
        usable = lake.scan(table).group_by("usable").len().collect()
        counts = dict(usable.iter_rows())
        click.echo(
            f"  {family:<13}{sum(counts.values()):>6,} rows · 行, usable · 可用 "
            f"{counts.get('yes', 0):,}   {lake.uri(settings, 'datasets', family)}"
        )


def _enterprise(settings: Settings, manifest: Manifest) -> None:
    code = manifest.enterprise
    found = {family: query(settings, family, code) for family in FAMILIES}
    names = found["registration"]["name"].drop_nulls().to_list()
    click.echo(f"\nOne enterprise · 一家企业: {code} {''.join(names[:1])}")
    for row in found["licence"].iter_rows(named=True):
        until = row["valid_to"] or "-"
        what = f"{row['name'] or '-'} {row['number'] or row['document_number'] or ''}"
        click.echo(f"  licence · 许可  {row['state']:<14} until · 至 {until}  {what}")
    for row in found["credit"].filter(pl.col("usable") == "yes").iter_rows(named=True):
        fine = f"{row['fine_yuan']:,} 元" if row["fine_yuan"] else "-"
        until = row["publication_to"] or "-"
        what = f"{row['document_number']} {row['violation_type'] or ''}"
        click.echo(
            f"  credit · 信用   {row['state']:<14} shown to · 公示至 {until}  {fine}  {what}"
        )


def _next(settings: Settings, manifest: Manifest, folder: Path) -> None:
    later = next(name for name in manifest.files if name.startswith("day2"))
    publisher = manifest.files[later].publisher
    shown = folder / later
    # The commands are shown as they can be typed from where the person stands.
    path = shown.relative_to(Path.cwd()) if shown.is_relative_to(Path.cwd()) else shown
    click.echo(
        "\nTry next · 接下来可以试试 (. .venv/bin/activate)\n"
        f"  mianti query licence --subject {manifest.enterprise}\n"
        f"  mianti ask --subject {manifest.enterprise} --matter start-building\n"
        f"  mianti publish {path} --publisher {publisher}   # some licences are suspended · 部分许可被暂扣\n"
        "  mianti ingest && mianti status\n"
        "  mianti verify\n"
        "  make down"
    )
