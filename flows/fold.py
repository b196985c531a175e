"""The fold: from versions landed to the state of each record on a day, as known at a time.

Pure, over columns. *State on day D as known at T* is, for each facet of a record, the greatest
version by (sequence, event_id) among those effective by D and landed by T. It is a union of
versions and a maximum, so any order, duplication or batching of one set of landed events gives
the same state. `docs/decisions/0002-fold.md` has the law, its edge cases and their reasons.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import polars as pl

from schemas.avro import dataset_columns, event_columns
from schemas.facets import DECISION, FINAL_STANDINGS, STANDING, STATEMENT, WITHDRAWAL

RECORD: Final = ["subject", "record_key"]
FACET: Final = [*RECORD, "facet"]
_FAR: Final = dt.date(9999, 12, 31)
_DAY: Final = pl.duration(days=1)

#: What a row that may not be used keeps: its key, the reason, and when it was recorded.
KEPT: Final = (
    "subject",
    "record_key",
    "usable",
    "unusable_reason",
    "as_of",
    "usable_until",
    "versions",
    "first_landed_at",
    "last_landed_at",
    "bucket",
)


def union(versions: pl.DataFrame) -> pl.DataFrame:
    """Return each event once, as it was first landed, in one order whatever came in."""
    order = ["event_id", "landed_at", "topic", "partition", "offset"]
    return versions.sort(order).unique("event_id", keep="first", maintain_order=True)


def fold(
    versions: pl.DataFrame, family: str, on: dt.date, known_at: dt.datetime | None = None
) -> pl.DataFrame:
    """Return the dataset rows (`dataset_columns`) of a frame of landed versions.

    `on` is a calendar day in China; `known_at` (UTC) leaves out what was landed after it.
    `versions` has the event columns with `landed_at`, `topic`, `partition`, `offset`, `bucket`.
    """
    distinct = union(_known(versions, known_at)).filter(pl.col("facet") != STATEMENT)
    ranked = _ranked(distinct, on)
    winners = ranked.filter(pl.col("wins"))
    rows = _records(ranked).join(_facets_side_by_side(winners, family, on), on=RECORD, how="left")
    stated = rows.with_columns(_state(family, on)).with_columns(
        unusable_reason=_unusable_reason(family, on)
    )
    final = stated.with_columns(as_of=pl.lit(on), usable=_usable(), usable_until=_until(family, on))
    columns = dataset_columns(family)
    shown = [
        pl.col(name) if name in KEPT else pl.when(pl.col("usable") == "yes").then(pl.col(name))
        for name in columns
    ]
    return final.select(
        value.cast(dtype).alias(name)
        for value, (name, dtype) in zip(shown, columns.items(), strict=True)
    ).sort(RECORD)


def _known(versions: pl.DataFrame, known_at: dt.datetime | None) -> pl.DataFrame:
    return versions if known_at is None else versions.filter(pl.col("landed_at") <= known_at)


def _ranked(distinct: pl.DataFrame, on: dt.date) -> pl.DataFrame:
    """Mark the winner of each facet on the day, and facets whose winner is contradicted."""
    begun = pl.col("effective_from").is_null() | (pl.col("effective_from") <= on)
    effective = begun | (pl.col("void_ab_initio") == "yes")
    rivals = pl.col("event_id").n_unique().over([*FACET, "sequence"])
    order = [*FACET, "effective", "sequence", "event_id"]
    ranked = distinct.with_columns(effective=effective, rivals=rivals).sort(order)
    last = pl.int_range(pl.len()).over(FACET) == pl.len().over(FACET) - 1
    return ranked.with_columns(wins=pl.col("effective") & last)


def _records(ranked: pl.DataFrame) -> pl.DataFrame:
    """One row per record: what its versions say together."""
    winning = pl.col("sequence").filter(pl.col("wins")).first().over(FACET).fill_null(0)
    to_come = ~pl.col("effective") & (pl.col("sequence") >= winning)  # a rival comes, too
    return (
        ranked.with_columns(turns=pl.when(to_come).then(pl.col("effective_from") - _DAY))
        .group_by(RECORD)
        .agg(
            versions=pl.len().cast(pl.Int64),
            first_landed_at=pl.col("landed_at").min(),
            last_landed_at=pl.col("landed_at").max(),
            bucket=pl.col("bucket").first(),
            conflicted=(pl.col("wins") & (pl.col("rivals") > 1)).any(),
            next_turn=pl.col("turns").min(),
        )
    )


def _facets_side_by_side(winners: pl.DataFrame, family: str, on: dt.date) -> pl.DataFrame:
    """One row per record: its decision's envelope and content, and the other facets' states."""
    ended = pl.col("effective_to") < on
    dates = ["effective_from", "effective_to"]
    base = winners.filter(pl.col("facet") == DECISION).select(
        *RECORD,
        "publisher",
        "issuer",
        "issuer_name",
        *dates,
        "occurred_at",
        "layout",
        "layout_version",
        "file_digest",
        "file_row",
        pl.col("event_id").alias("decision_event_id"),
        DECISION,
    )
    rows = winners.select(RECORD).unique().join(base, on=RECORD, how="left").unnest(DECISION)
    for facet in event_columns(family):
        if facet in (STANDING, "repair", "objection", WITHDRAWAL):
            side = winners.filter((pl.col("facet") == facet) & ~ended.fill_null(value=False))
            rows = rows.join(_side(side, facet), on=RECORD, how="left")
    return rows


def _side(side: pl.DataFrame, facet: str) -> pl.DataFrame:
    return side.select(
        *RECORD,
        pl.col(facet).struct.field("state").alias(f"{facet}_state"),
        pl.col("event_id").alias(f"{facet}_event_id"),
        pl.col("effective_to").alias(f"{facet}_ends"),
    )


def _state(family: str, on: dt.date) -> list[pl.Expr]:
    """State of the day: what ends a record for good, then its dates, then what is stated."""
    standing = pl.col("standing_state")
    ended = pl.col("effective_to") < on
    if family == "credit":
        state = pl.when(ended).then(pl.lit("ended")).otherwise(standing.fill_null("in_force"))
    else:
        neutral = "in_business" if family == "registration" else "in_force"
        state = (
            pl.when(standing.is_in(FINAL_STANDINGS))
            .then(standing)
            .when(pl.col("valid_from") > on)
            .then(pl.lit("not_yet_valid"))
            .when((pl.col("valid_to") < on) | ended)
            .then(pl.lit("expired"))
            .otherwise(standing.fill_null(neutral))
        )
    open_objection = pl.when(pl.col("objection_state") == "raised").then(pl.lit("raised"))
    return [state.alias("state"), open_objection.alias("objection")]


def _unusable_reason(family: str, on: dt.date) -> pl.Expr:
    """Why a record may not be used, the gravest first (Order 45 art. 11; Order 36 art. 3)."""
    reason = (
        pl.when(pl.col("conflicted"))
        .then(pl.lit("conflicted"))
        .when(pl.col("withdrawal_state") == "withdrawn")
        .then(pl.lit("withdrawn"))
        .when(pl.col("standing_state") == "annulled")
        .then(pl.lit("annulled"))
    )
    if family == "credit":
        reason = (
            reason.when(pl.col("repair_state") == "approved")
            .then(pl.lit("repaired"))
            .when((pl.col("publication_to") < on) | pl.col("state").is_in(["removed", "ended"]))
            .then(pl.lit("publication_ended"))
        )
    return reason.when(pl.col("decision_event_id").is_null()).then(pl.lit("undecided"))


def _usable() -> pl.Expr:
    return pl.when(pl.col("unusable_reason").is_null()).then(pl.lit("yes")).otherwise(pl.lit("no"))


def _until(family: str, on: dt.date) -> pl.Expr:
    """The last day the row holds: the day before the next stored date that changes it."""
    ends = ["effective_to", "standing_ends", "objection_ends", "withdrawal_ends"]
    ends += ["publication_to", "repair_ends"] if family == "credit" else ["valid_to"]
    coming = [pl.when(pl.col(end) >= on).then(pl.col(end)) for end in ends]
    if family != "credit":
        coming.append(pl.when(pl.col("valid_from") > on).then(pl.col("valid_from") - _DAY))
    return pl.min_horizontal(pl.col("next_turn"), *coming)
