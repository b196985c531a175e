"""A clock that is stepped while processes run: libfaketime under them, the machine's own untouched.

What measures spans (the monotonic clock) goes on as it does when an operator, or NTP, sets a clock.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest


def library() -> Path:
    """Return libfaketime; a test is skipped where there is none, which under CI is a failure."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        pytest.skip("libfaketime steps the clock of a process: `apt-get install faketime`")
    return found[0]


@dataclass(frozen=True)
class Clock:
    """The clock of all processes that are started with its environment."""

    place: Path

    @property
    def environment(self) -> dict[str, str]:
        """Return what puts a process under this clock."""
        if not self.place.exists():
            self.step(0)
        return {
            "LD_PRELOAD": str(library()),
            "FAKETIME_TIMESTAMP_FILE": str(self.place),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def step(self, seconds: int) -> None:
        """Have it be off the machine's clock by so many seconds from now on."""
        part = self.place.with_suffix(".part")
        part.write_text(f"{seconds:+d}\n")
        part.replace(self.place)

    def told(self) -> float:
        """Return the time by a process under it: it must be under it, or a test shows nothing."""
        asked = [sys.executable, "-c", "import time; print(time.time())"]
        env = {**os.environ, **self.environment}
        return float(subprocess.run(asked, env=env, capture_output=True, check=True).stdout)
