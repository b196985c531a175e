"""`mianti uses`: by whom and for what an enterprise's data were used."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import click

from connectors.settings import Settings, read_settings
from deploy.cli.families import AS_JSON
from deploy.cli.times import local

if TYPE_CHECKING:
    from connectors.receipts import Receipts


_HELP = """Say by whom and for what an enterprise's data were used · 查询数据使用记录

\b
  mianti uses --subject 91990100MA01RXEY0J
"""


@click.command(help=_HELP)
@click.option("--subject", required=True, help="The enterprise's unified code · 统一社会信用代码")
@AS_JSON
def command(subject: str, as_json: bool) -> None:
    """Print the uses, the newest first: of all windows, and this one's not shipped yet."""
    from flows.answer.ask import checked_subject
    from flows.catalogue import catalogue
    from flows.receipt.uses import use, uses

    settings = read_settings()
    found = catalogue(settings.mianti_catalogue)
    with _own(settings) as receipts:
        told = [use(one, found) for one in uses(settings, checked_subject(subject), receipts)]
    if as_json:
        click.echo(json.dumps({"uses": told}, ensure_ascii=False))
        return
    for one in told:
        click.echo(_line(one))
    click.echo(f"{len(told)} uses · 次")


def _line(one: dict[str, Any]) -> str:
    departments = ", ".join(f"{of['name']['zh']} · {of['name']['en']}" for of in one["departments"])
    matters = ", ".join(f"{of['code']} {of['name']['zh']}" for of in one["matters"])
    refused = "  REFUSED · 拒绝" if one["kind"] == "refusal" else ""
    return f"{local(dt.datetime.fromisoformat(one['at']))}  {one['receipt']}  {departments}  {matters}{refused}"


@contextmanager
def _own(settings: Settings) -> Iterator[Receipts | None]:
    from connectors.receipts import Receipts

    if not (settings.mianti_window / "receipts.db").exists():
        yield None
        return
    with closing(Receipts(settings.mianti_window)) as receipts:
        yield receipts
