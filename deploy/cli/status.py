"""`mianti status`: where each family stands."""

import datetime as dt
import json
import sys

import click

from connectors.settings import Settings, read_settings
from connectors.stack import Stack
from connectors.topic_settings import has_authorizer
from deploy.cli.families import AS_JSON
from deploy.local.prefect_password import password
from flows.status import FamilyStatus, status
from schemas.avro import FAMILIES

_HELP = """Show where each family stands · 查看各类数据的状态

Lag (messages and seconds), counts, how far each publisher's exports are complete, who has been
silent for longer than promised, what is wrong with the topics, and the password of the Prefect that
`mianti up` started. Exit code 1 when a family is no longer landed or settled.
有类别停止入库或停止更新时退出码为 1。同时显示 `mianti up` 所启动 Prefect 的口令。
"""
_STOPPED = 1
_NO_AUTHORIZER = (
    "Kafka has no authorizer: anyone who reaches it may publish in any department's name. Grant "
    "rights as docs/operator.md says.\n"
    "Kafka 未启用授权：任何能连接的人都可以任一部门的名义发布。请按 docs/operator.zh-CN.md 授权。"
)


@click.command(help=_HELP)
@AS_JSON
def command(as_json: bool) -> None:
    """Print one block a family."""
    settings = read_settings()
    found = [status(settings, family) for family in FAMILIES]
    if as_json:
        told = {each.family: each.as_json() for each in found}
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        for each in found:
            _tell(each)
        _tell_prefect(settings)
    if not has_authorizer(settings):
        click.echo(_NO_AUTHORIZER, err=True)
    if any(each.stopped for each in found):
        sys.exit(_STOPPED)


def _tell(one: FamilyStatus) -> None:
    click.echo(
        f"{one.family}: lag · 积压 {one.lag:,} ({one.lag_seconds:.0f} s), accepted · 入库 "
        f"{one.accepted:,}, quarantined · 隔离 {one.quarantined:,}, dataset rows · 数据集行数 "
        f"{one.dataset_rows:,}, last run · 最近运行 {_when(one.last_run)}, landed "
        f"through · 入库截至 {_when(one.landed_through)}"
    )
    for line in (one.stopped or "").splitlines():
        click.echo(f"  ! {line}")
    for english, chinese in one.remarks:
        click.echo(f"  ! {english}\n    {chinese}")
    for publisher, layouts in one.complete_through.items():
        for layout, through in layouts.items():
            click.echo(f"  {publisher} {layout}: complete through · 完整至 {through or '-'}")
    for cycle in one.cycles:
        if cycle.missed(dt.datetime.now(dt.UTC)):
            click.echo(
                f"  {cycle.publisher}: silent since · 最后报送 {_when(cycle.heard_at)}, promised "
                f"every · 承诺周期 {cycle.cycle.days} d"
            )


def _tell_prefect(settings: Settings) -> None:
    """Say where the home's own Prefect is, and what its page asks for."""
    server, known = Stack.read(settings.mianti_home).prefect, password(settings.mianti_home)
    if settings.prefect_api_url is None and server is not None and server.alive and known:
        page = server.address.removesuffix("/api")
        click.echo(f"Prefect UI · 运行界面: {page}, password · 口令: {known}")


def _when(time: dt.datetime | None) -> str:
    return time.astimezone().isoformat(timespec="seconds") if time else "-"
