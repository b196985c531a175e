"""Refused rows that wait to be mended: of which records they are, and about which enterprises.

Pure. A refused row may be the penalty or the revocation. Until a row about the same record, of the
same edition or a newer one, has been accepted, nothing is complete for the enterprise it names, nor
for the one that holds the record.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from schemas.facets import WITHDRAWAL

#: `record_key`: "" where the row does not give it; any accepted row about the enterprise then ends
#: the waiting. `facet`: "" where a row states all facets of its record at once.
WAITING: Final = pl.Schema(
    {
        "record_key": pl.String(),
        "facet": pl.String(),
        "subject": pl.String(),
        "edition": pl.Datetime("us", "UTC"),
    }
)
_STOPPED: Final = ("publisher_error", "decision_changed")


def still_waiting(
    before: pl.DataFrame, refused: pl.DataFrame, accepted: pl.DataFrame, held: pl.DataFrame
) -> tuple[pl.DataFrame, int]:
    """Return what waits after a file, and how many of its refused rows are about nobody known.

    All frames are of `WAITING`; in `refused` a key or a subject that is not known is null. `held`:
    what the ledger holds of the records (`flows.publish.plan.KNOWN`).
    """
    news = _news(refused, held)
    holders = held.filter(pl.col("facet") != WITHDRAWAL).select("record_key", "subject").unique()
    owned = news.drop("subject").join(holders, on="record_key")
    named = news.filter(pl.col("subject").is_not_null())
    unknown = news.filter(pl.col("subject").is_null()).join(holders, on="record_key", how="anti")
    unmended = _unmended(before, accepted)
    every = merged(unmended, *(part.select(WAITING.names()) for part in (named, owned)))
    # Of a record that its publisher took back nothing is accepted, nor missed.
    back = held.filter((pl.col("facet") == WITHDRAWAL) & pl.col("mark").is_in(_STOPPED))
    waiting = every.join(back, on="record_key", how="anti", maintain_order="left")
    return waiting, unknown.height


def merged(*waiting: pl.DataFrame) -> pl.DataFrame:
    """Return what waits in any of some frames, in the ledger's order."""
    key = [name for name in WAITING if name != "edition"]
    every = pl.concat(waiting).with_columns(pl.col("record_key").fill_null(""))
    return every.group_by(key).agg(pl.col("edition").max()).sort(key)


def concerned(accepted: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """Return the accepted rows that may end the waiting of some."""
    about = before.filter(pl.col("record_key") == "")
    return pl.concat(
        [
            accepted.join(before, on="record_key", how="semi"),
            accepted.join(about, on="subject", how="semi"),
        ]
    )


def _news(refused: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """Leave out rows of an older edition than all that is held of their record."""
    said = held.filter((pl.col("facet") != WITHDRAWAL) & (pl.col("sequence") > 0))
    oldest = pl.col("edition").min()
    newer = pl.concat(
        [
            said.group_by("record_key").agg(oldest.alias("since")).with_columns(facet=pl.lit("")),
            said.group_by("record_key", "facet").agg(oldest.alias("since")),
        ],
        how="diagonal",
    )
    joined = refused.join(newer, on=["record_key", "facet"], how="left", maintain_order="left")
    behind = (pl.col("since") > pl.col("edition")).fill_null(value=False)
    return joined.filter(~behind).select(WAITING.names())


def _unmended(before: pl.DataFrame, accepted: pl.DataFrame) -> pl.DataFrame:
    newest = pl.col("edition").max()
    facets = accepted.group_by("record_key", "facet").agg(newest.alias("of_facet"))
    records = accepted.group_by("record_key").agg(newest.alias("of_record"))
    subjects = accepted.group_by("subject").agg(newest.alias("of_subject"))
    joined = (
        before.join(facets, on=["record_key", "facet"], how="left")
        .join(records, on="record_key", how="left")
        .join(subjects, on="subject", how="left")
    )
    mended = pl.coalesce(
        "of_facet",
        pl.when(pl.col("facet") == "").then("of_record"),
        pl.when(pl.col("record_key") == "").then("of_subject"),
    )
    ended = (mended >= pl.col("edition")).fill_null(value=False)
    return joined.filter(~ended).select(WAITING.names())
