"""When a record turns out to be another enterprise's: what was said of the first is taken back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from connectors.ledger import Ledger
from flows.publish.events import single
from schemas.facets import WITHDRAWAL

_CARRIED = ("issuer", "record_key", "publisher", "layout", "layout_version", "edition")


def corrections(publish: pl.DataFrame, ledger: Ledger, family: str) -> pl.DataFrame | None:
    """Return the withdrawals (and their liftings) that changed subjects call for; or None.

    A record is known to readers by subject and key: without these events the first enterprise
    would keep a licence that never was its own.
    """
    here = pl.col("subject")
    several = (here != pl.col("last_subject")).any() | (here.n_unique() > 1)
    moved = publish.filter(several.over("record_key")).sort("edition", "__row", maintain_order=True)
    frames: list[pl.DataFrame] = []
    for _, rows in moved.group_by("record_key", maintain_order=True):
        frames += _of_record(rows, ledger, family)
    return pl.concat(frames) if frames else None


def _of_record(rows: pl.DataFrame, ledger: Ledger, family: str) -> Iterator[pl.DataFrame]:
    """Take a record from every subject it was at but the last; one file may hold several moves."""
    last = rows.row(-1, named=True)
    first = ledger.next_sequence(last["record_key"], WITHDRAWAL)
    visited = dict.fromkeys([*rows["last_subject"].drop_nulls(), *rows["subject"]])
    left = [subject for subject in visited if subject != last["subject"]]
    for sequence, subject in enumerate(left, start=first):
        yield _withdrawal(last, family, subject, sequence, withdrawn=True)
    if first > 1:  # it may be going back to a subject it was taken from before
        number = first + len(left)
        yield _withdrawal(last, family, last["subject"], number, withdrawn=False)


def _withdrawal(
    row: dict[str, Any], family: str, subject: str, sequence: int, *, withdrawn: bool
) -> pl.DataFrame:
    content = {
        "state": "withdrawn" if withdrawn else "none",
        "reason_code": "subject_corrected" if withdrawn else None,
        "reason": None,
    }
    return single(
        family,
        {name: row[name] for name in _CARRIED}
        | {
            "subject": subject,
            "facet": WITHDRAWAL,
            "event_type": "withdrawn" if withdrawn else "restored",
            "sequence": sequence,
            WITHDRAWAL: content,
        },
    )
