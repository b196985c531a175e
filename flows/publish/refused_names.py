"""Under which name refused rows go back: never over a file that someone may be mending.

What was written is remembered by its digest. A file of that name which is not as it was written has
been changed since, and the refused rows go beside it under the next number.
"""

from __future__ import annotations

import hashlib
from pathlib import Path


def free_name(path: Path, notes: Path) -> Path:
    """Return `path`, or `<stem>.2<suffix>` and so on where a changed file has that name.

    `notes`: the folder in which `remember` writes.
    """
    candidate, number = path, 1
    while candidate.exists() and _noted(candidate, notes) != _digest(candidate):
        number += 1
        candidate = path.with_name(f"{path.stem}.{number}{path.suffix}")
    return candidate


def remember(path: Path, notes: Path) -> None:
    """Note a file as it was written."""
    notes.mkdir(parents=True, exist_ok=True)
    _note(path, notes).write_text(_digest(path), "ascii")


def _noted(path: Path, notes: Path) -> str | None:
    note = _note(path, notes)
    return note.read_text("ascii") if note.exists() else None


def _note(path: Path, notes: Path) -> Path:
    return notes / f"{hashlib.sha256(str(path.absolute()).encode()).hexdigest()}.sha256"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
