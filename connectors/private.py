"""Folders for their owner alone: other users of the machine have no business in what they hold."""

from __future__ import annotations

from pathlib import Path


def private(folder: Path) -> None:
    """Make a folder that only its owner may enter, where it is not there; those above it as usual.

    One that is there keeps the rights that somebody has given it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
