"""`mianti schema`: whether the contract still takes everything that was ever published by it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import click

from connectors.settings import read_settings

if TYPE_CHECKING:
    from schemas.avro import Kind
    from schemas.compatible import Break


_HELP = """Whether the schemas still take what was published by them · 检查模式兼容性

Every released version stays as it was, and the newest of each schema reads all earlier ones: what is
added may be null, nothing is taken away and nothing gets another type.

\b
  mianti schema check
  mianti schema register
"""
_KINDS: Final[tuple[Kind, ...]] = ("events", "datasets")
_BROKEN: Final = 1


@click.group(help=_HELP)
def command() -> None:
    """Look at the contract."""


@command.command()
def check() -> None:
    """Say in words what breaks and for whom; exit code 1 when anything does · 说明不兼容之处."""
    from schemas.avro import FAMILIES, versions

    every = [(kind, family) for kind in _KINDS for family in FAMILIES]
    broken = [line for kind, family in every for line in _broken(kind, family)]
    for line in broken:
        click.echo(line, err=True)
    for line in (line for kind, family in every for line in _new(kind, family)):
        click.echo(line)
    if broken:
        sys.exit(_BROKEN)
    count = sum(len(versions(kind, family)) for kind, family in every)
    click.echo(f"{count} versions of {len(every)} schemas: nothing breaks · 全部兼容")


@command.command()
def register() -> None:
    """Put this release's event schemas into the registry, and say their ids · 登记到注册中心。

    In the order of schemas/ids.yaml: an empty registry that counts from 1 then gives the same ids.
    """
    from connectors.registry import required, subject
    from schemas.avro import numbered

    there = required(read_settings())
    for family, version in numbered():
        number = there.register(family, version)
        click.echo(f"{subject(family)} v{version}: {number}")


def _broken(kind: Kind, family: str) -> Iterator[str]:
    from schemas.avro import released, schema_of, versions
    from schemas.compatible import CHANGED, MISSING, Break, breaks, fingerprint

    held = versions(kind, family)
    for version, noted in released(kind, family).items():
        if version not in held:
            yield _told(kind, family, version, Break("", MISSING))
        elif fingerprint(schema_of(kind, family, version)) != noted:
            yield _told(kind, family, version, Break("", CHANGED))
    newest = schema_of(kind, family, held[-1])
    for version in held[:-1]:
        for one in breaks(schema_of(kind, family, version), newest):
            yield _told(kind, family, held[-1], one, version)


def _new(kind: Kind, family: str) -> Iterator[str]:
    from schemas.avro import released, schema_of, versions
    from schemas.compatible import fingerprint

    noted = released(kind, family)
    for version in versions(kind, family):
        if version not in noted:
            told = fingerprint(schema_of(kind, family, version))
            yield (
                f"schemas/{kind}/{family}.v{version}.avsc is not released; at its release note it in "
                f"schemas/released.yaml · 尚未发布，发布时请登记：\n    {kind} {family} {version}: {told}"
            )


def _told(kind: Kind, family: str, version: int, found: Break, than: int | None = None) -> str:
    place = f"schemas/{kind}/{family}.v{version}.avsc" + (f" {found.path}" if found.path else "")
    against = f" (v{than})" if than is not None else ""
    return f"{place}: {found.why.en}{against}\n    {found.why.zh}\n    {_whom(kind, family)}"


def _whom(kind: Kind, family: str) -> str:
    """Return who is hit: those who publish by an older version, or those who read the table."""
    from schemas import contract

    if kind == "datasets":
        return (
            f"hits: every installation's table datasets/{family}, and whoever reads it · "
            f"影响：各处的 datasets/{family} 表及其读者"
        )
    table = contract.publishers(read_settings().mianti_publishers).publishers
    names = ", ".join(sorted(id_ for id_, one in table.items() if family in one.families))
    return (
        f"hits: what is in topics and logs, and who publishes {family} by an older release · "
        f"影响：已有消息和日志，以及使用旧版本发布的部门: {names}"
    )
