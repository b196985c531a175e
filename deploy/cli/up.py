"""`mianti up`: start what is missing, and say what runs where."""

from __future__ import annotations

import click

from connectors.settings import Settings, read_settings
from connectors.stack import Server, Stack


@click.command(help="Start Kafka, Prefect and the deployments · 启动本机服务")
@click.option(
    "--no-flows", is_flag=True, help="Serve no deployments, follow nothing · 不启动数据流程"
)
def command(no_flows: bool) -> None:
    """Run it again at will: what runs is found, what has died is started."""
    from deploy.local.lifecycle import up

    settings = read_settings()
    stack = up(settings, flows=not no_flows, progress=_tell)
    for name, where in places(settings, stack):
        click.echo(f"{name}: {where}")
    click.echo("Next · 下一步: mianti publish FILE --publisher ID, mianti status, mianti down")


def _tell(step: str) -> None:
    click.echo(f"{step} …", err=True)


def places(settings: Settings, stack: Stack) -> list[tuple[str, str]]:
    """What runs or lies where, one pair for each line of the output."""
    kafka = settings.kafka_bootstrap_servers or _address(stack.kafka)
    api = settings.prefect_api_url or _address(stack.prefect)
    served = stack.serve is not None and stack.serve.alive
    follows = stack.follow is not None and stack.follow.alive
    return [
        ("Kafka", kafka),
        ("Prefect UI · 运行界面", api.removesuffix("/api") + _guarded(settings)),
        ("Deployments · 数据流程", "served · 已启动" if served else "not served · 未启动"),
        ("Landing · 持续入库", "follows · 已启动" if follows else "not followed · 未启动"),
        ("Window · 服务窗口", _address(stack.window)),
        ("Lake · 数据湖", settings.mianti_lake),
        ("Drop zone · 投放区", settings.mianti_zone),
        ("Logs · 日志", str(settings.mianti_home / "log")),
    ]


def _guarded(settings: Settings) -> str:
    own = settings.prefect_api_url is None
    return " (its password: mianti status · 口令见 mianti status)" if own else ""


def _address(server: Server | None) -> str:
    return server.address if server is not None else "-"
