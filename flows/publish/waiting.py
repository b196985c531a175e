"""Refused rows and failed files that wait to be mended, and the enterprises they hold. Pure.

A refused row may be the penalty or the revocation. Until it is mended nothing is complete for the
enterprise it names by its code or its name, for the one that holds the record it names, or, where
it names none, for everyone. It ends in three ways only (`docs/decisions/0003-ledger.md`):

1. A row with its record key is accepted, of its edition or a newer one. A row that contradicts what
   was published of its record needs an edition newer than that.
2. A row without a readable key is accepted with a key, all its other cells unchanged.
3. A person discards it.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import polars as pl

from flows.publish.clean import clean
from schemas.canonical import sha256
from schemas.dialect import Dialect, columns_of, key_columns
from schemas.facets import WITHDRAWAL
from schemas.names_held import PATTERN

_TIME: Final = pl.Datetime("us", "UTC")
#: What a row is about; what is not known is null. `facet`: "" where a row states its whole record.
NAMED: Final = pl.Schema(
    {
        "record_key": pl.String(),
        "facet": pl.String(),
        "subject": pl.String(),
        "edition": _TIME,
    }
)
#: A refused row: also its number, the reason code, and `print`, which the same row has again.
REFUSED: Final = pl.Schema({**NAMED, "code": pl.String(), "print": pl.String(), "row": pl.Int64()})
#: What waits; `record_key`, `subject`: "" where not known. `place` tells apart what has no key: the
#: row's `print`, `LOST`, or of a failed file a prefix (`failed_file`) and its SHA-256. `subject`: a unified code, an
#: organisation code (9 characters) or the digest of a name (`schemas.names_held`). `file`: the name
#: of the file; `since`, `edition`: UTC.
WAITING: Final = pl.Schema(
    {
        "record_key": pl.String(),
        "facet": pl.String(),
        "subject": pl.String(),
        "place": pl.String(),
        "edition": _TIME,
        "code": pl.String(),
        "print": pl.String(),
        "file": pl.String(),
        "row": pl.Int64(),
        "since": _TIME,
    }
)
#: What tells one entry from another.
IDENTITY: Final = ("record_key", "facet", "subject", "place")
#: The place of what a lost ledger had waiting: known by the statements alone.
LOST: Final = "lost"
#: A failed file of a known layout; one whose layout is not known; one whose name other files had.
_FAILED: Final = "file:"
_OF_ANY: Final = "file:any:"
_RECURRING: Final = "file:same:"
#: Rows of which another edition or row says otherwise: a newer edition has to settle it.
_RIVALS: Final = ("older_edition", "contradictory_published")
_STOPPED: Final = ("publisher_error", "decision_changed")
_STEP: Final = pl.duration(microseconds=1)


def fingerprints(rows: pl.DataFrame, dialect: Dialect) -> pl.Series:
    """Return the SHA-256 (hex) of each row's cells but those of its key and its enterprise.

    A row whose key was mended has the same. Null where no other cell is filled. `rows` has the
    dialect's column names.
    """
    left_out = {"record_key", "subject", "issuer", "edition", "sequence", "event_id"}
    known = [name for name in rows.columns if not name.startswith("__")]
    if not dialect.native:
        left_out = {dialect.subject, *key_columns(dialect), *columns_of(dialect.issuer)}
        known = [name for name in known if name in dialect.columns]
    cells = [clean(name, dialect.blank) for name in sorted({*known} - left_out)]
    if not cells:
        return pl.Series("print", [None] * rows.height, dtype=pl.String)
    texts = [
        pl.when(cell.is_not_null()).then(pl.lit(f"{cell.meta.output_name()}=") + cell)
        for cell in cells
    ]
    text = pl.concat_str(texts, separator="\x1f", ignore_nulls=True)
    return rows.select(pl.when(text != "").then(sha256(text)).alias("print")).to_series()


def waiting_after(
    before: pl.DataFrame,
    refused: pl.DataFrame,
    accepted: pl.DataFrame,
    prints: pl.DataFrame,
    held: pl.DataFrame,
    discarded: pl.DataFrame,
    *,
    file: str,
    now: dt.datetime,
    known: bool,
) -> tuple[pl.DataFrame, int]:
    """Return what waits after a file, and how many of its refused rows have no valid code.

    `before`, `discarded`: of `WAITING`; `refused`: of `REFUSED`; `accepted`: of `NAMED`, rows that
    may mend a record; `prints`: `subject` and `print` of accepted rows that may mend a row without
    a key; `held`: what the ledger holds of the records (`flows.publish.plan.KNOWN`). `known`: the
    file was published before: what newer editions say of its records has settled its rows, and what
    other files of its own edition left waiting is not mended by it.
    """
    news = _news(refused, held, known=known)
    holders = held.filter(pl.col("facet") != WITHDRAWAL).select("record_key", "subject").unique()
    owned = news.drop("subject").join(holders, on="record_key")
    named = news.filter(pl.col("subject").is_not_null())
    nobody = news.filter(pl.col("subject").is_null()).join(holders, on="record_key", how="anti")
    every = [part.select(REFUSED.names()) for part in (named, owned, nobody)]
    added = _entries(pl.concat(every), file, now)
    same = ["record_key", "facet", "subject", "print"]
    given_up = discarded.filter(pl.col("print") != "")
    added = added.join(given_up, on=same, how="anti", maintain_order="left")
    same_edition = pl.col("file") == file if known else pl.lit(value=True)
    waiting = merged(_unmended(before, accepted, prints, same_edition), added)
    # A record that its publisher took back may not be used: nothing about it is waited for.
    back = held.filter((pl.col("facet") == WITHDRAWAL) & pl.col("mark").is_in(_STOPPED))
    code = pl.col("subject").is_null() | pl.col("subject").str.contains(PATTERN)
    uncoded = news.filter(code).join(holders, on="record_key", how="anti")["row"].n_unique()
    return waiting.join(back, on="record_key", how="anti", maintain_order="left"), uncoded


def merged(*waiting: pl.DataFrame) -> pl.DataFrame:
    """Return what waits in any of some frames, each entry once, in the ledger's order."""
    rest = [name for name in WAITING if name not in (*IDENTITY, "edition", "since")]
    every = pl.concat(waiting).sort("edition", maintain_order=True)
    found = every.group_by(IDENTITY).agg(
        pl.col("edition").max(), pl.col("since").min(), pl.col(rest).last()
    )
    return found.select(WAITING.names()).sort(IDENTITY)


