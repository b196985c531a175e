"""Refused rows: counted, shown with examples, and given back in the sender's own layout."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import polars as pl

from connectors.files import FAULTS, RefusedFile, Source
from flows.publish.job import Job
from flows.publish.mapping import columns_by_path
from flows.publish.outcome import Outcome
from flows.publish.recognise import Match
from flows.publish.refused_names import free_name, remember
from flows.publish.source import Rows
from schemas.reasons import sentence

_EXAMPLES: Final = 5


def account(outcome: Outcome, refused: pl.DataFrame, job: Job) -> None:
    """Count the refusals, keep a few examples, and give the refused rows back."""
    rows = refused["__row"].unique().sort()
    outcome.refused = rows.len()
    outcome.unchanged = outcome.read - outcome.published - outcome.refused
    places = _places(job.match)
    told = _told_each(refused, places, job.rows)
    each = told.unique(["__row", "code"])
    counts = each.group_by("code").len().sort("len", "code", descending=[True, False])
    outcome.reasons = dict(counts.iter_rows())
    # A program has no refused file to look into: it gets them all.
    few = rows.head(_EXAMPLES) if isinstance(job.rows, Source) else rows
    shown = told.filter(pl.col("__row").is_in(few.implode()))
    outcome.examples = [
        {"__row": row, "place": _place(row, job.rows), "code": code} | sentences
        for row, code, sentences in shown.select(
            "__row", "code", pl.struct("sentence_en", "sentence_zh")
        ).iter_rows()
    ]
    outcome.shown = [one for one in outcome.shown if one["row"] not in set(rows)]
    path = job.request.refused_path
    # A dry run changes no file: that of an earlier run may be being mended.
    if (
        told.height
        and path is not None
        and isinstance(job.rows, Source)
        and not job.request.dry_run
    ):
        outcome.refused_file = _give_back(job.rows, told, path, job)


def _told_each(refused: pl.DataFrame, places: Mapping[str, str], rows: Rows) -> pl.DataFrame:
    """Add the sentences; a fault that two checks found is told once."""
    distinct = refused.select("code", "where").unique(maintain_order=True)
    told = [_told(code, where, places, rows) for code, where in distinct.iter_rows()]
    sentences = distinct.with_columns(
        sentence_en=pl.Series([english for english, _ in told], dtype=pl.String),
        sentence_zh=pl.Series([chinese for _, chinese in told], dtype=pl.String),
    )
    joined = refused.join(
        sentences, on=["code", "where"], nulls_equal=True, how="left", maintain_order="left"
    )
    return joined.unique(["__row", "sentence_en"], keep="first", maintain_order=True)


def _places(match: Match) -> dict[str, str]:
    """Return, for an event field or a column of the layout, the file's own column names."""
    own = {column: name for name, column in match.names.items()}
    fields = columns_by_path(match.dialect)
    found = {path: "+".join(own.get(c, c) for c in at.split("+")) for path, at in fields.items()}
    return found | {column: own.get(column, column) for column in match.dialect.columns}


def _told(code: str, where: str | None, places: Mapping[str, str], rows: Rows) -> tuple[str, str]:
    if code in FAULTS:
        at = f"{places.get(where, where)}: " if where else ""
        english, chinese = FAULTS[code]
        return at + english, at + chinese
    other = _place(int(where), rows) if where and code == "contradictory" else where
    words = sentence(code, places.get(where or "", other))
    return words.en, words.zh


def _place(row: int, rows: Rows) -> str:
    """Say where a row stands, as its sender finds it."""
    return rows.place(row) if isinstance(rows, Source) else str(row)


def _give_back(source: Source, told: pl.DataFrame, path: Path, job: Job) -> str | None:
    """Write the refused rows in the sender's own layout with the reasons beside each."""
    notes, layout = job.settings.mianti_home / "refused" / "written", job.match.dialect.id
    writer = RefusedFile(free_name(path, notes, layout), source)
    for chunk in source.chunks():
        here = chunk.rows.join(told.select("__row"), on="__row", how="semi")
        if here.height:
            why = told.join(here.select("__row"), on="__row", how="semi", maintain_order="left")
            writer.add(here, why.select("__row", "code", "sentence_en", "sentence_zh"))
    written = writer.close()
    if written is None:
        return None
    remember(written, notes, layout)
    return str(written)
