"""Rows as the events they would become, for a person to read before anything is sent. Pure."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import polars as pl

#: What is not of the row: it is the same for all events of a file, or follows from the content.
_FILE = {
    *("event_id", "publisher", "layout", "layout_version", "file_digest", "file_row"),
    *("content_digest", "__row", "__unstated", "__why"),
}


def preview(events: pl.DataFrame, rows: int) -> list[dict[str, Any]]:
    """Return the first `rows` rows, each `row` and its `events` without empty fields, as JSON has it.

    Times are UTC; amounts are texts in yuan.
    """
    first = events["__row"].unique().sort().head(rows)
    shown = events.filter(pl.col("__row").is_in(first.implode())).sort("__row", maintain_order=True)
    found: dict[int, list[dict[str, Any]]] = {}
    for event in shown.iter_rows(named=True):
        fields = {name: value for name, value in event.items() if name not in _FILE}
        found.setdefault(event["__row"], []).append(_plain(fields))
    return [{"row": row, "events": events_} for row, events_ in found.items()]


def preview_lines(shown: list[dict[str, Any]]) -> list[str]:
    """Return the same as lines of text."""
    lines = []
    for row in shown:
        lines.append(f"row · 行 {row['row']}")
        for event in row["events"]:
            lines.append(f"  {event['facet']}: {event['event_type']}")
            rest = {k: v for k, v in event.items() if k not in {"facet", "event_type"}}
            lines += [f"    {path}: {value}" for path, value in _leaves(rest, "")]
    return lines


def _leaves(value: Any, path: str) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        inner = [_leaves(item, f"{path}.{name}".lstrip(".")) for name, item in value.items()]
        return [leaf for leaves in inner for leaf in leaves]
    if isinstance(value, list):
        numbered = [_leaves(item, f"{path}[{n}]") for n, item in enumerate(value, start=1)]
        return [leaf for leaves in numbered for leaf in leaves]
    return [(path, str(value))]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items() if v is not None and v != []}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
