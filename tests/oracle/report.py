"""What an examination has counted and found."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Report:
    """Counts of what was looked at, so that nobody passes by doing nothing, and what is wrong.

    `unjudged`: messages whose verdict is not modelled; `foreign`: log rows of topics that the
    oracle was not given; `unread`: messages the publishers' ledgers have not come to yet;
    `repeated`: those that say once more what one before them said; `held_though_refused`:
    versions that a ledger holds for published, of which the log has refused every message.
    """

    file_rows: int = 0
    refused_rows: int = 0
    messages: int = 0
    accepted: int = 0
    quarantined: int = 0
    redriven: int = 0
    discarded: int = 0
    duplicates: int = 0
    skipped: int = 0
    unjudged: int = 0
    foreign: int = 0
    history_rows: int = 0
    dataset_rows: int = 0
    usable_rows: int = 0
    replica_rows: int = 0
    ledger_rows: int = 0
    unread: int = 0
    repeated: int = 0
    held_though_refused: int = 0
    receipts: int = 0
    shipped: int = 0
    answers: int = 0
    records_named: int = 0
    faults: list[str] = field(default_factory=list)

    def fault(self, *faults: str) -> None:
        """Note what is wrong; each fault names its place."""
        self.faults += faults
