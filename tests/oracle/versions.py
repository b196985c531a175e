"""Landed rows as the versions that the law of folding speaks of, each event as first landed."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from tests.oracle.delta import Row
from tests.oracle.layout import Content
from tests.oracle.publishing import Version


def first_landed(rows: Iterable[Row]) -> dict[str, Row]:
    """Return each event once, by its id, as it was first landed."""
    found: dict[str, Row] = {}
    for row in sorted(rows, key=_landing):
        found.setdefault(row["event_id"], row)
    return found


def version(row: Row) -> Version:
    """Return what a landed row says; `event_id` is a field of its content, so that two are one."""
    facet = row["facet"]
    fields = {"event_id": row["event_id"]} | row[facet]
    content = Content(
        row["subject"],
        tuple((name, frozen(value)) for name, value in fields.items()),
        row["effective_from"],
        row["effective_to"],
        void_ab_initio=row["void_ab_initio"] == "yes",
    )
    return Version(
        *(row["record_key"], facet, row["sequence"], content, row["edition"], row["landed_at"]),
        overrules=row["overrules"]["sequence"] if row.get("overrules") else None,
    )


def frozen(value: Any) -> Hashable:
    """Return a value in which lists and records can be compared and hashed."""
    if isinstance(value, list):
        return tuple(frozen(item) for item in value)
    if isinstance(value, dict):
        return tuple((name, frozen(item)) for name, item in value.items())
    found: Hashable = value
    return found


def _landing(row: Row) -> tuple[Any, ...]:
    return row["landed_at"], row["topic"], row["partition"], row["offset"]
