"""`mianti demo`: the whole job on the generated sample, and what came of it in a few lines."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from connectors.settings import Settings, read_settings
from deploy.local.processes import NotStarted
from schemas.families import FAMILIES

if TYPE_CHECKING:
    from flows.publish import Outcome
    from flows.sample.manifest import Manifest


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
    from deploy.cli.at_window import ask_window, demo_token, tell_saved
    from deploy.local.lifecycle import up
    from deploy.local.runs import run_until_settled
    from deploy.local.window import wait_current
    from flows.sample.generate import generate

    settings = read_settings()
    stack = up(settings, flows=True, progress=_step)
    folder = settings.mianti_home / "sample"
    manifest = generate(_ROWS, _SEED, folder)
    _publish(settings, manifest, folder)
    run_until_settled(settings, _step)
    _datasets(settings)
    if stack.window is None or stack.replica is None or stack.prefect is None:
        raise NotStarted("The window does not run.", "服务窗口没有运行。")
    wait_current(settings, stack.replica)
    ask_window(settings, stack.window, manifest.enterprise, _MATTER)
    tell_saved(settings)
    _next(manifest, folder)
    page = f"{stack.window.address}/page/#token={demo_token(settings)}"
    click.echo(f"The window as its clerk, for 8 hours · 窗口页面（8 小时内有效）: {page}")


def _step(text: str) -> None:
    click.echo(f"… {text}", err=True)


def _publish(settings: Settings, manifest: Manifest, folder: Path) -> None:
    """Publish the files of the first day, and say which refusals were meant."""
    from flows.publish import Publisher

    click.echo(
        "\nPublished; some rows are wrong on purpose, to show what becomes of them · "
        "发布（样例中特意放入了错误行，用于演示退回）"
    )
    held, whose = 0, ""
    for name in (name for name in manifest.files if "/" not in name):
        whose = manifest.files[name].publisher
        # As a department does with each export: without it nobody may conclude from an absence.
        now = dt.datetime.now(dt.UTC)
        outcome = Publisher(whose, settings).publish_file(folder / name, complete_through=now)
        held = max(held, outcome.excepted)
        click.echo(
            f"  {name:<26} published · 发布 {outcome.published:>3}, unchanged · 未变 "
            f"{outcome.unchanged:>3}, refused · 退回 {outcome.refused:>3} "
            f"{_meant(outcome, manifest.files[name].refused)}"
        )
        for doubt in outcome.not_complete:
            click.echo(f"    not stated complete · 不作完整性声明: {doubt['en']} {doubt['zh']}")
    if held:
        click.echo(
            "  Refused rows wait in *.refused.* beside the files; until they are mended, the enterprises "
            "they may be about are exempted from nothing.\n"
            "  退回的行及原因见样例旁的 *.refused.* 文件；修改前，涉及的企业暂不免提交: "
            f"mianti refused list --publisher {whose}"
        )


def _meant(outcome: Outcome, planned: dict[str, int]) -> str:
    """Return whether what was refused is what the sample was made to have refused, and what is not."""
    other = {
        code: number - planned.get(code, 0)
        for code, number in outcome.reasons.items()
        if number > planned.get(code, 0)
    }
    if not other:
        return "(all meant · 均为有意放入)"
    if other.keys() == {"older_edition"}:  # the demo again, after its second day was published
        older = other["older_edition"]
        return (
            f"({older} older than what was published since, the rest meant · "
            f"{older} 行早于其后已发布的版次，其余为有意放入)"
        )
    named = ", ".join(f"{code} {number}" for code, number in other.items())
    return f"(not meant · 并非有意放入: {named})"


def _datasets(settings: Settings) -> None:
    from connectors import lake

    click.echo("\nDatasets · 数据集")
    for family in FAMILIES:
        table = lake.open_table(settings, "datasets", family)
        if table is None:
            continue
        usable = lake.scan(table).group_by("usable").len().collect()
        counts = dict(usable.iter_rows())
        click.echo(
            f"  {family:<13}{sum(counts.values()):>6,} rows · 行, usable · 可用 "
            f"{counts.get('yes', 0):,}   {_shown(lake.uri(settings, 'datasets', family))}"
        )


def _next(manifest: Manifest, folder: Path) -> None:
    later = next(name for name in manifest.files if name.startswith("day2"))
    who, publisher = manifest.enterprise, manifest.files[later].publisher
    click.echo(
        "\nAll of it runs until `make down` · 各项服务持续运行，`make down` 停止. Try next · 接下来可以试试:\n"
        "  . .venv/bin/activate\n"
        f"  mianti query licence --subject {who}\n"
        f"  mianti ask --subject {who} --matter start-building\n"
        f"  mianti publish {_shown(str(folder / later))} --publisher {publisher}"
        "   # some licences are suspended · 部分许可被暂扣\n"
        "  mianti ingest && mianti verify && mianti status"
    )


def _shown(place: str) -> str:
    """Return a path as it can be typed from where the person stands."""
    path = Path(place)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else place
