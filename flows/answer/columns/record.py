"""Evidence out of records, in columns: `flows.answer.evidence` has the rules and their reasons. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import polars as pl

from flows.answer.columns.lost import ended, lost
from flows.answer.columns.prepared import Rows
from flows.answer.credit_check import UNCOUNTED
from flows.answer.evidence import FORCE, first_period, graded_since, is_recent
from flows.answer.facts import Facts, SourceState, held_issuers
from flows.answer.naming import is_called
from flows.answer.scope import BOXES, SIGNS, permits
from schemas.catalogue.grammar import FieldEvidence, LicenceEvidence

#: Where a condition holds, a reason not to rely on a record.
Cause = tuple[pl.Expr, str]


def licence(
    evidence: LicenceEvidence, rows: Rows, known: Facts, source: SourceState
) -> pl.DataFrame:
    """Return `who`, `reason`, `record_key`, `stop`: a row for each enterprise with such a licence."""
    every = rows["licence"]["name"].unique()
    names = [name for name in every if is_called(name, evidence.certificates)]
    found = among("type_code", evidence.type_codes) | among("name", names)
    mine = rows["licence"].filter(found, among("publisher", evidence.sources))
    further = [(~_permitted(mine, evidence.scope), "mismatch")] if evidence.scope else []
    judged = _judged(mine, "licence", FORCE, further, known.on)
    return _best(judged, rows["licence"], "licence", FORCE, evidence, known, source)


def _permitted(rows: pl.DataFrame, words: list[str]) -> pl.Expr:
    """Return which rows (`nr`) permit one of some words; texts that may exclude one are few."""
    scope = pl.col("scope").fill_null("")
    doubtful = scope.str.contains_any([*SIGNS]) | scope.str.contains(BOXES)
    plain = scope.str.contains_any(words) & ~doubtful
    few = rows.filter(~plain).select("nr", "scope")
    found = [nr for nr, text in few.iter_rows() if permits(text, words)]
    return plain | pl.col("nr").is_in(pl.Series(found, dtype=pl.UInt32).implode())


def fields(evidence: FieldEvidence, rows: Rows, known: Facts, source: SourceState) -> pl.DataFrame:
    """Return the same for the rows of a dataset; one without the first field asked for is none."""
    family = evidence.family
    told = [among(name, of) for name, of in evidence.where.items() if name != "state"]
    mine = rows[family].filter(among("publisher", evidence.sources), *told)
    if family == "credit":
        mine = mine.filter(~among("unusable_reason", UNCOUNTED))
    further = [(pl.col(evidence.fields[0]).is_null(), "none_on_file")]
    first = first_period(evidence, known)
    if first is not None:
        recent = [year for year in mine["period"].unique() if is_recent(year, first, known.on.year)]
        further.append((~among("period", recent), "expired"))
        others = rows["credit"].filter(
            among("publisher", evidence.sources),
            pl.col("kind") == "grade",
            ~pl.all_horizontal(pl.lit(value=True), *told),
            ~among("unusable_reason", UNCOUNTED),
        )
        since = _graded_since(mine.filter(among("period", recent)), others)
        further.append((_one_of(since), "expired"))
    good = evidence.where.get("state", FORCE)
    judged = _judged(mine, family, good, further, known.on)
    return _best(judged, rows[family], family, good, evidence, known, source)


def _graded_since(mine: pl.DataFrame, others: pl.DataFrame) -> list[int]:
    """Return the `nr` of records that another grade of the enterprise ends; those are few."""
    told = ("who", "period", "grade_scheme")
    pairs = mine.select("nr", *told).join(others.select(told), on="who", suffix="_other")
    found = []
    for row in pairs.iter_rows(named=True):
        other = {"period": row["period_other"], "grade_scheme": row["grade_scheme_other"]}
        if graded_since(row, other):
            found.append(row["nr"])
    return found


def among(name: str, values: Iterable[str]) -> pl.Expr:
    """Return whether a column has one of some values; null has none."""
    return (
        pl.col(name).is_in(pl.Series([*values], dtype=pl.String).implode()).fill_null(value=False)
    )


def _judged(
    rows: pl.DataFrame, family: str, good: Iterable[str], further: list[Cause], on: dt.date
) -> pl.DataFrame:
    """Add `reason`, why a record may not be relied on, the gravest first, and `stop`, who stopped it."""
    unusable, state, good_state = pl.col("unusable_reason"), pl.col("state"), among("state", good)
    causes: list[Cause] = [
        (unusable == "conflicted", "conflicted"),
        (unusable == "annulled", "stopped"),
        (unusable.is_not_null(), "not_usable"),
        (pl.col("objection").is_not_null(), "objection"),
        (state == "expired", "expired"),
        (state == "not_yet_valid", "not_yet_valid"),
        (~good_state, "stopped"),
        (pl.col("doubt") == "upheld", "objection"),
        (pl.col("doubt").is_not_null(), "conflicted"),
    ]
    named = pl.col("issuer_name")
    annulled = (unusable == "annulled").fill_null(value=False)
    own: dict[str, pl.Expr] = {
        "by": pl.when(named.is_null() | (named == "")).then("issuer").otherwise(named),
        "state": pl.when(annulled)
        .then(pl.lit("annulled"))
        .when(good_state)
        .then("ending")
        .otherwise(state.fill_null("other")),
        "since": pl.when(good_state & ~annulled)
        .then(pl.when(pl.col("spoken") <= on).then("spoken"))
        .otherwise(_stated_from(on)),
        "document": pl.when(~annulled & (good_state | _stated_from(on).is_null())).then(
            "document_number"
        )
        if "document_number" in rows.columns
        else pl.lit(None, pl.String),
    }
    stop = pl.struct([told.alias(name) for name, told in own.items()])
    if family != "credit":
        causes += [(pl.col("ending").is_not_null(), "stopped"), (pl.col("stopped"), "stopped")]
        by_penalty = unusable.is_null() & good_state & pl.col("ending").is_null()
        stop = pl.when(by_penalty).then("stop").otherwise(stop)
    if family == "licence":
        endless = pl.col("valid_to").is_null() & (pl.col("term") == "not_stated")
        causes += [(pl.col("other_holder"), "mismatch"), (endless, "no_end_stated")]
    found = [pl.when(holds).then(pl.lit(reason)) for holds, reason in (*causes, *further)]
    judged = rows.with_columns(reason=pl.coalesce(found))
    return judged.with_columns(stop=pl.when(pl.col("reason") == "stopped").then(stop))


def _best(
    rows: pl.DataFrame,
    every: pl.DataFrame,
    family: str,
    good_states: Iterable[str],
    evidence: LicenceEvidence | FieldEvidence,
    known: Facts,
    source: SourceState,
) -> pl.DataFrame:
    """Return the newest record of each enterprise to rely on, else the newest that is none."""
    good, bad = rows.filter(pl.col("reason").is_null()), rows.filter(pl.col("reason").is_not_null())
    told = pl.any_horizontal(
        (pl.col("publisher") == publisher) & among("layout", layouts)
        for publisher, layouts in evidence.sources.items()
    )
    issuers = held_issuers(evidence, known)
    held = pl.any_horizontal(
        pl.lit(value=False),
        *(pl.col("issuer").str.contains(pattern).fill_null(value=True) for pattern in issuers),
    )
    fault = (
        pl.when(told & ~held)
        .then(pl.lit(source.fault, pl.String))
        .otherwise(pl.lit("source_incomplete"))
    )
    if family != "credit":
        good, bad = _standing(good, bad, every, family, [*good_states], known)
    # Content that may not be used is not shown, and what lacks the field is no record.
    shown = pl.col("unusable_reason").is_null() & (pl.col("reason") != "none_on_file")
    first = good.sort("begun", "record_key", descending=True)
    relied = first.select("who", fault.alias("reason"), "record_key", "stop")
    others = bad.sort("spoken", "record_key", descending=True).select(
        "who", "reason", pl.when(shown).then("record_key"), "stop"
    )
    return pl.concat([relied, others]).unique("who", keep="first", maintain_order=True)


def _standing(
    good: pl.DataFrame,
    bad: pl.DataFrame,
    every: pl.DataFrame,
    family: str,
    states: list[str],
    known: Facts,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the good records that no other one ends, and the bad ones with those that end one."""
    theirs = every.join(good, on="who", how="semi", maintain_order="left")
    lost_rows = theirs.filter(lost(states, known.on))
    stopped, speaking = ended(good, bad, lost_rows, every, family)
    others = lost_rows.filter(_one_of(speaking) & ~_one_of(bad["nr"].to_list()))
    undecided = (pl.col("unusable_reason") == "undecided").fill_null(value=False)
    unsaid = pl.col("reason").is_null() | (pl.col("reason") == "not_yet_valid")
    unknown = pl.struct(
        by=pl.lit(None, pl.String),
        state=pl.when(undecided).then("state").otherwise(pl.lit("other")),
        since=pl.when(undecided).then(_stated_from(known.on)),
        document=pl.lit(None, pl.String),
    )
    ending = _judged(others, family, states, [], known.on).with_columns(
        reason=pl.when(undecided | unsaid).then(pl.lit("stopped")).otherwise("reason"),
        stop=pl.when(undecided | unsaid).then(unknown).otherwise("stop"),
    )
    told = pl.concat([bad, ending.select(bad.columns)])
    return good.filter(~_one_of(stopped)), told.with_columns(stop=_since(speaking, known.on))


def _stated_from(on: dt.date) -> pl.Expr:
    """Return since when a record is in its state, as far as that is stated and not yet to come."""
    return pl.when(pl.col("standing_from") <= on).then("standing_from")


def _since(speaking: list[int], on: dt.date) -> pl.Expr:
    """Return who stopped it, with the day of a decision that ended another record."""
    stop, day = pl.col("stop").struct, pl.col("spoken")
    own = _one_of(speaking) & stop.field("since").is_null() & (day <= on)
    dated = stop.with_fields(since=pl.when(own).then(day).otherwise(stop.field("since")))
    return pl.when(pl.col("reason") == "stopped").then(dated)


def _one_of(numbers: list[int]) -> pl.Expr:
    return pl.col("nr").is_in(pl.Series(numbers, dtype=pl.UInt32).implode())
