"""What the sample's files hold, as planned when they were written."""

from __future__ import annotations

import json
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
    refused: dict[str, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)

    def count(self, fault: Fault | None, rows: int) -> None:
        """Count rows that were written for one planned row."""
        self.rows += rows
        unchanged = 0
        if fault is not None:
            _add(self.faults, fault.name, 1)
            unchanged = fault.unchanged
        if fault is not None and fault.refused is not None:
            _add(self.refused, fault.refused, rows)
        else:
            self.unchanged += unchanged
            self.published += rows - unchanged


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


def _add(counts: dict[str, int], name: str, number: int) -> None:
    counts[name] = counts.get(name, 0) + number
