"""What the sample's files hold, as planned when they were written."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from flows.sample.faults import Fault

MANIFEST: Final = "manifest.json"


@dataclass
class FileCount:
    """Rows of one file and what must become of them; `faults`: how often each was put in."""

    publisher: str
    layout: str
    rows: int = 0
    published: int = 0
    unchanged: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    def count(self, fault: Fault | None, rows: int) -> None:
        """Count rows that were written for one planned row."""
        self.rows += rows
        if fault is not None:
            self.faults[fault.name] += 1
        if fault is not None and fault.refused is not None:
            self.refused[fault.refused] += rows
            return
        self.unchanged += fault.unchanged if fault is not None else 0
        self.published += rows - (fault.unchanged if fault is not None else 0)


@dataclass
class Manifest:
    """`files` by path under the sample's directory, in the order to publish them.

    `enterprise`: the unified code of the enterprise that the demo shows.
    """

    enterprise: str
    files: dict[str, FileCount] = field(default_factory=dict)

    def write(self, out: Path) -> None:
        """Write manifest.json into the sample's directory."""
        text = json.dumps(asdict(self), ensure_ascii=False, indent=2)
        (out / MANIFEST).write_text(text + "\n", "utf-8")
