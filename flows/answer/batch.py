"""Asking for many enterprises at once: some buckets of the lake at a time, decided in columns.

Memory holds the versions of a group of buckets, whatever the number of enterprises; only buckets
of those asked about are read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import polars as pl

from connectors.settings import Settings
from flows.answer.ask import cycles, matters_of, names_of, rights
from flows.answer.columns.decisions import DECISION, decisions
from flows.answer.columns.prepared import Rows
from flows.answer.columns.verdicts import verdicts
from flows.answer.facts import Facts
from flows.answer.periods import listed, newest_landed
from flows.catalogue import catalogue
from flows.clock import CHINA
from flows.complete import said
from flows.fold import whole
from flows.query import versions
from flows.stated import Completeness, Source
from schemas.avro import FAMILIES
from schemas.bucket import BUCKETS, bucket
from schemas.catalogue.grammar import Catalogue
from schemas.identifiers import uscc

#: What is answered: a row for each paper of each matter; a line that cannot be answered has one
#: row, without a paper or an outcome, whose `reason` is its fault.
ANSWERED: Final = pl.Schema(
    {
        "row": pl.Int64(),
        "subject": pl.String(),
        "matter": pl.String(),
        "material": pl.String(),
        "necessity": pl.String(),
        **DECISION,
    }
)
UNKNOWN_MATTER: Final = "unknown_matter"
#: Buckets read at a time.
_TOGETHER: Final = 8


def ask_all(
    settings: Settings,
    asked: pl.DataFrame,
    on: dt.date | None = None,
    known_at: dt.datetime | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Iterator[pl.DataFrame]:
    """Answer each line asked (`asked.ASKED`), as `flows.answer.ask.ask` would, in frames of `ANSWERED`.

    First the lines that cannot be answered; then by groups of buckets and by matters, in each by
    `row`, the papers in the matter's order. All lines are asked at one time. `progress` is told
    how many more lines are done.
    """
    found = catalogue(settings.mianti_catalogue)
    judged = _with_faults(asked, found)
    faulty = _faulty(judged)
    yield faulty
    progress(faulty.height)
    sound = _by_matter(judged.filter(pl.col("fault").is_null()), found)
    numbered = sound.with_columns(bucket=bucket(pl.col("subject")))
    known, told = _known(settings, found, on, known_at)
    for first in range(0, BUCKETS, _TOGETHER):
        group = numbered.filter(pl.col("bucket").is_between(first, first + _TOGETHER - 1))
        if not group.is_empty():
            yield from _group(settings, found, group, known, told, known_at)
            progress(group["row"].n_unique())


def _group(
    settings: Settings,
    found: Catalogue,
    asked: pl.DataFrame,
    known: Facts,
    told: Completeness,
    known_at: dt.datetime | None,
) -> Iterator[pl.DataFrame]:
    subjects, buckets = asked["subject"].unique(), asked["bucket"].unique().to_list()
    matters = asked["matter"].unique().sort().to_list()
    rows, names = _rows(settings, subjects, buckets, known.on, known_at)
    judged = [
        verdicts(found, matters, alike, rows, replace(known, excepted=held))
        for held, alike in _alike(subjects, told, names)
    ]
    for code in matters:
        lines = asked.filter(pl.col("matter") == code).select("row", "subject", "matter")
        made = [
            decisions(
                found, code, lines.join(one.found, on="subject", how="semi"), one, known.on
            ).match_to_schema(ANSWERED)
            for one in judged
        ]
        yield pl.concat(made).sort("row", maintain_order=True)


def _alike(
    subjects: pl.Series, told: Completeness, names: pl.DataFrame
) -> Iterator[tuple[frozenset[Source], pl.Series]]:
    """Part the enterprises by the publishers that hold them: most by none, the others are few."""
    few = told.named_among(subjects, names)
    theirs = names.filter(pl.col("subject").is_in(few.implode()))
    digests = dict(theirs.group_by("subject").agg("digest").iter_rows())
    alike: dict[frozenset[Source], list[str]] = {}
    for subject in few:
        held = told.holding(subject, frozenset(digests.get(subject, ())))
        alike.setdefault(held, []).append(subject)
    yield told.holding_everyone(), subjects.filter(~subjects.is_in(few.implode()))
    yield from ((held, pl.Series(who, dtype=pl.String)) for held, who in alike.items())


def _rows(
    settings: Settings,
    subjects: pl.Series,
    buckets: list[int],
    on: dt.date,
    known_at: dt.datetime | None,
) -> tuple[Rows, pl.DataFrame]:
    """Return what the fold gives of some enterprises, by family, and the names known of each."""
    wanted = pl.DataFrame({"subject": subjects})
    rows, names = {}, []
    for family in FAMILIES:
        every = versions(settings, family, buckets).join(wanted, on="subject", how="semi")
        rows[family] = whole(every, family, on, known_at)
        names.append(names_of(every, family, known_at))
    return rows, pl.concat(names).unique()


def _known(
    settings: Settings, found: Catalogue, on: dt.date | None, known_at: dt.datetime | None
) -> tuple[Facts, Completeness]:
    """Return what is known whoever is asked about.

    Before any record is read: a source complete by then had landed what it speaks of.
    """
    asked_at = known_at or dt.datetime.now(dt.UTC)
    told = said(settings, dict.fromkeys(FAMILIES, known_at))
    day = on or asked_at.astimezone(CHINA).date()
    lists = newest_landed(settings, listed(found), day, known_at)
    known = Facts(
        *(day, asked_at, {}, told.through, cycles(settings)), newest=lists, rights=rights(settings)
    )
    return known, told


def _with_faults(asked: pl.DataFrame, found: Catalogue) -> pl.DataFrame:
    """Write each code as it is compared, and say what is wrong with a line that has no fault yet."""
    known = pl.Series([*found.matters, *found.bundles], dtype=pl.String).implode()
    no_matter = ~pl.col("matter").is_in(known).fill_null(value=False)
    written = asked.with_columns(subject=uscc.normalise(pl.col("subject")))
    wrong = pl.coalesce(
        "fault", uscc.fault(pl.col("subject")), pl.when(no_matter).then(pl.lit(UNKNOWN_MATTER))
    )
    return written.with_columns(fault=wrong)


def _faulty(judged: pl.DataFrame) -> pl.DataFrame:
    """Return the lines that cannot be answered.

    A wrong code may be a person's number: it is not repeated.
    """
    faulty = judged.filter(pl.col("fault").is_not_null())
    told = faulty.select(
        "row",
        pl.when(pl.col("fault") == UNKNOWN_MATTER).then("subject"),
        "matter",
        pl.col("fault").alias("reason"),
    )
    empty = [pl.lit(None, dtype).alias(n) for n, dtype in ANSWERED.items() if n not in told.columns]
    return told.with_columns(empty).select(ANSWERED.names())


def _by_matter(asked: pl.DataFrame, found: Catalogue) -> pl.DataFrame:
    """Return each line once for each matter of what it asks for."""
    codes = [*dict.fromkeys([*found.matters, *found.bundles])]
    matters = {"matter": codes, "each": [matters_of(found, code) for code in codes]}
    listed = pl.DataFrame(matters, {"matter": pl.String, "each": pl.List(pl.String)})
    each = asked.join(listed, on="matter", how="left", maintain_order="left").explode("each")
    return each.drop("matter", "fault").rename({"each": "matter"})
