"""A disk of a test's own that can be filled: a tmpfs, mounted while a test lasts."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Disk:
    """A directory that is a disk by itself."""

    place: Path

    @contextmanager
    def filled(self, room: int) -> Iterator[None]:
        """Leave room for so many bytes on it while a block lasts."""
        ballast = self.place / "ballast"
        found = os.statvfs(self.place)
        try:
            with ballast.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, found.f_bavail * found.f_bsize - room)
            yield
        finally:
            ballast.unlink()


@contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[Disk]:
    """Give a new disk of so many megabytes at a new directory.

    A test is skipped where nobody may mount one, which under CI is a failure.
    """
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk: run as root to see one that is full")
    place.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "mianti-test", str(place)]
    subprocess.run(mounting, check=True)
    try:
        yield Disk(place)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
