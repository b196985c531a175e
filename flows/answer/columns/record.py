"""Evidence out of records, in columns: `flows.answer.evidence` has the rules and their reasons. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import polars as pl

from flows.answer.columns.prepared import Rows
from flows.answer.credit_check import UNCOUNTED
from flows.answer.facts import Facts, SourceState
from schemas.catalogue.grammar import FieldEvidence, LicenceEvidence

_FORCE: Final = ("in_force", "in_business")

#: Where a condition holds, a reason not to rely on a record.
Cause = tuple[pl.Expr, str]


def licence(evidence: LicenceEvidence, rows: Rows, source: SourceState) -> pl.DataFrame:
    """Return `who`, `reason`, `record_key`, `by`: a row for each enterprise with such a licence."""
    found = among("type_code", evidence.type_codes) | among("name", evidence.certificates)
    mine = rows["licence"].filter(found, among("publisher", evidence.sources))
    scope = pl.col("scope").fill_null("")
    within = [scope.str.contains(word, literal=True) for word in evidence.scope]
    further = [(~pl.any_horizontal(within), "mismatch")] if within else []
    return _best(_judged(mine, "licence", _FORCE, further), "licence", evidence, source)


def fields(evidence: FieldEvidence, rows: Rows, known: Facts, source: SourceState) -> pl.DataFrame:
    """Return the same for the rows of a dataset; one without the first field asked for is none."""
    family = evidence.family
    told = [among(name, of) for name, of in evidence.where.items() if name != "state"]
    mine = rows[family].filter(among("publisher", evidence.sources), *told)
    if family == "credit":
        mine = mine.filter(~among("unusable_reason", UNCOUNTED))
    further = [(pl.col(evidence.fields[0]).is_null(), "none_on_file")]
    if evidence.period_years is not None:
        first = known.on.year - evidence.period_years
        periods = mine["period"].unique().drop_nulls()
        recent = [year for year in periods if year.isdecimal() and int(year) >= first]
        further.append((~among("period", recent), "expired"))
    judged = _judged(mine, family, evidence.where.get("state", _FORCE), further)
    return _best(judged, family, evidence, source)


def among(name: str, values: Iterable[str]) -> pl.Expr:
    """Return whether a column has one of some values; null has none."""
    return (
        pl.col(name).is_in(pl.Series([*values], dtype=pl.String).implode()).fill_null(value=False)
    )


def _judged(
    rows: pl.DataFrame, family: str, good: Iterable[str], further: list[Cause]
) -> pl.DataFrame:
    """Add `reason`, why a record may not be relied on, the gravest first, and `by`, who stopped it."""
    unusable, state, good_state = pl.col("unusable_reason"), pl.col("state"), among("state", good)
    causes: list[Cause] = [
        (unusable == "conflicted", "conflicted"),
        (unusable == "annulled", "stopped"),
        (unusable.is_not_null(), "not_usable"),
        (pl.col("objection").is_not_null(), "objection"),
        (state == "expired", "expired"),
        (state == "not_yet_valid", "not_yet_valid"),
        (~good_state, "stopped"),
    ]
    named = pl.col("issuer_name")
    by = pl.when(named.is_null() | (named == "")).then("issuer").otherwise(named)
    if family != "credit":
        causes.append((pl.col("stopped"), "stopped"))
        by = pl.when(unusable.is_null() & good_state).then("stopped_by").otherwise(by)
    if family == "licence":
        endless = pl.col("valid_to").is_null() & (pl.col("term") == "not_stated")
        causes += [(pl.col("other_holder"), "mismatch"), (endless, "no_end_stated")]
    found = [pl.when(holds).then(pl.lit(reason)) for holds, reason in (*causes, *further)]
    judged = rows.with_columns(reason=pl.coalesce(found))
    return judged.with_columns(by=pl.when(pl.col("reason") == "stopped").then(by))


def _best(
    rows: pl.DataFrame, family: str, evidence: LicenceEvidence | FieldEvidence, source: SourceState
) -> pl.DataFrame:
    """Return the newest record of each enterprise to rely on, else the newest that is none."""
    good, bad = rows.filter(pl.col("reason").is_null()), rows.filter(pl.col("reason").is_not_null())
    told = pl.any_horizontal(
        (pl.col("publisher") == publisher) & among("layout", layouts)
        for publisher, layouts in evidence.sources.items()
    )
    fault = (
        pl.when(told).then(pl.lit(source.fault, pl.String)).otherwise(pl.lit("source_incomplete"))
    )
    # Content that may not be used is not shown, and what lacks the field is no record.
    shown = pl.col("unusable_reason").is_null() & (pl.col("reason") != "none_on_file")
    relied = _standing(good, bad, family).select("who", fault.alias("reason"), "record_key", "by")
    others = bad.select("who", "reason", pl.when(shown).then("record_key"), "by")
    return pl.concat([relied, others]).unique("who", keep="first", maintain_order=True)


def _standing(good: pl.DataFrame, bad: pl.DataFrame, family: str) -> pl.DataFrame:
    """Return the records against which no other of the same number speaks that is not older."""
    if family == "credit":
        return good
    same = ["who"] if family == "registration" else ["who", "number"]
    against = bad.filter(pl.col("reason") != "not_yet_valid").group_by(same)
    newest = against.agg(against=pl.col("day").max())
    compared = good.join(newest, on=same, how="left", maintain_order="left")
    return compared.filter(pl.col("against").is_null() | (pl.col("against") < pl.col("day")))
