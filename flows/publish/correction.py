"""Taking back what is another record's: of an enterprise that lost one, or of one known twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import polars as pl

from connectors.ledger import Ledger
from flows.publish.events import single
from schemas.facets import WITHDRAWAL

#: A number of somebody may stand in a key: it is not repeated here.
_SAME_DOCUMENT: Final = (
    "同一文书以不同写法发布了两次，以另一记录为准 "
    "(one document was published twice, its number written in two ways; the other record stands)"
)
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


def repeated(
    twice: pl.DataFrame, ledger: Ledger, family: str, publisher: str
) -> pl.DataFrame | None:
    """Return the withdrawals of records that are known twice (`identity.REPEATED`); or None."""
    frames = [
        single(
            family,
            {
                "publisher": publisher,
                "issuer": ledger.issuer(key),
                "subject": subject,
                "record_key": key,
                "facet": WITHDRAWAL,
                "event_type": "withdrawn",
                "sequence": ledger.next_sequence(key, WITHDRAWAL),
                "layout": "mianti",
                "layout_version": "1",
                WITHDRAWAL: {
                    "state": "withdrawn",
                    "reason_code": "publisher_error",
                    "reason": _SAME_DOCUMENT,
                },
            },
        )
        for key, subject in twice.select("record_key", "subject").sort("record_key").iter_rows()
    ]
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
