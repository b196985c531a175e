"""Records that end a licence, in columns: `flows.answer.lost` has the rules and decides the pairs. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable
from typing import Final

import polars as pl

from flows.answer import ending as endings
from flows.answer.facts import Row
from flows.answer.lost import AGAINST, COLUMNS, TAKEN, may_change, may_mean
from flows.answer.naming import same_number
from schemas.ending_words import IN_DOUBT, SIGNS, UNRENEWED, VERBS
from schemas.facets import FAR
from schemas.folding import fold
from schemas.wording import UNFOLDED, signs_of_today

_CHINA: Final = "Asia/Shanghai"


_Same = Callable[[Row, Row, str, Iterable[Row]], bool]
_PAIR: Final = ("who", "nr", "spoken", "state", "standing_event_id", "last_landed_at")


def with_days(rows: pl.DataFrame, on: dt.date) -> pl.DataFrame:
    """Add `begun` and `spoken`: since when a record may be relied on, or speaks against a licence."""
    decided = pl.col("occurred_at").dt.convert_time_zone(_CHINA).dt.date()
    begins = [pl.col(n) for n in ("effective_from", "valid_from") if n in rows.columns]
    days = [decided, *begins]
    begun = pl.coalesce(*(pl.when(day <= on).then(day) for day in days), pl.lit(dt.date.min))
    stated = pl.when(pl.col("state").is_in([*AGAINST])).then("standing_from")
    latest = pl.max_horizontal(*days, stated)
    spoken = pl.when(latest <= on).then(latest).otherwise(pl.lit(dt.date.max))
    return rows.with_columns(begun=begun, spoken=spoken)


def with_ending(rows: pl.DataFrame) -> pl.DataFrame:
    """Add `ending`: what a document makes of a licence that it ends."""
    family = next((of for name, of in endings.OF_FAMILY.items() if name in rows.columns), None)
    if family is None:
        return rows.with_columns(ending=pl.lit(None, pl.String))
    texts = [name for name in endings.COLUMNS[family] if name in rows.columns]
    said = rows.select(
        "nr", *texts, said=signs_of_today(pl.concat_str(texts, separator="。", ignore_nulls=True))
    )
    # Folding costs: only where a text is not plain, and has a sign of a word.
    remarks = [signs_of_today(pl.col(name)) for name in endings.REMARKS if name in said.columns]
    doubted = [
        (text.str.contains(f"(?i){IN_DOUBT}") | text.str.contains(UNFOLDED)).fill_null(value=False)
        for text in remarks
    ]
    plain = _may_end("said") | pl.any_horizontal(pl.lit(value=False), *doubted)
    doubtful = pl.col("said").str.contains(UNFOLDED) & pl.col("said").str.contains_any([*SIGNS])
    folded = said.filter(~plain & doubtful).with_columns(said=signs_of_today(fold(pl.col("said"))))
    few = pl.concat([said.filter(plain), folded.filter(_may_end("said"))])
    made = [(row["nr"], endings.ending(row)) for row in few.iter_rows(named=True)]
    found = pl.DataFrame(made, {"nr": pl.UInt32, "ending": pl.String}, orient="row")
    return rows.join(found, on="nr", how="left", maintain_order="left")


def _may_end(name: str) -> pl.Expr:
    """Return whether a text holds a word that may end a licence: `endings.ending` then reads it."""
    words = pl.col(name).str.contains_any([*VERBS], ascii_case_insensitive=True)
    return (words | pl.col(name).str.contains(UNRENEWED)).fill_null(value=False)


def lost(good: Collection[str], on: dt.date) -> pl.Expr:
    """Return whether a record itself says that it is not in good standing, or may say so."""
    unusable, state = pl.col("unusable_reason"), pl.col("state")
    standing = state.is_in(pl.Series([*good], dtype=pl.String).implode()).fill_null(value=False)
    to_come = (state == "not_yet_valid").fill_null(value=False)
    far = (pl.col("valid_from") > on + FAR).fill_null(value=False)
    bad = pl.when(to_come).then(far).otherwise(~standing | pl.col("ending").is_not_null())
    told = unusable.is_null() | (unusable == "undecided")
    graver = unusable.is_in(["conflicted", "annulled"]).fill_null(value=False)
    return graver | (told & bad)


def ended(
    good: pl.DataFrame, bad: pl.DataFrame, lost_rows: pl.DataFrame, every: pl.DataFrame, family: str
) -> tuple[list[int], list[int]]:
    """Return the `nr` of good records that another one ends, and of those that end one.

    `bad`: records of the same evidence that will not do; `lost_rows`, `every`: of the whole family.
    """
    speaking = bad.filter(pl.col("reason") != "not_yet_valid")
    changing = bad.filter(pl.col("reason") == "mismatch")
    found = [
        _pairs(good, speaking, family, every, _of_one_number),
        _pairs(good, changing, family, every, may_change),
        _pairs(good, lost_rows, family, every, may_mean),
    ]
    return [nr for stopped, _ in found for nr in stopped], [nr for _, by in found for nr in by]


def _pairs(
    good: pl.DataFrame, other: pl.DataFrame, family: str, every: pl.DataFrame, same: _Same
) -> tuple[list[int], list[int]]:
    relied = good.select("who", "nr", "begun", "first_landed_at", "valid_from")
    pairs = relied.join(other.select(_PAIR), on="who", suffix="_lost").filter(
        pl.col("nr") != pl.col("nr_lost"),
        (pl.col("spoken") >= pl.col("begun")) | _of_the_old_term() | _stated_later(),
    )
    if pairs.is_empty():
        return [], []
    rows = _of_enterprises(every, pairs, family)
    found = [
        (nr, nr_lost)
        for who, nr, nr_lost in pairs.select("who", "nr", "nr_lost").iter_rows()
        if same(rows[who][nr_lost], rows[who][nr], family, rows[who].values())
    ]
    return [nr for nr, _ in found], [nr_lost for _, nr_lost in found]


def _of_the_old_term() -> pl.Expr:
    taken = pl.col("state").is_in([*TAKEN])
    return (taken & (pl.col("valid_from") <= pl.col("spoken"))).fill_null(value=False)


def _stated_later() -> pl.Expr:
    against = pl.col("state").is_in([*AGAINST]) & pl.col("standing_event_id").is_not_null()
    later = pl.col("last_landed_at") > pl.col("first_landed_at")
    return (against & later).fill_null(value=False)


def _of_one_number(other: Row, row: Row, family: str, rows: Iterable[Row]) -> bool:
    return family == "registration" or same_number(row["number"], other["number"])


def _of_enterprises(
    every: pl.DataFrame, pairs: pl.DataFrame, family: str
) -> dict[int, dict[int, Row]]:
    theirs = every.join(pairs, on="who", how="semi", maintain_order="left")
    found: dict[int, dict[int, Row]] = {}
    for row in theirs.select("who", "nr", *COLUMNS[family]).iter_rows(named=True):
        found.setdefault(row["who"], {})[row["nr"]] = row
    return found
