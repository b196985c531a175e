"""`mianti down`: stop what `mianti up` started."""

from __future__ import annotations

import click

from connectors.settings import read_settings


@click.command(help="Stop what `up` started; data stay · 停止本机服务，保留数据")
def command() -> None:
    """Harmless when nothing runs."""
    from deploy.local.lifecycle import down

    settings = read_settings()
    down(settings, progress=lambda step: click.echo(f"{step} …", err=True))
    click.echo(f"Stopped. The data stay in {settings.mianti_home}.")
    click.echo(f"已停止。数据保留在 {settings.mianti_home}。")
