"""The answer to a question about credit records, in columns: see `flows.answer.credit_check`. Pure."""

from __future__ import annotations

import datetime as dt

import polars as pl

from flows.answer.columns.penalties import holds
from flows.answer.columns.prepared import Rows
from flows.answer.columns.record import among
from flows.answer.columns.stopped import STOP
from flows.answer.credit_check import UNCOUNTED
from flows.answer.facts import Facts
from schemas.catalogue.grammar import Bar, CreditEvidence
from schemas.penalty_words import alike


def check(evidence: CreditEvidence, rows: Rows, known: Facts) -> pl.DataFrame:
    """Return the enterprises that get no clean answer, with the `reason`; no record is shown."""
    counted = rows["credit"].filter(
        among("publisher", evidence.sources), ~among("unusable_reason", UNCOUNTED)
    )
    bars = pl.any_horizontal(_bars(bar, known.on) for bar in evidence.bars).fill_null(value=False)
    barring = counted.with_columns(bars=bars)
    unusable = pl.col("unusable_reason")
    settled = unusable.is_null() & pl.col("objection").is_null()
    found = barring.group_by("who").agg(
        barred=(pl.col("bars") & settled).any(),
        conflicted=(unusable == "conflicted").any(),
        objected=pl.col("bars").any(),
    )
    reason = (
        pl.when("barred")
        .then(pl.lit("barred"))
        .when("conflicted")
        .then(pl.lit("conflicted"))
        .when("objected")
        .then(pl.lit("objection"))
    )
    told = found.select(
        "who",
        reason=reason,
        record_key=pl.lit(None, pl.String),
        stop=pl.lit(None, STOP),
    )
    return told.drop_nulls("reason")


def _bars(bar: Bar, on: dt.date) -> pl.Expr:
    fined = pl.lit(value=False)
    if bar.fine_from is not None:
        least = pl.lit(bar.fine_from)
        fined = (pl.col("fine_yuan") >= least).fill_null(value=False)
        fined |= (pl.col("fine_read") >= least).fill_null(value=False)
        fined |= pl.col("any_fine").fill_null(value=False)
    return (pl.col("kind") == bar.kind) & _recent(bar, on) & (_says(bar) | fined)


def _recent(bar: Bar, on: dt.date) -> pl.Expr:
    if bar.within is None:
        return pl.lit(value=True)
    decided = pl.col("effective_from")
    return decided.is_null() | (decided >= on - bar.within)


def _says(bar: Bar) -> pl.Expr:
    if bar.fine_from is not None and not (bar.categories or bar.severities):
        return pl.lit(value=False)
    says = pl.lit(value=True)
    if bar.categories:
        wanted = [word for category in bar.categories for word in alike(category)]
        says &= ~pl.col("told") | holds("said", wanted)
    if bar.lists:
        says &= pl.col("list_code").is_null() | among("list_code", bar.lists)
    if bar.severities:
        says &= among("severity", bar.severities)
    return says
