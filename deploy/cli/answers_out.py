"""Many answers into a file, some at a time: CSV, JSON lines or Parquet, or CSV on stdout."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

import click
import polars as pl

from connectors.errors import MiantiError
from connectors.work import work_folder

_KINDS: Final = (".csv", ".jsonl", ".parquet")
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"
Frames = Iterator[pl.DataFrame]


class BadOutput(MiantiError):
    """Answers cannot be written to a file of that kind."""


def check_kind(path: Path) -> None:
    """Raise BadOutput where a file's ending names none of the kinds that are written."""
    if path.suffix.lower() not in _KINDS:
        raise BadOutput(
            f"{path.name}: answers are written as {', '.join(_KINDS)}; name the file so.",
            f"{path.name}：结果可写为 {'、'.join(_KINDS)}，请使用其中一种扩展名。",
        )


def write(frames: Frames, path: Path | None) -> None:
    """Write answers to a file, or to stdout; a file has its name only once it is whole."""
    if path is None:
        for number, frame in enumerate(frames):
            click.echo(frame.write_csv(include_header=number == 0, datetime_format=_TIME), nl=False)
        return
    kind = path.suffix.lower()
    with work_folder(path.absolute().parent) as folder:
        made = folder / path.name
        if kind == ".parquet":
            _parquet(frames, made)
        else:
            with made.open("wb") as file:
                (_csv if kind == ".csv" else _json_lines)(frames, file)
        made.replace(path)


def _csv(frames: Frames, file: IO[bytes]) -> None:
    """Write with a byte order mark: Excel takes Chinese for something else without."""
    for number, frame in enumerate(frames):
        first = number == 0
        frame.write_csv(file, include_header=first, include_bom=first, datetime_format=_TIME)


def _json_lines(frames: Frames, file: IO[bytes]) -> None:
    for frame in frames:
        frame.write_ndjson(file)


def _parquet(frames: Frames, path: Path) -> None:
    parts = path.with_name("parts")
    parts.mkdir()
    for number, frame in enumerate(frames):
        frame.write_parquet(parts / f"{number:09}.parquet")
    pl.scan_parquet(sorted(parts.iterdir())).sink_parquet(path)
