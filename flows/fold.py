"""The fold: from versions landed to the state of each record on a day, as known at a time.

Pure, over columns. *State on day D as known at T* is, for each facet of a record, the greatest
version by (sequence, event_id) among those effective by D and landed by T, but for those that one
of them overrules. It is a union of versions, a difference and a maximum, so any order, duplication
or batching of one set of landed events gives the same state. `docs/decisions/0002-fold.md` has the
law, its edge cases and their reasons.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

import polars as pl

from flows.overruled import OVERRULES, counting
from schemas.avro import dataset_columns
from schemas.facets import (
    DECISION,
    FAR,
    FINAL_STANDINGS,
    NEUTRAL,
    OBJECTION,
    STANDING,
    STATEMENT,
    WITHDRAWAL,
)

RECORD: Final = ["subject", "record_key"]
#: What decides which version wins.
DECIDING: Final = (
    *RECORD,
    *("facet", "effective_from", "effective_to", "void_ab_initio", "sequence", "event_id"),
    *("landed_at", "topic", "partition", "offset", "bucket", OVERRULES),
)
#: The facets that stand beside a decision, in the families that have them.
SIDES: Final = (STANDING, "repair", "objection", WITHDRAWAL)
#: The dates of a decision, in the families that have them.
DATES: Final = ("effective_from", "effective_to", "valid_from", "valid_to", "publication_to")
#: What tells of a decision how long it holds, or that it is a grade.
_TERM: Final = {
    **dict.fromkeys(("registration", "licence"), ("valid_to",)),
    "credit": ("kind",),
}
#: What a row tells of its decision's event, beside the decision itself.
ENVELOPE: Final = (
    *("publisher", "issuer", "issuer_name", "occurred_at"),
    *("layout", "layout_version", "file_digest", "file_row"),
)
#: Doubts about a record: an objection was found right and no decision came since; a grade was taken
#: off its list until a day that is over; a newer version of it begins within the term of this one.
DOUBTS: Final = ("upheld", "removed", "to_come")
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
    """Return each event once, as it was first landed."""
    repeated = pl.col("event_id").is_duplicated()
    twice = versions.filter(repeated)
    if twice.is_empty():
        return versions
    order = ["event_id", "landed_at", "topic", "partition", "offset"]
    first = twice.sort(order).unique("event_id", keep="first", maintain_order=True)
    return pl.concat([versions.filter(~repeated), first])


def fold(
    versions: pl.DataFrame, family: str, on: dt.date, known_at: dt.datetime | None = None
) -> pl.DataFrame:
    """Return the dataset rows (`dataset_columns`) of a frame of landed versions, sorted by record.

    `on` is a calendar day in China; `known_at` (UTC) leaves out what was landed after it.
    `versions` has the event columns with `landed_at`, `topic`, `partition`, `offset`, `bucket`.
    """
    shown = pl.col("usable") == "yes"
    return _folded(versions, family, on, known_at, dataset_columns(family), shown)


def whole(
    versions: pl.DataFrame, family: str, on: dt.date, known_at: dt.datetime | None = None
) -> pl.DataFrame:
    """Return the same (`whole_columns`) with the content of what may not be used: to decide by,
    never to hand on."""
    return _folded(versions, family, on, known_at, whole_columns(family), pl.lit(value=True))


def whole_columns(family: str) -> pl.Schema:
    """Return the columns of `whole`: the dataset's, and what is needed to decide by.

    `standing_from`: the first day of what stands stated of a record, calendar day in China, null
    where the source tells none; `standing_reason`: the reason told with it; `doubt`: why a record
    may not hold though its state is good (`DOUBTS`).
    """
    further = {"standing_from": pl.Date(), "standing_reason": pl.String(), "doubt": pl.String()}
    return pl.Schema({**dataset_columns(family), **further})


def _folded(
    versions: pl.DataFrame,
    family: str,
    on: dt.date,
    known_at: dt.datetime | None,
    columns: pl.Schema,
    shown: pl.Expr,
) -> pl.DataFrame:
    # Contents are wide and lie in lists: who wins is settled without them, by their row's number.
    numbered = pl.int_range(pl.len(), dtype=pl.UInt32).alias("row")
    narrow = versions.select(*DECIDING, numbered, *_lasting(family))
    stated = counting(union(_known(narrow, known_at)))
    distinct = stated.filter(pl.col("facet") != STATEMENT)
    sides = [side for side in SIDES if side in versions.columns]
    records = _records(_ranked(distinct, on), family, sides, on)
    rows = records.with_columns(_stated(versions, records, family)).with_columns(
        _state(family, on), doubt=_doubt(versions, records, family)
    )
    told = rows.with_columns(unusable_reason=_unusable_reason(family, on))
    final = told.with_columns(as_of=pl.lit(on), usable=_usable(), usable_until=_until(family, on))
    return _shown(final, versions, columns, shown)


def _lasting(family: str) -> tuple[pl.Expr, pl.Expr]:
    """Return `final`, whether no day ends a version, and `day_untold`, whether none begins it.

    A standing that is final does not lapse. A penalty or a listing cannot be decided after it was
    landed, nor a licence be lost by a day further ahead than `FAR`: such a day is a slip of the
    pen, and what is said counts at once. It is told apart by the landing, so that a day asked
    about in the past is answered as ever.
    """
    landed = pl.col("landed_at").dt.convert_time_zone("Asia/Shanghai").dt.date()
    begins, no = pl.col("effective_from"), pl.lit(value=False)
    if family == "credit":
        graded = (pl.col(DECISION).struct.field("kind") == "grade").fill_null(value=False)
        untold = (pl.col("facet") == DECISION) & ~graded & (begins > landed)
        return no.alias("final"), untold.fill_null(value=False).alias("day_untold")
    state = pl.col(STANDING).struct.field("state")
    stated = pl.col("facet") == STANDING
    final = stated & state.is_in(FINAL_STANDINGS)
    untold = stated & ~state.is_in(NEUTRAL[STANDING]) & (begins > landed + FAR)
    return (
        final.fill_null(value=False).alias("final"),
        untold.fill_null(value=False).alias("day_untold"),
    )


def _known(versions: pl.DataFrame, known_at: dt.datetime | None) -> pl.DataFrame:
    return versions if known_at is None else versions.filter(pl.col("landed_at") <= known_at)


def _ranked(distinct: pl.DataFrame, on: dt.date) -> pl.DataFrame:
    """Sort by record and facet, and mark the winner of each facet on the day, and its rivals."""
    begins = pl.col("effective_from")
    begun = begins.is_null() | (begins <= on) | pl.col("day_untold")
    effective = begun | (pl.col("void_ab_initio") == "yes")
    order = [*RECORD, "facet", "effective", "sequence", "event_id"]
    ranked = distinct.with_columns(effective=effective).sort(order)
    record = pl.any_horizontal(pl.col(name) != pl.col(name).shift() for name in RECORD)
    facet = record | (pl.col("facet") != pl.col("facet").shift())
    # Neighbours that differ begin a new group: numbers for groups of texts.
    ranked = ranked.with_columns(
        record_number=record.fill_null(value=True).cum_sum(),
        facet_number=facet.fill_null(value=True).cum_sum(),
    )
    last = (pl.col("facet_number") != pl.col("facet_number").shift(-1)).fill_null(value=True)
    return ranked.with_columns(
        wins=pl.col("effective") & last,
        rivals=pl.len().over("facet_number", "sequence"),
    )


def _records(ranked: pl.DataFrame, family: str, sides: Sequence[str], on: dt.date) -> pl.DataFrame:
    """One row per record: what its versions say together, and the rows that win."""
    winning = pl.col("sequence").filter(pl.col("wins")).first().over("facet_number").fill_null(0)
    to_come = ~pl.col("effective") & (pl.col("sequence") >= winning)  # a rival comes, too
    wins, facet = pl.col("wins"), pl.col("facet")
    lapsed = (pl.col("effective_to") < on).fill_null(value=False) & ~pl.col("final")
    further = []  # few records have any: see `_doubt`
    if family == "credit" and ranked["effective_to"].null_count() < ranked.height:
        left = pl.col("row").filter(wins & (facet == STANDING) & lapsed)
        further.append(left.first().alias("lapsed"))
    if family != "credit" and not ranked["effective"].all():
        begins = pl.col("effective_from").filter(to_come & (facet == DECISION))
        further.append(begins.min().alias("begins"))
    return (
        ranked.with_columns(turns=pl.when(to_come).then(pl.col("effective_from") - _DAY))
        .group_by("record_number", maintain_order=True)
        .agg(
            *[pl.col(name).first() for name in RECORD],
            pl.len().cast(pl.Int64).alias("versions"),
            pl.col("landed_at").min().alias("first_landed_at"),
            pl.col("landed_at").max().alias("last_landed_at"),
            pl.col("bucket").first(),
            (wins & (pl.col("rivals") > 1)).any().alias("conflicted"),
            pl.col("turns").min().alias("next_turn"),
            pl.col("row").filter(wins & (facet == DECISION)).first().alias(DECISION),
            *[pl.col("row").filter(wins & (facet == s) & ~lapsed).first().alias(s) for s in sides],
            *further,
        )
    )


def _stated(versions: pl.DataFrame, records: pl.DataFrame, family: str) -> list[pl.Series]:
    """Return what decides a record's state, out of the rows that win: its dates, its sides."""
    decided = versions.select("effective_from", "effective_to", "event_id", DECISION)
    decided = decided.rename({"event_id": "decision_event_id"}).unnest(DECISION)
    dates = [n for n in DATES if n in decided.columns]
    found = _picked(decided.select("decision_event_id", *dates), records[DECISION])
    for side in SIDES:
        if side in records.columns:
            of_side = versions.select(
                pl.col(side).struct.field("state").alias(f"{side}_state"),
                pl.col("event_id").alias(f"{side}_event_id"),
                pl.col("effective_from").alias(f"{side}_from"),
                _end(side, family).alias(f"{side}_ends"),
                *(
                    [pl.col(side).struct.field("reason").alias("standing_reason")]
                    * (side == STANDING)
                ),
            )
            found += _picked(of_side, records[side])
    return found


