"""A file that names many enterprises, and what each of its lines asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl

from connectors.errors import MiantiError
from connectors.files import FAULT, ROW, Source, open_source

#: What is asked: the line of a file, a code as it was written, a matter or a bundle (null: none
#: was named), and why the line cannot be read, if so.
ASKED: Final = pl.Schema(
    {"row": pl.Int64(), "subject": pl.String(), "matter": pl.String(), "fault": pl.String()}
)
_SUBJECT: Final = ("subject", "统一社会信用代码")
_MATTER: Final = ("matter", "事项编码")


class NoCodes(MiantiError):
    """A file has several columns, and none of them is the enterprise's code."""


class NoMatter(MiantiError):
    """Neither the command nor the file names a matter."""


def read_asked(path: Path, matter: str | None) -> pl.DataFrame:
    """Return the lines of a CSV, XLSX or JSON file, or of a list of codes, as `ASKED`.

    `matter` is meant where the file has no column of matters, or a blank in it. Raises Unreadable,
    NoCodes, NoMatter.
    """
    source = _named(open_source(path))
    code = next(name for name in _SUBJECT if name in source.columns)
    named = next((name for name in _MATTER if name in source.columns), None)
    if matter is None and named is None:
        raise NoMatter(
            "Name a matter or a bundle by --matter, or in a column `matter` of the file.",
            "请用 --matter 指定事项或一件事，或在文件的“事项编码”（matter）列中填写。",
        )
    meant = pl.lit(matter, pl.String)
    told = pl.coalesce(pl.col(named).str.strip_chars(), meant) if named else meant
    lines = [
        chunk.rows.select(row=ROW, subject=code, matter=told, fault=FAULT)
        for chunk in source.chunks()
    ]
    return pl.concat([pl.DataFrame(schema=ASKED), *lines])


def _named(source: Source) -> Source:
    """Return a file with a column of codes; one column alone needs no header."""
    if any(name in source.columns for name in _SUBJECT):
        return source
    if len(source.columns) == 1 and source.format in ("csv", "xlsx"):
        return source.with_header([_SUBJECT[0]], skip_first=False)
    raise NoCodes(
        f"{source.path.name} has no column `subject` or 统一社会信用代码: name the column of the "
        "enterprises' codes so, or leave that one column alone.",
        f"{source.path.name} 没有“统一社会信用代码”（subject）列：请将代码列改为该名称，或只保留这一列。",
    )
