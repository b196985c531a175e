"""When a record turns out to be another enterprise's: what was said of the first is taken back."""

from __future__ import annotations

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
    moved = publish.filter(
        pl.col("last_subject").is_not_null() & (pl.col("last_subject") != pl.col("subject"))
    ).unique("record_key", keep="first", maintain_order=True)
    frames: list[pl.DataFrame] = []
    for row in moved.iter_rows(named=True):
        sequence = ledger.next_sequence(row["record_key"], WITHDRAWAL)
        frames.append(_withdrawal(row, family, row["last_subject"], sequence, withdrawn=True))
        if sequence > 1:  # it may be going back to a subject it was taken from before
            frames.append(_withdrawal(row, family, row["subject"], sequence + 1, withdrawn=False))
    return pl.concat(frames) if frames else None


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
