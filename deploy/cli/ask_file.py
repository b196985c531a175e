"""`mianti ask --file`: the same for every enterprise of a file."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click
import polars as pl

from connectors.settings import Settings
from deploy.cli.answers_out import check_kind, write
from deploy.cli.progress import progress_bar
from deploy.cli.times import landed_words
from flows.answer.ask import landed_through, matters_of
from flows.answer.asked import read_asked
from flows.answer.batch import UNKNOWN_MATTER, ask_all
from flows.answer.words import OUTCOMES, is_reason, reason_in_short
from flows.catalogue import catalogue
from schemas.dialect import Words
from schemas.reasons import sentence

SOME_REFUSED: Final = 3
#: How many papers came to each outcome, for each reason; lines without an answer have no outcome.
Counts = Counter[tuple[str | None, str | None]]


def answer_file(
    settings: Settings,
    file: Path,
    matter: str | None,
    output: Path | None,
    times: tuple[dt.date | None, dt.datetime | None],
    *,
    as_json: bool,
) -> None:
    """Answer every line of a file, write the answers, and tell what they come to.

    Ends the process with `SOME_REFUSED` where a line could not be answered.
    """
    if output is not None:
        check_kind(output)
    if matter is not None:
        matters_of(catalogue(settings.mianti_catalogue), matter)
    asked = read_asked(file, matter)
    counts: Counts = Counter()
    through = None if times[1] else landed_through(settings)  # before any record is read
    with _progress(file.name, asked.height) as done:
        answers = _counted(ask_all(settings, asked, *times, progress=done), counts)
        write(map(in_words, answers), output)
    told = _totals(asked.height, counts)
    told |= {"landed_through": through.isoformat() if through else None}
    words = f"data through · 数据截至: {landed_words(through)}\n{_words(told)}"
    summary = json.dumps(told, ensure_ascii=False) if as_json else words
    click.echo(summary, err=output is None)  # stdout is the answers' where they have no file
    if told["unanswered"]:
        sys.exit(SOME_REFUSED)


@contextmanager
def _progress(name: str, lines: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal; give what moves it on by so many lines."""
    with progress_bar() as bar:
        task = bar.add_task(f"{name} · asking · 查询", total=lines)
        yield lambda more: bar.advance(task, more)


def _counted(frames: Iterator[pl.DataFrame], counts: Counts) -> Iterator[pl.DataFrame]:
    for frame in frames:
        for outcome, reason, number in frame.group_by("outcome", "reason").len().iter_rows():
            counts[outcome, reason] += number
        yield frame


def in_words(answers: pl.DataFrame) -> pl.DataFrame:
    """Return answers with `reason_en` and `reason_zh` behind the reason's code, as papers are read."""
    codes = answers["reason"].drop_nulls().unique().to_list()
    said = {code: _reason(code) for code in codes}
    words = [
        pl.col("reason").replace_strict(
            {code: getattr(one, language) for code, one in said.items()},
            default=None,
            return_dtype=pl.String,
        )
        for language in ("en", "zh")
    ]
    at = answers.columns.index("reason") + 1
    told = answers.with_columns(reason_en=words[0], reason_zh=words[1])
    return told.select(*answers.columns[:at], "reason_en", "reason_zh", *answers.columns[at:])


def _reason(code: str) -> Words:
    if code == UNKNOWN_MATTER:
        return Words(en="the catalogue has no such matter", zh="目录中没有该事项")
    return reason_in_short(code) if is_reason(code) else sentence(code, "subject")


def _totals(lines: int, counts: Counts) -> dict[str, object]:
    papers: dict[str, int] = {
        name: sum(number for (outcome, _), number in counts.items() if outcome == name)
        for name in OUTCOMES
    }
    faults = {
        str(reason): number
        for (outcome, reason), number in sorted(counts.items(), key=str)
        if outcome is None
    }
    return {
        "lines": lines,
        "papers": sum(papers.values()),
        **papers,
        "unanswered": sum(faults.values()),
        "faults": faults,
    }


def _words(told: dict[str, object]) -> str:
    counted = [
        ("lines · 行", "lines"),
        ("papers asked · 要求材料", "papers"),
        *((f"{words.en} · {words.zh}", name) for name, words in OUTCOMES.items()),
        ("lines without an answer · 未能答复的行", "unanswered"),
    ]
    lines = [f"{told[name]:>12,}  {words}" for words, name in counted]
    faults = told["faults"]
    assert isinstance(faults, dict)  # noqa: S101
    return "\n".join([*lines, *(f"{number:>12,}    {code}" for code, number in faults.items())])
