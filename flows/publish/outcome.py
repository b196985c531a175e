"""What publishing a file came to."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass, field
from typing import Any

from flows.publish.unread import Unread
from schemas.personal import redact


@dataclass
class Outcome:
    """Counts of input rows; every row read is published, unchanged or refused, exactly one.

    `reasons`: how many refused rows have each fault; one row may have several.
    `events`: how many events were sent. `examples`: the faults of the first refused rows of a file
    (`__row`, `code`, `sentence_en`, `sentence_zh`), or of all rows a program handed over.
    `unread_columns`: columns of the file that were neither read nor known as not wanted.
    `shown`: rows of a dry run as events (`flows.publish.preview`).
    `seconds`: wall clock. `edition`: UTC. `excepted`: enterprises held, because rows about them were
    refused, in this file or before, and not mended yet; `everyone`: refused rows and failed files
    that hold every enterprise, because they name none; `held`: both, by reason code. `unreadable`:
    refused rows of this file without a valid code. `skipped`: footers and totals, which are
    not read. `left_sheets`, `hidden_sheets`: sheets of a workbook that hold rows and were not read.
    `not_complete`: why nothing is stated complete from this file; `notes`: what else a person should
    know of how it was read; both lists of `en` and `zh`.
    `moved`: records that are another
    enterprise's now, `withdrawn_elsewhere`: what was withdrawn from enterprises for that; `merged`:
    records withdrawn that another one, of the same number in another spelling, goes on for;
    `corrected`: rows that correct what this file said when it was read otherwise.
    `complete_through`: what was stated with the file (UTC), or would be; `complete_before`: the
    latest that was stated of its layout before (UTC), as far as the ledger knows.
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
    moved: int = 0
    withdrawn_elsewhere: int = 0
    merged: int = 0
    corrected: int = 0
    everyone: int = 0
    held: dict[str, int] = field(default_factory=dict)
    refused_file: str | None = None
    seconds: float = 0.0
    events: int = 0
    examples: list[dict[str, Any]] = field(default_factory=list)
    skipped: int = 0
    left_sheets: list[str] = field(default_factory=list)
    hidden_sheets: list[str] = field(default_factory=list)
    not_complete: list[dict[str, str]] = field(default_factory=list)
    notes: list[dict[str, str]] = field(default_factory=list)
    complete_through: dt.datetime | None = None
    complete_before: dt.datetime | None = None
    unread_columns: list[Unread] = field(default_factory=list)
    shown: list[dict[str, Any]] = field(default_factory=list)

    @property
    def warns(self) -> bool:
        """Whether a person has something to do about the file."""
        return bool(self.refused or self.excepted or self.everyone or self.not_complete)

    def as_json(self) -> dict[str, Any]:
        """Return the object `mianti publish --json` prints for one file."""
        counts = ("read", "published", "unchanged", "refused", "reasons", "excepted", "unreadable")
        told = ("everyone", "held", "skipped", "left_sheets", "hidden_sheets", "not_complete")
        identity = ("moved", "withdrawn_elsewhere", "merged", "corrected")
        names = (*counts, *told, "notes", *identity, "refused_file", "seconds", "unread_columns")
        values = asdict(self)
        edition = self.edition.isoformat() if self.edition else None
        as_told = {"edition": edition} | {name: values[name] for name in names}
        for name in ("complete_through", "complete_before"):
            as_told[name] = values[name].isoformat() if values[name] else None
        for column in as_told["unread_columns"]:
            column["column"] = redact(column["column"])
        examples = [
            {"row": one["__row"], **{k: v for k, v in one.items() if k != "__row"}}
            for one in self.examples
        ]
        return as_told | {"examples": examples} | ({"shown": self.shown} if self.shown else {})
