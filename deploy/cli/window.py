"""`mianti window`: serve a window, keep its replica, let clerks in, change its key."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from typing import TYPE_CHECKING, Final

import click

from connectors.errors import MiantiError
from connectors.settings import Settings, read_settings
from deploy.cli.times import landed_words
from schemas.families import FAMILIES

if TYPE_CHECKING:
    from connectors.replica import Position


_HELP = """The service window: page, HTTP API, replica · 服务窗口

`mianti up` runs a window and its follower; these commands are for a window elsewhere, and for
its keeper.

\b
  mianti window serve                    # page and API, MIANTI_WINDOW_PORT
  mianti window follow                   # keep the replica seconds behind, ship the receipts
  mianti window rebuild                  # build the replica anew out of the lake
  mianti window token --clerk c017 --department housing
  mianti window register                 # enter its public keys in the register, for verifying
"""


_STATUS_HELP = """How far it is behind, what was shipped · 查看副本和回执状态

Exit codes · 退出码: 0 all is well · 正常, 1 too far behind, or receipts at fault · 滞后过久或回执异常,
2 no replica · 无副本
"""
BEHIND: Final = 1


class NoSuchDepartment(MiantiError):
    """The catalogue has no such department."""


class NoSuchPurpose(MiantiError):
    """None of the departments has such a purpose."""


@click.group("window", help=_HELP)
def command() -> None:
    """The window's verbs."""


@command.command("serve", help="Serve page and API until stopped · 启动窗口服务")
@click.option("--port", type=click.IntRange(1, 65535), help="Default: MIANTI_WINDOW_PORT · 端口")
def serve(port: int | None) -> None:
    """Answer until told to end."""
    from deploy.window.app import serve as run  # FastAPI takes a second to import
    from flows.receipt.state import unregistered

    settings = read_settings()
    chosen = port or settings.mianti_window_port
    if chosen is None:
        raise click.UsageError("Give --port, or set MIANTI_WINDOW_PORT · 请指定端口")
    for told in unregistered(settings):
        click.echo("\n".join(told), err=True)
    run(settings, chosen)


@command.command("follow", help="Keep the replica up to date, ship receipts · 跟随日志并上传回执")
def follow_logs() -> None:
    """Follow until told to end."""
    from flows.follow_window import main

    main()


@command.command("rebuild", help="Build the replica anew out of the lake · 重建本地副本")
def build() -> None:
    """Build it; the old one serves until the new one is whole."""
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from flows.replica import place, rebuild

    settings = read_settings()
    columns = (SpinnerColumn(), TextColumn("{task.completed:,} versions · 条"), TimeElapsedColumn())
    with place(settings).alone(), Progress(*columns, transient=True) as bar:
        task = bar.add_task("", total=None)
        count = rebuild(settings, lambda more: bar.advance(task, more))
    click.echo(f"{count:,} versions · 条: {place(settings).path()}")


@command.command("status", help=_STATUS_HELP)
def status() -> None:
    """Print each family's position, and how the receipts stand.

    Ends with `BEHIND` where the window may not answer, or something is wrong with the receipts.
    """
    from flows.replica import place
    from flows.window import Behind, require_fresh

    settings = read_settings()
    well = _tell_receipts(settings)
    with closing(place(settings).open()) as replica:
        positions = replica.positions()
    for family in FAMILIES:
        click.echo(f"{family:<13}{_position(positions.get(family))}")
    try:
        require_fresh(positions, settings)
    except Behind as error:
        click.echo(error, err=True)
        well = False
    if not well:
        raise click.exceptions.Exit(BEHIND)


def _position(at: Position | None) -> str:
    if at is None:
        return "nothing landed yet · 尚无数据"
    version = f"log version · 日志版本 {at.version}"
    if at.through is None:
        return f"{version}, landed through · 入库截至 {landed_words(None)}"
    late = (dt.datetime.now(dt.UTC) - at.through).total_seconds()
    through = landed_words(at.through)
    return f"{version}, landed through · 入库截至 {through}, behind · 滞后 {late:.1f} s"


def _tell_receipts(settings: Settings) -> bool:
    """Print how the window's receipts stand; return whether nothing is wrong with them."""
    from flows.receipt.state import state_of_receipts  # Delta takes a moment to import

    state = state_of_receipts(settings)
    click.echo(
        f"{'receipts':<13}written · 已签发 {state.written}, shipped · 已上传 {state.shipped}"
    )
    for english, chinese in state.problems:
        click.echo(f"{english}\n{chinese}", err=True)
    return not state.problems


@command.command("token", help="Sign a token for a clerk or an enterprise · 签发访问令牌")
@click.option("--clerk", help="The clerk's account, no person's number · 窗口人员账号")
@click.option("--department", "departments", multiple=True, help="Of the catalogue · 部门")
@click.option("--purpose", "purposes", multiple=True, help="Only these; else all · 用途")
@click.option("--subject", help="For an enterprise to see its own uses · 企业统一社会信用代码")
@click.option("--hours", type=click.IntRange(1, 24 * 30), default=8, show_default=True)
def token(
    clerk: str | None,
    departments: tuple[str, ...],
    purposes: tuple[str, ...],
    subject: str | None,
    hours: int,
) -> None:
    """Print a token; it is a secret until it ends."""
    from deploy.window.tokens import Caller, issue
    from flows.answer.ask import checked_subject
    from flows.catalogue import catalogue

    settings = read_settings()
    code = checked_subject(subject) if subject else None
    if bool(code) == bool(clerk and departments):
        raise click.UsageError(
            "Give --clerk and --department, or --subject · 请指定 --clerk 和 --department，或 --subject"
        )
    known = catalogue(settings.mianti_catalogue).departments
    unknown = [one for one in departments if one not in known]
    if unknown:
        raise NoSuchDepartment(
            f"The catalogue has no department {', '.join(unknown)}; it has {', '.join(known)}.",
            f"目录中没有部门 {'、'.join(unknown)}；现有：{'、'.join(known)}。",
        )
    owned = {purpose for one in departments for purpose in known[one].purposes}
    strange = [one for one in purposes if one not in owned]
    if strange:
        raise NoSuchPurpose(
            f"These departments have no purpose {', '.join(strange)}; they have "
            f"{', '.join(sorted(owned))}.",
            f"所列部门没有用途 {'、'.join(strange)}；现有：{'、'.join(sorted(owned))}。",
        )
    name = clerk or f"enterprise {code}"
    caller = Caller(name, departments, purposes or None, code)
    click.echo(issue(settings, caller, dt.timedelta(hours=hours)))


@command.command("new-key", help="Give the window a new signing key · 更换签名密钥")
def new_key() -> None:
    """The old key signs that the new one follows; the window must be stopped."""
    from connectors.receipts import answering
    from flows.receipt.desk import change_key

    settings = read_settings()
    with answering(settings.mianti_window):
        name = change_key(settings.mianti_window, settings.mianti_window_name)
    click.echo(f"New key · 新密钥: {name}")
    _register(settings)


@command.command("register", help="Enter the window's public keys in the register · 登记窗口公钥")
def register_keys() -> None:
    """Add the keys of this window that the register lacks; compare them with what it prints."""
    _register(read_settings())


def _register(settings: Settings) -> None:
    from flows.receipt.register import register

    added = register(settings)
    for name in added:
        click.echo(f"Registered · 已登记: {settings.mianti_window_name} {name}")
    if not added:
        click.echo("Registered already · 此前已登记")
    click.echo(f"Register · 登记表: {settings.mianti_window_keys}")