def _end(side: str, family: str) -> pl.Expr:
    """Return the last day of what is stated; a standing that is final has none."""
    ends = pl.col("effective_to")
    if side != STANDING or family == "credit":
        return ends
    final = pl.col(side).struct.field("state").is_in(FINAL_STANDINGS).fill_null(value=False)
    return pl.when(~final).then(ends)


def _shown(
    rows: pl.DataFrame, versions: pl.DataFrame, columns: pl.Schema, told: pl.Expr
) -> pl.DataFrame:
    """Return some columns; of a row that is not told of, only those to be kept."""
    known = [pl.col(n) if n in KEPT else pl.when(told).then(n) for n in rows.columns]
    shown = rows.select(known)
    content = versions.select(*ENVELOPE, DECISION).unnest(DECISION)
    wanted = [n for n in columns if n in content.columns and n not in shown.columns]
    chosen = rows.select(pl.when(told).then(DECISION)).to_series()
    whole = shown.with_columns(_picked(content.select(wanted), chosen))
    return whole.select(pl.col(name).cast(dtype) for name, dtype in columns.items())


def _picked(frame: pl.DataFrame, rows: pl.Series) -> list[pl.Series]:
    """Return a frame's columns at some row numbers; null where the number is."""
    return frame.select(_at(column, rows) for column in frame).get_columns()


