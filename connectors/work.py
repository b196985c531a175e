"""Folders for what is read only while a run goes on: the owner's alone, and gone afterwards.

A run that is killed leaves its folder, with a file that may name persons. Each folder is locked by
the process that uses it, and the lock ends with the process: the next run removes what nobody holds.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_PREFIX: Final = "mianti-work-"


@contextmanager
def work_folder(place: Path | None = None) -> Iterator[Path]:
    """Give a folder in the temporary directory, or a hidden one in `place`; gone afterwards.

    Removes the folders of this user that runs which were killed have left there.
    """
    within = place or Path(tempfile.gettempdir())
    prefix = _PREFIX if place is None else f".{_PREFIX}"
    _sweep(within, prefix)
    folder, lock = _locked(within, prefix)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _locked(within: Path, prefix: str) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=within))
        lock = _opened(folder)
        if lock is not None:
            with suppress(OSError):  # a share without locks: what is left there, nobody sweeps
                fcntl.flock(lock, fcntl.LOCK_EX)
            if folder.is_dir():  # no other run has swept it away before it was locked
                return folder, lock
            os.close(lock)


def _opened(folder: Path) -> int | None:
    try:
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None


def _sweep(place: Path, prefix: str) -> None:
    """Remove the folders that no process holds; none of it is worth failing for."""
    for folder in place.glob(f"{prefix}*"):
        lock = _opened(folder)
        if lock is None:
            continue
        with suppress(OSError):
            if os.fstat(lock).st_uid == os.geteuid():
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)
