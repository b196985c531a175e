"""The decision on each paper of a matter, in columns: `flows.answer.decide` has the rules. Pure."""

from __future__ import annotations

import datetime as dt
from typing import Final

import polars as pl

from flows.answer.columns.verdicts import Verdicts, column, usable
from flows.answer.verdict import LACKING, LOST
from schemas.catalogue.grammar import (
    Catalogue,
    LicenceEvidence,
    Material,
    PromiseEvidence,
    SharedEvidence,
    Use,
)

#: What is told of what was stopped.
_STOP: Final = ("by", "state", "since", "document")
#: What is decided of a paper, named as in `flows.answer.decide.Decision`.
DECISION: Final = pl.Schema(
    {
        "outcome": pl.String(),
        "reason": pl.String(),
        "evidence": pl.String(),
        "rule": pl.String(),
        "record_key": pl.String(),
        "source": pl.String(),
        "through": pl.Datetime("us", "UTC"),
        "by": pl.String(),
        "state": pl.String(),
        "since": pl.Date(),
        "document": pl.String(),
        "due": pl.Date(),
    }
)


def decisions(
    catalogue: Catalogue, code: str, asked: pl.DataFrame, verdicts: Verdicts, on: dt.date
) -> pl.DataFrame:
    """Return `asked` (`row`, `subject`) with a row for each paper: by `row`, in the matter's order.

    Each `row` stands once; subjects may repeat, and are among those of the verdicts.
    """
    found = asked.join(verdicts.found, on="subject", how="left", maintain_order="left")
    papers = [
        found.select(*asked.columns, _paper(use), _made(catalogue, code, use, verdicts, on))
        for use in catalogue.matters[code].materials
    ]
    told = pl.concat(papers).unnest("paper", "made")
    return told.sort("row", maintain_order=True)


def _paper(use: Use) -> pl.Expr:
    paper = pl.struct(material=pl.lit(use.material), necessity=pl.lit(use.necessity))
    return paper.alias("paper")


def _made(catalogue: Catalogue, code: str, use: Use, verdicts: Verdicts, on: dt.date) -> pl.Expr:
    """Return the decision on a paper, a struct; one that may follow has its last day."""
    made = _replaced(catalogue, code, catalogue.materials[use.material], verdicts).alias("made")
    matter = catalogue.matters[code]
    if use.necessity != "may_follow" or matter.follow_within is None:
        return made
    due = on + dt.timedelta(days=matter.follow_within)
    follows = (pl.field("outcome") == "must_bring") & pl.field("reason").is_in(LACKING)
    outcome = pl.when(follows).then(pl.lit("may_follow")).otherwise(pl.field("outcome"))
    return made.struct.with_fields(outcome=outcome, due=pl.when(follows).then(pl.lit(due)))


def _replaced(catalogue: Catalogue, code: str, material: Material, verdicts: Verdicts) -> pl.Expr:
    """Try what may stand in for a paper, the best first, and a promise last of all.

    What speaks against the enterprise is told before what is lacking, and no promise helps then.
    """
    offered = {name: catalogue.evidence[name] for name in material.replaced_by}
    promises = [_promise(n, one) for n, one in offered.items() if isinstance(one, PromiseEvidence)]
    tried = [
        _tried(name, one, verdicts if name in usable(catalogue, code) else None)
        for name, one in offered.items()
        if not isinstance(one, PromiseEvidence)
    ]
    nothing = "own_paper" if material.origin != "issued" else "source_incomplete"
    last = [*promises, *(made for _, made in tried), _struct(outcome="must_bring", reason=nothing)]
    found = last[0]
    relied = [(reason.is_null(), made) for reason, made in tried]
    against = [(~reason.is_in(LACKING), made) for reason, made in tried]
    for holds, made in reversed([*relied, *against]):
        found = pl.when(holds).then(made).otherwise(found)
    return found


def _promise(name: str, evidence: PromiseEvidence) -> pl.Expr:
    return _struct(outcome="on_promise", evidence=name, rule=evidence.rule)


def _tried(
    name: str, evidence: SharedEvidence, verdicts: Verdicts | None
) -> tuple[pl.Expr, pl.Expr]:
    """Return the reason why a piece of evidence will not do, and the decision that comes of it.

    Without verdicts there is no right to look at it.
    """
    if verdicts is None:
        made = _struct(outcome="must_bring", reason="no_right", evidence=name, rule=evidence.rule)
        return pl.lit("no_right"), made
    verdict = pl.col(column(name)).struct
    source, reason = verdicts.sources[name], verdict.field("reason")
    exempt = "exempt_by_licence" if isinstance(evidence, LicenceEvidence) else "exempt_by_data"
    made = _struct(
        outcome=pl.when(reason.is_null())
        .then(pl.lit(exempt))
        .when(verdict.field("stop").struct.field("state").is_in(LOST))
        .then(pl.lit("not_accepted"))
        .otherwise(pl.lit("must_bring")),
        reason=reason,
        evidence=name,
        rule=evidence.rule,
        record_key=verdict.field("record_key"),
        source=source.publisher,
        through=source.through,
        **{name: verdict.field("stop").struct.field(name) for name in _STOP},
    )
    return reason, made


def _struct(**told: pl.Expr | str | dt.datetime | None) -> pl.Expr:
    """Return a decision; what is not told is null."""
    values = {name: told.get(name) for name in DECISION}
    return pl.struct(
        value.alias(name)
        if isinstance(value, pl.Expr)
        else pl.lit(value, DECISION[name]).alias(name)
        for name, value in values.items()
    )
