"""What to publish of a file's events, given what the ledger holds: revisions and editions.

Pure. Rules, in the order they are applied (`docs/decisions/0003-ledger.md` has the reasons):

1. Rows that repeat one content within an edition count once.
2. Rows that give one facet two contents within an edition, with no sequence to order them,
   contradict each other: none of them is published.
3. A row with another content than the ledger's, of an older edition, is refused; of the same
   edition, it contradicts what was published.
4. Same content: unchanged. Other content: the last revision plus one.
5. A first statement of a neutral state (in force, no objection) is nothing new.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

from flows.publish.mapping import faults_of
from schemas.avro import facets
from schemas.canonical import content_digest
from schemas.facets import NEUTRAL

KEY = ["record_key", "facet"]

#: What the plan asks the ledger for: the latest version of each facet it holds.
KNOWN = pl.Schema(
    {
        "record_key": pl.String(),
        "facet": pl.String(),
        "sequence": pl.Int64(),
        "subject": pl.String(),
        "digest": pl.String(),
        "edition": pl.Datetime("us", "UTC"),
        "file": pl.String(),
        "row": pl.Int64(),
        "sent": pl.Boolean(),
        "mark": pl.String(),
    }
)


@dataclass(frozen=True)
class Held:
    """What the ledger holds of the records of a frame, two `KNOWN` frames.

    `latest`: the version of the greatest sequence of each facet; `exact`: the versions of the
    very sequences that events bring with them.
    """

    latest: pl.DataFrame
    exact: pl.DataFrame


@dataclass(frozen=True)
class Plan:
    """What one part of a file comes to.

    `publish`: events with `sequence` and `content_digest`, in the order they were read.
    `silent`: neutral first statements the ledger remembers without an event (sequence 0).
    `seen`: unchanged facets and the newer edition they were seen in.
    `refused`: `__row`, `code`, `where`; `unchanged`: the row numbers that changed nothing.
    """

    publish: pl.DataFrame
    silent: pl.DataFrame
    seen: pl.DataFrame
    refused: pl.DataFrame
    unchanged: pl.Series


def plan(events: pl.DataFrame, held: Held, family: str, floor: dt.datetime | None = None) -> Plan:
    """Plan a frame of mapped events (`edition` filled) against what the ledger holds of them.

    `floor` is the newest edition a rebuilt ledger knows its publisher to have sent: what an older
    file says about a record known can no longer be put in order, and is refused.
    """
    digested = events.with_columns(content_digest=content_digest(family), neutral=_neutral(family))
    joined = _join(digested, held).with_columns(floor=pl.lit(floor, pl.Datetime("us", "UTC")))
    judged = joined.with_columns(__why=pl.coalesce(_refusals(joined)))
    bad = judged.filter(pl.col("__why").is_not_null())
    refused = bad.group_by("__row", maintain_order=True).agg(pl.col("__why").first())
    good = judged.join(refused.select("__row"), on="__row", how="anti")
    numbered = _numbered(good)
    changed = pl.col("new") | pl.col("resend")
    published = numbered.filter(changed)
    rows = good["__row"].unique()
    return Plan(
        publish=published.sort("__row", maintain_order=True),
        silent=numbered.filter(pl.col("silent")),
        seen=numbered.filter(~changed & ~pl.col("silent") & pl.col("latest")),
        refused=faults_of(refused),
        unchanged=rows.filter(~rows.is_in(published["__row"].implode())),
    )


def _neutral(family: str) -> pl.Expr:
    held = set(facets(family))
    tests = [
        (pl.col("facet") == facet) & pl.col(facet).struct.field("state").is_in(states)
        for facet, states in NEUTRAL.items()
        if facet in held
    ]
    return pl.any_horizontal(tests).fill_null(value=False)


def _join(events: pl.DataFrame, held: Held) -> pl.DataFrame:
    """Add the version to compare with (`last_…`) and the record's withdrawal.

    That version is the ledger's latest of the facet; for an event that brings its own sequence,
    the one of that sequence.
    """
    given = pl.col("sequence").is_not_null()
    renames = {c: f"last_{c}" for c in KNOWN if c not in KEY}
    latest = held.latest.rename(renames)
    exact = held.exact.with_columns(at=pl.col("sequence")).rename(renames)
    compared = pl.concat(
        [
            events.filter(~given).join(latest, on=KEY, how="left"),
            events.filter(given).join(
                exact, left_on=[*KEY, "sequence"], right_on=[*KEY, "at"], how="left"
            ),
        ],
        how="diagonal",
    ).sort("__row", maintain_order=True)
    stop = (pl.col("facet") == "withdrawal") & pl.col("mark").is_not_null()
    withdrawn = held.latest.filter(stop).select("record_key", withdrawn="mark")
    records = held.latest.select("record_key", record_known=pl.lit(value=True)).unique()
    for side in (withdrawn, records):
        compared = compared.join(side, on="record_key", how="left", maintain_order="left")
    return compared


def _refusals(joined: pl.DataFrame) -> list[pl.Expr]:
    ordered = pl.col("sequence").is_not_null()
    group = [*KEY, "edition", "sequence"]
    first = pl.col("content_digest").first().over(group)
    differs = pl.col("content_digest") != first
    mixed = (pl.col("content_digest").n_unique() > 1).over(group)
    first_other = pl.col("__row").filter(differs).min().over(group)
    other = pl.when(differs).then(pl.col("__row").first().over(group)).otherwise(first_other)
    changed = pl.col("content_digest") != pl.col("last_digest")
    older = ~ordered & changed & (pl.col("edition") < pl.col("last_edition"))
    silent = pl.col("neutral") & pl.col("last_digest").is_null()
    unknown = pl.col("content_digest").ne_missing(pl.col("last_digest")) & ~silent
    below = ~ordered & unknown & pl.col("record_known") & (pl.col("edition") < pl.col("floor"))
    same = ~ordered & changed & (pl.col("edition") == pl.col("last_edition"))
    reused = ordered & changed & (pl.col("sequence") == pl.col("last_sequence"))
    stopped = pl.col("withdrawn").is_in(["publisher_error", "decision_changed"])
    held = pl.format("contradictory_published:{}", pl.col("last_row").fill_null(0))
    return [
        pl.when(stopped).then(pl.lit("withdrawn")),
        pl.when(mixed).then(pl.format("contradictory:{}", other)),
        pl.when(older | below).then(pl.lit("older_edition")),
        pl.when(same | reused).then(held),
    ]


def _numbered(good: pl.DataFrame) -> pl.DataFrame:
    """Give each distinct version its sequence, editions of one file in their order."""
    distinct = good.unique([*KEY, "edition", "sequence", "content_digest"], keep="first")
    ordered = distinct.sort([*KEY, "edition", "__row"], nulls_last=True)
    given = pl.col("sequence").is_not_null()
    before = pl.col("content_digest").shift(1).over(KEY).fill_null(pl.col("last_digest"))
    first = pl.col("content_digest").is_first_distinct().over(KEY) & before.is_null()
    quiet = first & pl.col("neutral") & ~given
    moved = (pl.col("content_digest") != before.fill_null("")) & ~quiet
    revision = pl.col("last_sequence").fill_null(0) + moved.cast(pl.Int64).cum_sum().over(KEY)
    return ordered.with_columns(
        new=pl.when(given).then(pl.col("last_digest").is_null()).otherwise(moved),
        silent=quiet,
        sequence=pl.when(given).then(pl.col("sequence")).otherwise(revision),
        latest=pl.int_range(pl.len()).over(KEY) == (pl.len().over(KEY) - 1),
    ).with_columns(
        resend=~pl.col("new")
        & ~pl.col("silent")
        & (pl.col("sequence") == pl.col("last_sequence"))
        & ~pl.col("last_sent").fill_null(value=True)
    )