def concerned(accepted: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """Return the accepted rows that may mend a record that waits."""
    return accepted.join(before, on="record_key", how="semi")


def without_key(before: pl.DataFrame) -> pl.DataFrame:
    """Return `subject` ("": not known) and `print` of the rows without a key that wait."""
    return before.filter((pl.col("record_key") == "") & (pl.col("print") != "")).select(
        "subject", "print"
    )


def failed_file(
    name: str,
    digest: str,
    code: str,
    edition: dt.datetime,
    now: dt.datetime,
    *,
    any_layout: bool = False,
    recurs: bool = False,
) -> pl.DataFrame:
    """Return the entry of a file that failed whole: it may be about anyone.

    `any_layout`: its layout is not known; `recurs`: other files of its name were published, so that
    the next one of that name need not be this one mended.
    """
    prefix = _RECURRING if recurs else _OF_ANY if any_layout else _FAILED
    entry = dict.fromkeys(("record_key", "facet", "subject", "print"), "")
    told = {"place": f"{prefix}{digest}", "code": code, "file": name, "row": None}
    times = {"edition": edition, "since": now}
    return pl.DataFrame([entry | told | times], schema=WAITING)


def without_file(
    waiting: pl.DataFrame, name: str | None, digest: str, *, own_layout: bool = True
) -> pl.DataFrame:
    """Return what waits once a file is published: not its own failure, nor one that it mends.

    A file mends the failure of its name (None: of no name) in its own layout, or where the failed
    file's layout was not known; not where other files have had that name (`failed_file`).
    """
    place = pl.col("place")
    failed = place.str.starts_with(_FAILED)
    by_name = place.str.starts_with(_OF_ANY) | pl.lit(own_layout)
    by_name &= ~place.str.starts_with(_RECURRING) & (pl.col("file") == pl.lit(name, pl.String))
    mended = by_name.fill_null(value=False) | place.str.ends_with(f":{digest}")
    return waiting.filter(~(failed & mended).fill_null(value=False))


def lost_entries(subjects: pl.Series, edition: dt.datetime, now: dt.datetime) -> pl.DataFrame:
    """Return the entries of what a lost ledger had waiting; `subjects`: "" for everyone."""
    return (
        subjects.unique()
        .sort()
        .to_frame("subject")
        .select(
            record_key=pl.lit(""),
            facet=pl.lit(""),
            subject="subject",
            place=pl.lit(LOST),
            edition=pl.lit(edition, _TIME),
            code=pl.lit("ledger_lost"),
            print=pl.lit(""),
            file=pl.lit(""),
            row=pl.lit(None, pl.Int64),
            since=pl.lit(now, _TIME),
        )
    )


def held_by(waiting: pl.DataFrame) -> tuple[pl.Series, int]:
    """Return the enterprises that entries hold, sorted, and how many entries hold everyone."""
    named = waiting.filter(pl.col("subject") != "")["subject"].unique().sort()
    return named, waiting.height - waiting.filter(pl.col("subject") != "").height


def _news(refused: pl.DataFrame, held: pl.DataFrame, *, known: bool) -> pl.DataFrame:
    """Add until which edition a record is known; a newer one must mend what contradicts it."""
    said = held.filter(pl.col("facet") != WITHDRAWAL)
    newest = said.group_by("record_key").agg(until=pl.col("edition").max())
    joined = refused.join(newest, on="record_key", how="left", maintain_order="left")
    behind = (pl.col("edition") < pl.col("until")).fill_null(value=False)
    if known:
        joined = joined.filter(~behind)
    rivals = (behind | pl.col("code").is_in(_RIVALS)) & pl.col("until").is_not_null()
    settled = pl.max_horizontal(pl.col("until") + _STEP, "edition")
    return joined.with_columns(edition=pl.when(rivals).then(settled).otherwise("edition"))


def _entries(refused: pl.DataFrame, file: str, now: dt.datetime) -> pl.DataFrame:
    keyless = pl.col("record_key").is_null()
    place = pl.coalesce("print", pl.format("row:{}:{}", pl.lit(file), "row"))
    return refused.select(
        pl.col("record_key").fill_null(""),
        "facet",
        pl.col("subject").fill_null(""),
        place=pl.when(keyless).then(place).otherwise(pl.lit("")),
        edition="edition",
        code="code",
        print=pl.col("print").fill_null(""),
        file=pl.lit(file),
        row="row",
        since=pl.lit(now, _TIME),
    )


def _unmended(
    before: pl.DataFrame, accepted: pl.DataFrame, prints: pl.DataFrame, same_edition: pl.Expr
) -> pl.DataFrame:
    """Return what still waits; `same_edition`: the entries that a row of their edition may mend."""
    newest = pl.col("edition").max()
    facets = accepted.group_by("record_key", "facet").agg(newest.alias("of_facet"))
    records = accepted.group_by("record_key").agg(newest.alias("of_record"))
    joined = before.join(facets, on=["record_key", "facet"], how="left").join(
        records, on="record_key", how="left"
    )
    by_key = pl.coalesce("of_facet", pl.when(pl.col("facet") == "").then("of_record"))
    mends = (by_key > pl.col("edition")) | ((by_key == pl.col("edition")) & same_edition)
    ended = mends.fill_null(value=False) & (pl.col("record_key") != "")
    left = joined.filter(~ended).select(WAITING.names())
    # A row that lacked its key, and perhaps its enterprise, is known by its other cells.
    either = pl.concat([prints, prints.with_columns(subject=pl.lit(""))])
    keyless = (pl.col("record_key") == "") & (pl.col("print") != "")
    mended = left.filter(keyless).join(either, on=["subject", "print"], how="semi")
    return left.join(mended, on=IDENTITY, how="anti", maintain_order="left")
