"""The FAMILY arguments that several verbs take."""

from __future__ import annotations

import click

from schemas.families import FAMILIES

ONE = click.argument("family", type=click.Choice(FAMILIES))
SEVERAL = click.argument("families", nargs=-1, type=click.Choice(FAMILIES))
AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout")


def chosen(families: tuple[str, ...]) -> tuple[str, ...]:
    """Return the families named, or all."""
    return families or FAMILIES
