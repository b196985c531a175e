"""`mianti receipt`: show a receipt, and prove it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from connectors.settings import read_settings
from deploy.cli.families import AS_JSON

if TYPE_CHECKING:
    from flows.receipt.verify import Proof


_HELP = """Show a window's receipt, and prove it · 查看并验证回执

\b
  mianti receipt show window-1-42
  mianti receipt verify window-1-42   # exit code 1 when it does not hold
"""


@click.group("receipt", help=_HELP)
def command() -> None:
    """A receipt's verbs."""


@command.command("show", help="Print a receipt as it was signed · 显示回执")
@click.argument("id_", metavar="ID")
def show(id_: str) -> None:
    """Print the signed text and the signature."""
    from flows.receipt.verify import find

    found = find(read_settings(), id_)
    told = {"id": found.id, "hash": found.hash, "signature": found.signature, "body": found.body}
    click.echo(json.dumps(told, ensure_ascii=False, indent=2))


@command.command("verify", help="Prove a receipt: its chain and its answer · 验证回执")
@click.argument("id_", metavar="ID")
@AS_JSON
def prove(id_: str, as_json: bool) -> None:
    """Print what was found; exit code 1 when anything is wrong."""
    from flows.receipt.verify import verify

    proof = verify(read_settings(), id_)
    if as_json:
        told = {name: value for name, value in vars(proof).items() if name != "body"}
        click.echo(json.dumps(told | {"holds": not proof.flaws}, ensure_ascii=False))
    else:
        _tell(proof)
    if proof.flaws:
        raise click.exceptions.Exit(1)


def _tell(proof: Proof) -> None:
    body = proof.body
    about = f"{body.get('subject') or ''} {', '.join(body.get('matters') or [])}".strip()
    click.echo(f"{proof.id}  {body['kind']}  {body['at']}  {about}")
    anchored = "anchored · 已锚定" if proof.anchored else "not anchored yet · 尚未锚定"
    click.echo(f"  chain · 链: {proof.entries} entries · 条, {anchored}")
    if proof.decided_again:
        click.echo("  answer · 答复: decided again from what was known then · 已按当时所知重新判定")
    for flaw in proof.flaws:
        click.echo(f"  WRONG · 不符: {flaw}")
    if not proof.flaws:
        click.echo("  It holds · 验证通过")