def _at(column: pl.Series, rows: pl.Series) -> pl.Expr:
    name = pl.col(column.name)
    if isinstance(column.dtype, pl.List) and not column.list.len().sum():
        # Picking from a list of records costs as much as all other columns; few have any in them.
        there = name.is_not_null().gather(rows)
        return pl.when(there).then(pl.lit([], column.dtype)).alias(column.name)
    return name.gather(rows)


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


def _doubt(versions: pl.DataFrame, records: pl.DataFrame, family: str) -> pl.Series:
    """Return why a record may not hold though its state is good: one of `DOUBTS`, else null."""
    asked = [n for n in (OBJECTION, "lapsed", "begins") if n in records.columns]
    if all(records[name].null_count() == records.height for name in asked):
        return pl.Series("doubt", [None], pl.String).new_from_index(0, records.height)
    decided = _picked(
        versions.select(
            pl.col("landed_at").alias("decided_at"),
            *[pl.col(DECISION).struct.field(n) for n in _TERM[family]],
        ),
        records[DECISION],
    )
    told = records.select(asked).with_columns(decided)
    doubts = []
    if OBJECTION in records.columns:
        state = pl.col(OBJECTION).struct.field("state").alias("objection_is")
        objected = versions.select(state, pl.col("landed_at").alias("objected_at"))
        told = told.with_columns(_picked(objected, records[OBJECTION]))
        upheld = (pl.col("objection_is") == "upheld") & (
            pl.col("decided_at") <= pl.col("objected_at")
        )
        doubts.append(pl.when(upheld).then(pl.lit("upheld")))
    if "lapsed" in asked:
        left = versions.select(pl.col(STANDING).struct.field("state").alias("left"))
        told = told.with_columns(_picked(left, records["lapsed"]))
        removed = (pl.col("kind") == "grade") & pl.col("left").is_in(FINAL_STANDINGS)
        doubts.append(pl.when(removed).then(pl.lit("removed")))
    if "begins" in asked:
        within = pl.col("valid_to").is_null() | (pl.col("begins") <= pl.col("valid_to"))
        doubts.append(pl.when(pl.col("begins").is_not_null() & within).then(pl.lit("to_come")))
    return told.select(pl.coalesce(doubts).alias("doubt")).to_series()


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
