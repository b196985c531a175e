"""What publishing a file came to."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Outcome:
    """Counts of input rows; every row read is published, unchanged or refused, exactly one.

    `events`: how many events were sent. `examples`: a few refusals of a file (`__row`, `code`, `sentence_en`,
    `sentence_zh`), or all of rows a program handed over.
    `seconds`: wall clock. `edition`: UTC. `excepted`: enterprises for whom the layout is not
    complete, rows about them being refused, in this file or before, and not mended yet; `unreadable`:
    refused rows of this file that are about nobody known. `skipped`: footers and totals, which are
    not read. `left_sheets`, `hidden_sheets`: sheets of a workbook that hold rows and were not read.
    `not_complete`: why nothing is stated complete from this file; `notes`: what else a person should
    know of how it was read; both lists of `en` and `zh`.
    """

    file: str
    layout: str = ""
    edition: dt.datetime | None = None
    read: int = 0
    published: int = 0
    unchanged: int = 0
    refused: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    excepted: int = 0
    unreadable: int = 0
    refused_file: str | None = None
    seconds: float = 0.0
    events: int = 0
    examples: list[dict[str, Any]] = field(default_factory=list)
    skipped: int = 0
    left_sheets: list[str] = field(default_factory=list)
    hidden_sheets: list[str] = field(default_factory=list)
    not_complete: list[dict[str, str]] = field(default_factory=list)
    notes: list[dict[str, str]] = field(default_factory=list)

    @property
    def warns(self) -> bool:
        """Whether a person has something to do about the file."""
        return bool(self.refused or self.not_complete)

    def as_json(self) -> dict[str, Any]:
        """Return the object `mianti publish --json` prints for one file."""
        counts = ("read", "published", "unchanged", "refused", "reasons", "excepted", "unreadable")
        told = ("skipped", "left_sheets", "hidden_sheets", "not_complete", "notes")
        names = (*counts, *told, "refused_file", "seconds")
        values = asdict(self)
        edition = self.edition.isoformat() if self.edition else None
        return {"edition": edition} | {name: values[name] for name in names}
