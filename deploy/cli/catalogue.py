"""`mianti catalogue`: matters and their papers, and what is wrong with the catalogue."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import TYPE_CHECKING

import click

from connectors.settings import Settings, read_settings
from deploy.cli.families import AS_JSON

if TYPE_CHECKING:
    from schemas.catalogue.check import Finding
    from schemas.catalogue.grammar import Catalogue
    from schemas.catalogue.supply import Known


_HELP = """Matters, their papers, and what stands in for each · 事项、材料及可替代的证据

The catalogue is the one shipped, or that of the directory MIANTI_CATALOGUE names.

\b
  mianti catalogue list
  mianti catalogue show JS-3001
  mianti catalogue check
"""
_FAULTS = 1


@click.group(help=_HELP)
def command() -> None:
    """Hold the verbs."""


@command.command(name="list", help="List matters and bundles · 列出事项和一件事")
@AS_JSON
def list_(as_json: bool) -> None:
    """List the matters and the bundles."""
    from flows.catalogue import catalogue

    found = catalogue(read_settings().mianti_catalogue)
    if as_json:
        told = found.model_dump(mode="json", include={"matters", "bundles"})
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    for code, matter in found.matters.items():
        department = found.departments[matter.department].name
        click.echo(f"{code}  {matter.name.zh} · {matter.name.en}  ({department.zh})")
    for code, bundle in found.bundles.items():
        click.echo(f"{code}  {bundle.name.zh} · {bundle.name.en}  = {' + '.join(bundle.matters)}")


@command.command(
    help="Show a matter's papers, what stands in for each, and its form · 显示事项的材料清单和表单"
)
@click.argument("matter")
def show(matter: str) -> None:
    """Show one matter."""
    from flows.catalogue import catalogue

    found = catalogue(read_settings().mianti_catalogue)
    if matter not in found.matters:
        raise click.BadParameter(
            f"no matter {matter!r}; `mianti catalogue list` has them · 没有该事项，见 mianti catalogue list"
        )
    one = found.matters[matter]
    click.echo(f"{matter}  {one.name.zh} · {one.name.en}")
    for use in one.materials:
        material = found.materials[use.material]
        click.echo(
            f"  {material.name.zh} · {material.name.en}  [{use.necessity}, {material.origin}]"
        )
        for id_ in material.replaced_by:
            evidence = found.evidence[id_]
            rule = found.rules[evidence.rule]
            click.echo(f"    <- {evidence.name.zh} · {evidence.name.en}")
            click.echo(
                f"       {rule.law.zh} 第{rule.article}条 · {rule.law.en}, art. {rule.article}"
            )
        if material.not_shared is not None:
            click.echo(f"    -- {material.not_shared.zh} · {material.not_shared.en}")
    if one.form is not None:
        click.echo(f"  表单 · Form  {one.form}")
        for field in found.forms[one.form]:
            click.echo(f"    {field.name.zh} · {field.name.en}  <- {', '.join(field.origins)}")


@command.command(name="check", help="Find what is wrong with the catalogue · 检查目录")
@AS_JSON
def check_(as_json: bool) -> None:
    """Check the catalogue; exit code 1 when anything is wrong with it."""
    from flows.catalogue import as_it_stands
    from schemas.catalogue.check import check

    settings = read_settings()
    found = as_it_stands(settings.mianti_catalogue)
    faults = check(found, _known(settings))
    if as_json:
        told = [dataclasses.asdict(one) | {"says": one.says.model_dump()} for one in faults]
        click.echo(json.dumps({"ok": not faults, "findings": told}, ensure_ascii=False))
    else:
        _tell(found, faults)
    sys.exit(_FAULTS if faults else 0)


def _known(settings: Settings) -> Known:
    from schemas import contract
    from schemas.catalogue.supply import Known

    table = contract.publishers(settings.mianti_publishers)
    return Known(table, contract.dialects(settings.mianti_dialects))


def _tell(found: Catalogue, faults: list[Finding]) -> None:
    for one in faults:
        click.echo(f"! {one.kind}  {one.where}: {one.says.en}\n  {one.says.zh}")
    unshared = [m.name for m in found.materials.values() if m.not_shared is not None]
    click.echo(
        f"{len(found.matters)} matters, {len(found.bundles)} bundles, {len(found.materials)} papers, "
        f"{len(faults)} faults · {len(found.matters)} 个事项，{len(found.bundles)} 个一件事，"
        f"{len(found.materials)} 种材料，{len(faults)} 处问题"
    )
    if unshared:
        click.echo(
            f"issued by departments that do not share them yet · 尚未共享的政府核发材料: "
            f"{'、'.join(name.zh for name in unshared)} · {', '.join(name.en for name in unshared)}"
        )
