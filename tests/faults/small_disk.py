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

    A test is skipped where it may mount none, which under CI is a failure.
    """
    place.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "mianti-test", str(place)]
    if subprocess.run(mounting, check=False).returncode != 0:
        pytest.skip("a small disk, to see it full, is mounted by root, with CAP_SYS_ADMIN")
    try:
        yield Disk(place)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
