"""`mianti status`: what runs, where each family stands, and what is to be done."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from connectors.errors import MiantiError
from connectors.settings import Settings, kafka_address, read_settings
from connectors.settings_file import settings_file
from connectors.stack import Stack
from deploy.cli.families import AS_JSON
from deploy.cli.times import local
from deploy.local.prefect_password import password
from schemas.families import FAMILIES

if TYPE_CHECKING:
    from connectors.topic_settings import Remark
    from deploy.local.running import Part
    from flows.status import FamilyStatus
    from flows.todo import Waiting


_HELP = """What runs, where each family stands, what to do · 查看状态和待办

What runs where; lag (messages and seconds), counts, how far each publisher's exports are complete,
who is late or never stated completeness, what waits, and the password of the Prefect that `mianti
up` started. What is down hides nothing else. Times are this machine's.

\b
Exit codes · 退出码:
  0  all that was started runs, all that was published is landed and settled · 正常
  1  a part is down, or a family is not landed or settled any more · 有服务停止，或有类别停止入库、更新
  2  something could not be looked at: Kafka away, a damaged table · 有内容无法查看
  3  all runs; messages wait in quarantine, or a publisher is late · 有消息被隔离，或有部门逾期
"""
_STOPPED = 1
_NOT_SEEN = 2
_TO_DO = 3
_NO_AUTHORIZER = (
    "Kafka has no authorizer: anyone who reaches it may publish in any department's name. Grant "
    "rights as docs/operator.md says.\n"
    "Kafka 未启用授权：任何能连接的人都可以任一部门的名义发布。请按 docs/operator.zh-CN.md 授权。"
)


@click.command(help=_HELP)
@AS_JSON
def command(as_json: bool) -> None:
    """Print what runs, one block a family, and what is to be done."""
    from connectors.clients import kept
    from deploy.local.running import running
    from flows.status import look
    from flows.todo import to_do, waits

    settings, now = read_settings(), dt.datetime.now(dt.UTC)
    with kept():
        away, guarded = _ask_kafka(settings)
        families = [look(settings, family, away) for family in FAMILIES]
    parts, waiting = running(settings, away), waits(settings, now)
    faults = [*(why for one in families for why in one.faults), *waiting.faults]
    faults += [away] if away is not None else []
    mends = [part.to_do for part in parts if part.to_do is not None]
    tasks = [*mends, *to_do(families, waiting)]
    code = _code(families, parts, faults, now)
    if as_json:
        told: dict[str, Any] = {each.family: each.as_json() for each in families}
        told |= {
            "ok": code == 0,
            "settings_file": str(file)
            if (file := settings_file(settings.mianti_home)).is_file()
            else None,
            "running": {part.name: part.as_json() for part in parts},
            "waiting": waiting.as_json(),
            "to_do": [{"en": english, "zh": chinese} for english, chinese in tasks],
        }
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        _tell(settings, parts, families, waiting, tasks, now)
    for sentence in dict.fromkeys(map(str, faults)):
        click.echo(sentence, err=True)
    if not guarded:
        click.echo(_NO_AUTHORIZER, err=True)
    sys.exit(code)


def _ask_kafka(settings: Settings) -> tuple[MiantiError | None, bool]:
    """Return why Kafka does not answer, or whether it checks who may write."""
    from connectors.clients import require_listening
    from connectors.topic_settings import has_authorizer

    try:
        require_listening(kafka_address(settings))
        return None, has_authorizer(settings)
    except MiantiError as why:
        return why, True


def _code(
    families: Sequence[FamilyStatus],
    parts: Sequence[Part],
    faults: Sequence[MiantiError],
    now: dt.datetime,
) -> int:
    if faults:
        return _NOT_SEEN
    if any(one.stopped for one in families) or any(part.well is False for part in parts):
        return _STOPPED
    late = any(cycle.missed(now) for one in families for cycle in one.cycles)
    return _TO_DO if late or any(one.quarantined for one in families) else 0


def _tell(
    settings: Settings,
    parts: Sequence[Part],
    families: Sequence[FamilyStatus],
    waiting: Waiting,
    tasks: Sequence[Remark],
    now: dt.datetime,
) -> None:
    for part in parts:
        where = f"{part.address}{_password(settings, part)}; " if part.address else ""
        click.echo(f"{part.title}: {where}{part.said[0]} · {part.said[1]}")
    click.echo(f"Lake · 数据湖: {settings.mianti_lake}")
    file = settings_file(settings.mianti_home)
    read = (
        ""
        if file.is_file()
        else "; there is none: the environment alone · 没有该文件，仅用环境变量"
    )
    click.echo(f"Settings · 设置: {file}{read}")
    for one in families:
        _tell_family(one, now)
    unheard = [c.publisher for one in families for c in one.cycles if c.heard_at is None]
    if unheard:
        names = ", ".join(dict.fromkeys(unheard))
        click.echo(f"Nothing was ever landed of · 从未收到数据的部门: {names}")
    if tasks:
        click.echo("To do · 待办:")
    for english, chinese in tasks:
        click.echo(f"  - {english}\n    {chinese}")


def _tell_family(one: FamilyStatus, now: dt.datetime) -> None:
    seconds = f" ({one.lag_seconds:.0f} s)" if one.lag_seconds is not None else ""
    click.echo(
        f"{one.family}: lag · 积压 {_count(one.lag)}{seconds}, accepted · 入库 "
        f"{_count(one.accepted)}, quarantined · 隔离 {_count(one.quarantined)}, dataset rows · "
        f"数据集行数 {_count(one.dataset_rows)}, last run · 最近运行 {_when(one.last_run)}, landed "
        f"through · 入库截至 {_when(one.landed_through)}"
    )
    if one.faults:
        click.echo("  ! could not be looked at in full, see below · 未能完整查看，原因见下")
    for line in (one.stopped or "").splitlines():
        click.echo(f"  ! {line}")
    for english, chinese in one.remarks:
        click.echo(f"  ! {english}\n    {chinese}")
    for publisher, layouts in one.complete_through.items():
        for layout, through in layouts.items():
            time = local(dt.datetime.fromisoformat(through)) if through else "never · 从未声明"
            click.echo(f"  {publisher} {layout}: complete through · 完整至 {time}")
    for cycle in one.cycles:
        if cycle.missed(now):
            click.echo(
                f"  {cycle.publisher}: silent since · 最后报送 {_when(cycle.heard_at)}, promised "
                f"every · 承诺周期 {cycle.cycle.days} d"
            )


def _password(settings: Settings, part: Part) -> str:
    """Return what the page of the home's own Prefect asks for."""
    server, known = Stack.read(settings.mianti_home).prefect, password(settings.mianti_home)
    if part.name != "prefect" or settings.prefect_api_url is not None or known is None:
        return ""
    return f", password · 口令: {known}" if server is not None and server.alive else ""


def _count(number: int | None) -> str:
    return f"{number:,}" if number is not None else "not known · 未知"


def _when(time: dt.datetime | None) -> str:
    return local(time) if time else "-"
