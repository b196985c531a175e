"""`mianti verify`: recount everything."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from connectors.errors import MiantiError
from connectors.settings import NotRunning, read_settings
from deploy.cli.families import AS_JSON
from schemas.families import FAMILIES

if TYPE_CHECKING:
    from flows.verify import Verified


_HELP = """Recount everything, from Kafka to the datasets · 全面核对

Every offset is accounted for, every event is what it was, and the log, folded again, gives the
datasets. Exit code 1 when anything is missing, doubled or different; 2 when a family's tables are
damaged, and the others are recounted all the same.
有缺失、重复或差异时退出码为 1；某类数据的表已损坏时为 2，其余类别照常核对。

\b
  mianti verify
  mianti verify --json
"""
_DIFFERENT = 1
_DAMAGED = 2


@click.command(help=_HELP)
@AS_JSON
def command(as_json: bool) -> None:
    """Verify all families."""
    from connectors.clients import KafkaUnreachable
    from connectors.store import StoreUnreachable
    from flows.status import noting
    from flows.verify import Verified, verify

    settings = read_settings()
    found: list[Verified] = []
    faults: list[MiantiError] = []
    for family in FAMILIES:
        harmed: list[MiantiError] = []
        with noting(settings, family, harmed):
            found.append(verify(settings, family))
        for why in harmed:
            # No fault of one family's tables.
            if isinstance(why, NotRunning | KafkaUnreachable | StoreUnreachable):
                raise why
            found.append(Verified(family, differences=[str(why)]))
        faults += harmed
    ok = all(each.ok for each in found)
    if as_json:
        told = {each.family: each.as_json() for each in found}
        click.echo(json.dumps({"ok": ok, "families": told}, ensure_ascii=False))
    else:
        for each in found:
            _tell(each)
        click.echo("ok · 核对无误" if ok else "NOT ok · 核对发现差异")
    for why in faults:
        click.echo(str(why), err=True)
    sys.exit(_DAMAGED if faults else 0 if ok else _DIFFERENT)


def _tell(one: Verified) -> None:
    click.echo(
        f"{one.family}: offsets · 位点 {one.offsets:,} = accepted · 入库 {one.accepted:,} + "
        f"quarantined · 隔离 {one.quarantined:,} + passed over · 跳过 "
        f"{one.offsets - one.accepted - one.quarantined:,}; repeats · 重复 {one.duplicates:,}; "
        f"dataset rows · 数据集行数 {one.dataset_rows:,}"
    )
    for difference in one.differences:
        click.echo(f"  ! {difference}")
