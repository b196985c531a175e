"""Under which name refused rows go back: never over a file that someone may be mending.

What was written is remembered by its digest and its layout. A file of that name which is not as it
was written has been changed since, and one of another layout holds rows of other sheets: the refused
rows go beside it under the next number.
"""

from __future__ import annotations

import hashlib
from pathlib import Path


def free_name(path: Path, notes: Path, layout: str) -> Path:
    """Return `path`, or `<stem>.2<suffix>` and so on where another file has that name.

    `notes`: the folder in which `remember` writes.
    """
    candidate, number = path, 1
    while candidate.exists() and _noted(candidate, notes) != _written(candidate, layout):
        number += 1
        candidate = path.with_name(f"{path.stem}.{number}{path.suffix}")
    return candidate


def remember(path: Path, notes: Path, layout: str) -> None:
    """Note a file as it was written, with the layout of its rows."""
    notes.mkdir(parents=True, exist_ok=True)
    _note(path, notes).write_text(_written(path, layout), "utf-8")


def _noted(path: Path, notes: Path) -> str | None:
    note = _note(path, notes)
    return note.read_text("utf-8") if note.exists() else None


def _note(path: Path, notes: Path) -> Path:
    return notes / f"{hashlib.sha256(str(path.absolute()).encode()).hexdigest()}.sha256"


def _written(path: Path, layout: str) -> str:
    with path.open("rb") as file:
        return f"{hashlib.file_digest(file, 'sha256').hexdigest()} {layout}"
