"""Marks that keep a spreadsheet from changing a text: `="0012"`, `'0012`, `` `0012 ``.

They are instructions to the spreadsheet and no part of the number or name. What an export writes
with them and what it writes without must come to the same record.
"""

import polars as pl

from connectors.files.columns import FAULT, ROW

_FIRST = ('="', "='", "=“", "＝", "'", "`", "‘", "’")
_EQUALS = r"""^\s*[=＝]\s*(?:["“]((?:[^"]|"")*)["”]|'([^']*)')\s*$"""
#: The mark alone in front, or at both ends; a text that holds more of them has its own.
_QUOTE = r"^\s*['`‘’]([^'`‘’]+)['`‘’]?\s*$"
#: What was made inert by an apostrophe is taken off whatever follows.
_INERT = r"^'(\s*[=+\-@＝＋－＠](?s:.*))$"


def unwrap_text(text: str) -> str:
    """Return a single text, such as a column's name, with these marks taken off."""
    if text[:1] not in "=＝'`‘’" or not text:
        return text
    name = pl.DataFrame({"text": [text]}, schema={"text": pl.String})
    return str(unwrap(name)["text"][0])


def unwrap(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with these marks taken off."""
    values = [name for name in rows.columns if name not in (ROW, FAULT)]
    found = rows.select(
        pl.any_horizontal(pl.col(name).str.starts_with(mark) for mark in _FIRST).any()
        for name in values
    )
    marked = [name for name in values if found[name].item()]
    if not marked:
        return rows
    column = pl.col(marked)
    quoted = column.str.extract(_EQUALS, 1).str.replace_all('""', '"', literal=True)
    return rows.with_columns(
        pl.coalesce(
            quoted,
            column.str.extract(_EQUALS, 2),
            column.str.extract(_INERT, 1),
            column.str.extract(_QUOTE, 1),
            column,
        )
    )
