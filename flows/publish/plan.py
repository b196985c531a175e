"""What to publish of a file's events, given what the ledger holds: revisions and editions.

Pure. Rules, in the order they are applied (`docs/decisions/0003-ledger.md` has the reasons):

1. Rows that repeat one content within an edition count once.
2. Rows that give one facet two contents within an edition, with no sequence to order them,
   contradict each other: none of them is published.
3. A row that would take a record from another enterprise, or a facet from another layout, is
   refused, unless its layout says that such moves are meant.
4. A row with another content than the ledger's, of an older edition, is refused; of the same
   edition, it contradicts what was published; but where the same file said so, that file is read
   otherwise now (by a mended dialect, code list or release), and corrects what it said.
5. Same content: unchanged. Other content: the last revision plus one. A version that was written
   down and never acknowledged is sent again under its own revision, though newer ones follow it.
6. Where another program wrote a sequence next to the greatest, nothing can follow: refused.
7. A first statement of a neutral state (in force, no objection) is nothing new.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

from flows.publish.mapping import faults_of
from flows.publish.waiting import NAMED
from schemas.avro import facets
from schemas.canonical import content_digest
from schemas.dialect import Moves
from schemas.facets import DECISION, NEUTRAL, WITHDRAWAL

KEY = ["record_key", "facet"]
#: More versions than one file has of a facet.
_ROOM = 2**32
_DECIDING = [
    *(*KEY, "edition", "sequence", "subject", "content_digest", "neutral"),
    *("file_digest", "layout"),
]

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
        "layout": pl.String(),
    }
)


@dataclass(frozen=True)
class Held:
    """What the ledger holds of the records of a frame, `KNOWN` frames.

    `latest`: the version of the greatest sequence of each facet; `exact`: the versions of the
    very sequences that events bring with them; `unsent`: those never acknowledged.
    """

    latest: pl.DataFrame
    exact: pl.DataFrame
    unsent: pl.DataFrame


@dataclass(frozen=True)
class Plan:
    """What one part of a file comes to.

    `publish`: events with `sequence` and `content_digest`, in the order they were read.
    `silent`: neutral first statements the ledger remembers without an event (sequence 0).
    `seen`: unchanged facets and the newer edition they were seen in.
    `refused`: `__row`, `code`, `where`; `unchanged`: the row numbers that changed nothing.
    `accepted`: the rows not refused, as `flows.publish.waiting.NAMED`; `waiting`: those refused
    whose record is now in doubt (all but those of a record withdrawn), as its `REFUSED`.
    `corrected`: how many rows correct what the same file said before.
    """

    publish: pl.DataFrame
    silent: pl.DataFrame
    seen: pl.DataFrame
    refused: pl.DataFrame
    unchanged: pl.Series
    accepted: pl.DataFrame
    waiting: pl.DataFrame
    corrected: int


def plan(
    events: pl.DataFrame,
    held: Held,
    family: str,
    floor: dt.datetime | None = None,
    moves: Moves = Moves(),  # noqa: B008 - frozen
) -> Plan:
    """Plan a frame of mapped events (`edition` filled) against what the ledger holds of them.

    `floor` is the newest edition a rebuilt ledger knows its publisher to have sent: what an older
    file says about a record known can no longer be put in order, and is refused.
    """
    digested = events.with_columns(
        content_digest=content_digest(events, family), neutral=_neutral(family)
    )
    # Deciding takes a few narrow columns; the events themselves are picked out at the end.
    slim = digested.select("__row", *_DECIDING).with_row_index("place")
    joined = _join(slim, held).with_columns(floor=pl.lit(floor, pl.Datetime("us", "UTC")))
    judged = _judged(joined, moves)
    bad = judged.filter(pl.col("__why").is_not_null())
    refused = bad.group_by("__row", maintain_order=True).agg(pl.col("__why").first())
    good = judged.join(refused.select("__row"), on="__row", how="anti")
    numbered = _numbered(good)
    changed = pl.col("new") | pl.col("resend")
    published = _picked(digested, numbered.filter(changed))
    rows = good["__row"].unique()
    return Plan(
        publish=published,
        silent=_picked(digested, numbered.filter(pl.col("silent"))),
        seen=_picked(digested, numbered.filter(~changed & ~pl.col("silent") & pl.col("latest"))),
        refused=faults_of(refused),
        unchanged=rows.filter(~rows.is_in(published["__row"].implode())),
        accepted=good.select(NAMED.names()),
        waiting=_in_doubt(judged, refused),
        corrected=numbered.filter(pl.col("new") & pl.col("corrects"))["__row"].n_unique(),
    )


def _in_doubt(judged: pl.DataFrame, refused: pl.DataFrame) -> pl.DataFrame:
    """Return every event of the refused rows: with a row, all that it says is refused."""
    doubted = judged.filter(~_withdrawn().fill_null(value=False)).drop("__why")
    whole = doubted.join(refused, on="__row", maintain_order="left")
    code = pl.col("__why").str.splitn(":", 2).struct.field("field_0")
    return whole.select(*NAMED, code=code, print="content_digest", row="__row")


def _picked(digested: pl.DataFrame, chosen: pl.DataFrame) -> pl.DataFrame:
    """Return the chosen events whole, in the order they were read, with their sequence."""
    ordered = chosen.sort("place")
    events = digested[ordered["place"]]
    # An event that brings its own sequence moves the record only when it is the newest.
    newest = pl.col("sequence") > pl.col("at_sequence")
    was = pl.coalesce("last_subject", pl.when(newest).then(pl.col("at_subject")))
    return events.with_columns(ordered["sequence"], ordered.select(last_subject=was).to_series())


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
    ).sort("place")
    at = held.latest.select(*KEY, at_subject="subject", at_sequence="sequence", at_layout="layout")
    compared = compared.join(at, on=KEY, how="left", maintain_order="left")
    compared = compared.join(
        held.unsent.select(*KEY, "edition", content_digest="digest", unsent="sequence").unique(
            [*KEY, "edition", "content_digest"], keep="last"
        ),
        on=[*KEY, "edition", "content_digest"],
        how="left",
        maintain_order="left",
    )
    stop = (pl.col("facet") == WITHDRAWAL) & pl.col("mark").is_not_null()
    withdrawn = held.latest.filter(stop).select("record_key", withdrawn="mark")
    records = held.latest.select("record_key", record_known=pl.lit(value=True)).unique()
    for side in (withdrawn, records, _holders(held.latest)):
        compared = compared.join(side, on="record_key", how="left", maintain_order="left")
    return compared


def _holders(latest: pl.DataFrame) -> pl.DataFrame:
    """Return whose each record is (`holder`): its decision says so, or else what was said of it."""
    said = latest.filter(pl.col("facet") != WITHDRAWAL)
    last = said.sort(pl.col("facet") == DECISION, "sequence", maintain_order=True)
    return last.group_by("record_key").agg(pl.col("subject").last().alias("holder"))


def _judged(joined: pl.DataFrame, moves: Moves) -> pl.DataFrame:
    """Add `__why`: null, or the first reason against publishing an event."""
    group = [*KEY, "edition", "sequence"]
    least, greatest = pl.col("content_digest").min(), pl.col("content_digest").max()
    marked = joined.with_columns(
        _other_subject(joined, moves).alias("other_subject"),
        _other_layout(moves).alias("other_layout"),
        _corrects().alias("corrects"),
        mixed=least.over(group) != greatest.over(group),
    )
    # Contradictions are few: who contradicts whom is worked out for them alone.
    others = _contradicted(marked.filter("mixed"), group)
    known = marked.join(others, on="place", how="left", maintain_order="left")
    return known.with_columns(__why=pl.coalesce(_refusals()))


def _contradicted(mixed: pl.DataFrame, group: list[str]) -> pl.DataFrame:
    """Return, for each event that others contradict, the row number of the first that does."""
    first = pl.col("content_digest").first().over(group)
    differs = pl.col("content_digest") != first
    first_other = pl.col("__row").filter(differs).min().over(group)
    other = pl.when(differs).then(pl.col("__row").first().over(group)).otherwise(first_other)
    return mixed.select("place", other=other)


def _other_subject(joined: pl.DataFrame, moves: Moves) -> pl.Expr:
    """Return whether an event would take its record from another enterprise, or several claim it."""
    subject, holder = pl.col("subject"), pl.col("holder")
    own = pl.col("record_key").str.ends_with(pl.lit("/") + subject)
    if moves.subjects:
        return pl.lit(value=False)
    if joined.select((own & holder.is_null()).all()).item():
        return pl.lit(value=False)
    several = subject.min().over("record_key") != subject.max().over("record_key")
    new = pl.col("content_digest").ne_missing(pl.col("last_digest"))
    return new & (subject != holder).fill_null(several)


def _other_layout(moves: Moves) -> pl.Expr:
    """Return whether an event would replace what another layout said of its facet.

    A neutral state that was only remembered said nothing.
    """
    new = pl.col("content_digest").ne_missing(pl.col("last_digest"))
    last = pl.col("at_layout")
    other = (last != pl.col("layout")) & ~last.is_in(moves.layouts)
    return (new & other & (pl.col("at_sequence") > 0)).fill_null(value=False)


def _corrects() -> pl.Expr:
    """Return whether an event says otherwise what the same file, read otherwise, said before."""
    changed = pl.col("content_digest") != pl.col("last_digest")
    there = (pl.col("edition") == pl.col("last_edition")) & pl.col("sequence").is_null()
    return (changed & there & (pl.col("file_digest") == pl.col("last_file"))).fill_null(value=False)


def _withdrawn() -> pl.Expr:
    return pl.col("withdrawn").is_in(["publisher_error", "decision_changed"])


def _refusals() -> list[pl.Expr]:
    ordered = pl.col("sequence").is_not_null()
    changed = (pl.col("content_digest") != pl.col("last_digest")) & ~_left_behind()
    older = ~ordered & changed & (pl.col("edition") < pl.col("last_edition"))
    silent = pl.col("neutral") & pl.col("last_digest").is_null()
    unknown = pl.col("content_digest").ne_missing(pl.col("last_digest")) & ~silent
    below = ~ordered & unknown & pl.col("record_known") & (pl.col("edition") < pl.col("floor"))
    same = ~ordered & changed & (pl.col("edition") == pl.col("last_edition"))
    same &= ~pl.col("corrects")
    reused = ordered & changed & (pl.col("sequence") == pl.col("last_sequence"))
    held = pl.format("contradictory_published:{}", pl.col("last_row").fill_null(0))
    full = ~ordered & unknown & (pl.col("last_sequence") >= 2**53 - _ROOM)
    return [
        pl.when(_withdrawn()).then(pl.lit("withdrawn")),
        pl.when("other_subject").then(pl.lit("subject_changed")),
        pl.when("mixed").then(pl.format("contradictory:{}", pl.col("other"))),
        pl.when("other_layout").then(pl.format("other_layout:{}", pl.col("at_layout"))),
        pl.when(older | below).then(pl.lit("older_edition")),
        pl.when(same | reused).then(held),
        pl.when(full).then(pl.lit("no_sequence_left")),
    ]


def _numbered(good: pl.DataFrame) -> pl.DataFrame:
    """Give each distinct version its sequence, editions of one file in their order."""
    every = good.unique([*KEY, "edition", "sequence", "content_digest"], keep="first")
    behind, distinct = every.filter(_left_behind()), every.filter(~_left_behind())
    ordered = distinct.sort([*KEY, "edition", "__row"], nulls_last=True)
    starts = pl.any_horizontal(pl.col(name) != pl.col(name).shift(1) for name in KEY)
    marked = ordered.with_columns(first=starts.fill_null(value=True))
    digest, given = pl.col("content_digest"), pl.col("sequence").is_not_null()
    before = pl.when("first").then(pl.col("last_digest")).otherwise(digest.shift(1))
    silent = pl.col("first") & before.is_null() & pl.col("neutral") & ~given
    moved = marked.with_columns(
        silent=silent,
        moved=digest.ne_missing(before) & ~silent,
        latest=pl.col("first").shift(-1, fill_value=True),
    )
    # A running count over all, less what it was where the facet began: no group by group work.
    count = pl.col("moved").cast(pl.Int64).cum_sum()
    began = pl.when("first").then(count - pl.col("moved").cast(pl.Int64)).forward_fill()
    revision = pl.col("last_sequence").fill_null(0) + count - began
    numbered = moved.with_columns(
        new=pl.when(given).then(pl.col("last_digest").is_null()).otherwise(pl.col("moved")),
        sequence=pl.when(given).then(pl.col("sequence")).otherwise(revision),
    )
    # Rows of two editions may say the same version: it is sent again once.
    once = pl.struct(*KEY, "sequence").is_first_distinct()
    numbered = numbered.with_columns(resend=_unsent() & once)
    again = behind.with_columns(
        sequence="unsent",
        last_subject="subject",  # it moves nothing
        new=pl.lit(value=False),
        silent=pl.lit(value=False),
        latest=pl.lit(value=False),
        resend=pl.lit(value=True),
    )
    return pl.concat([numbered, again], how="diagonal")


def _left_behind() -> pl.Expr:
    """Return whether a version was never acknowledged, and newer ones were written down since."""
    waits = (pl.col("unsent") < pl.col("last_sequence")) & ~pl.col("corrects")
    return (waits & pl.col("sequence").is_null()).fill_null(value=False)


def _unsent() -> pl.Expr:
    """Return whether a version was written down before, but never acknowledged."""
    again = ~pl.col("new") & ~pl.col("silent") & (pl.col("sequence") == pl.col("last_sequence"))
    return again & ~pl.col("last_sent").fill_null(value=True)
