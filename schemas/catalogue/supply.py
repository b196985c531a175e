"""Whether the sources of a piece of evidence can give what it goes by. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from schemas.avro import event_columns
from schemas.catalogue.grammar import (
    CreditEvidence,
    FieldEvidence,
    LicenceEvidence,
    SharedEvidence,
)
from schemas.dialect import Const, Dialect, FieldMap, Words
from schemas.publishers import PublishersTable


@dataclass(frozen=True)
class Known:
    """What the catalogue leans on: who publishes, and which layouts there are."""

    publishers: PublishersTable
    dialects: dict[str, Dialect]


def source_faults(evidence: SharedEvidence, known: Known) -> Iterator[Words]:
    """Yield why a source gives nothing: who publishes it not, or in a layout that never has it."""
    wanted = _family(evidence)
    for id_, layouts in evidence.sources.items():
        publisher = known.publishers.publishers.get(id_)
        if publisher is None or wanted not in publisher.families:
            yield Words(
                en=f"{id_} publishes no {wanted} events (publishers' table).",
                zh=f"发布部门表中 {id_} 不发布 {wanted} 类事件。",
            )
            continue
        for layout in layouts:
            dialect = known.dialects.get(layout)
            if layout not in publisher.layouts or dialect is None or dialect.family != wanted:
                yield Words(
                    en=f"{id_} does not send {wanted} records in the layout {layout}.",
                    zh=f"{id_} 不以 {layout} 版式报送 {wanted} 类数据。",
                )
            elif lacking := _lacking(evidence, dialect):
                yield Words(
                    en=f"The layout {layout} never gives {', '.join(lacking)}.",
                    zh=f"{layout} 版式不提供 {'、'.join(lacking)}。",
                )


def _lacking(evidence: SharedEvidence, dialect: Dialect) -> list[str]:
    """Return what the evidence goes by and the layout never gives: it would find nothing, ever."""
    if dialect.native:
        return []
    given = {name: spec for event in dialect.events for name, spec in event.content.items()}
    if isinstance(evidence, CreditEvidence):
        kinds = {bar.kind for bar in evidence.bars}
        return [f"kind {kind}" for kind in sorted(kinds) if not _may_be(given.get("kind"), [kind])]
    if isinstance(evidence, LicenceEvidence):
        by = [name for name in ("name", "type_code") if name in given]
        wanted = ["scope"] if evidence.scope else []
        return [*([] if by else ["name", "type_code"]), *(n for n in wanted if n not in given)]
    decision = event_columns(evidence.family)["decision"]
    content = (
        {field.name for field in decision.fields} if isinstance(decision, pl.Struct) else set()
    )
    told = {evidence.fields[0]: None, **evidence.where}
    return [
        name
        for name, values in told.items()
        if name in content and not _may_be(given.get(name), values)
    ]


def _may_be(spec: FieldMap | None, values: list[str] | None) -> bool:
    """Return whether a field may come to hold one of some values; None: any."""
    return spec is not None and not (
        isinstance(spec, Const) and values is not None and spec.const not in values
    )


def _family(evidence: SharedEvidence) -> str:
    """Return the family that a piece of evidence comes from."""
    if isinstance(evidence, FieldEvidence):
        return evidence.family
    return "licence" if isinstance(evidence, LicenceEvidence) else "credit"
