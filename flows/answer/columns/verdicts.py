"""What comes of each piece of evidence, for many enterprises at once. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from flows.answer.columns import credit, record
from flows.answer.columns.prepared import Rows, prepared
from flows.answer.facts import Facts, SourceState, source_state
from flows.answer.verdict import Reason
from schemas.catalogue.grammar import (
    Catalogue,
    CreditEvidence,
    FieldEvidence,
    LicenceEvidence,
    PromiseEvidence,
    SharedEvidence,
)


@dataclass(frozen=True)
class Verdicts:
    """`found`: a row for each `subject`, with a struct for each piece of evidence, in its `column`.

    The struct has `reason` (null: it may be relied on), `record_key` and `stop`; the state of the
    evidence's sources is the same for all.
    """

    found: pl.DataFrame
    sources: Mapping[str, SourceState]


def verdicts(
    catalogue: Catalogue, matters: Iterable[str], subjects: pl.Series, rows: Rows, known: Facts
) -> Verdicts:
    """Judge the evidence that some matters may use, for each of some different subjects.

    `rows`: what `flows.fold.whole` gives of them, by family; `known`: the rest, without rows.
    """
    names = dict.fromkeys(name for code in matters for name in usable(catalogue, code))
    evidence = {name: _shared(catalogue, name) for name in names}
    ready = prepared(rows, subjects, known)
    sources = {name: source_state(one, known) for name, one in evidence.items()}
    found = {
        column(name): _whole(
            _judged(one, ready, known, sources[name]), one, sources[name], subjects.len()
        )
        for name, one in evidence.items()
    }
    return Verdicts(pl.DataFrame({"subject": subjects, **found}), sources)


def column(evidence: str) -> str:
    """Return the column of a piece of evidence: an id may be any words."""
    return f"evidence {evidence}"


def usable(catalogue: Catalogue, code: str) -> list[str]:
    """Return the evidence out of shared data that a matter's papers name and its purpose may use."""
    matter = catalogue.matters[code]
    may_use = catalogue.departments[matter.department].purposes[matter.purpose].may_use
    offered = [n for use in matter.materials for n in catalogue.materials[use.material].replaced_by]
    shared = [n for n in offered if not isinstance(catalogue.evidence[n], PromiseEvidence)]
    return [name for name in dict.fromkeys(shared) if name in may_use]


def _shared(catalogue: Catalogue, name: str) -> SharedEvidence:
    found = catalogue.evidence[name]
    assert not isinstance(found, PromiseEvidence)  # noqa: S101 - `usable` has left these out
    return found


def _judged(
    evidence: SharedEvidence, rows: Rows, known: Facts, source: SourceState
) -> pl.DataFrame:
    if isinstance(evidence, LicenceEvidence):
        return record.licence(evidence, rows, known, source)
    if isinstance(evidence, FieldEvidence):
        return record.fields(evidence, rows, known, source)
    return credit.check(evidence, rows, known)


def _whole(
    judged: pl.DataFrame, evidence: SharedEvidence, source: SourceState, count: int
) -> pl.Series:
    """Return a verdict for every enterprise; of those with nothing on file the sources decide."""
    nothing: Reason | None = source.fault
    if nothing is None and not isinstance(evidence, CreditEvidence):
        nothing = "none_on_file"
    places = pl.DataFrame({"who": pl.int_range(count, dtype=pl.UInt32, eager=True)})
    known = judged.with_columns(on_file=True)
    every = places.join(known, on="who", how="left", maintain_order="left")
    reason = pl.when("on_file").then("reason").otherwise(pl.lit(nothing, pl.String))
    return every.select(pl.struct(reason.alias("reason"), "record_key", "stop")).to_series()
