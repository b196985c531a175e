"""A clock that is stepped while processes run: `stepped_clock.c` under them, the machine's untouched.

What measures spans (the monotonic clock) goes on as it does when an operator, or NTP, sets a clock.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SOURCE: Final = Path(__file__).with_name("stepped_clock.c")


@dataclass(frozen=True)
class Clock:
    """The clock of all processes that are started with its environment."""

    place: Path

    @classmethod
    def made(cls, place: Path) -> Clock:
        """Make one in a directory; it goes with the machine's until it is stepped."""
        clock = cls(place)
        building = ["cc", "-O2", "-shared", "-fPIC", "-o", str(clock._library), str(_SOURCE)]
        subprocess.run(building, check=True)
        clock.step(0)
        return clock

    @property
    def _library(self) -> Path:
        return self.place / "stepped_clock.so"

    @property
    def _ahead(self) -> Path:
        return self.place / "ahead"

    @property
    def environment(self) -> dict[str, str]:
        """Return what puts a process under this clock."""
        return {"LD_PRELOAD": str(self._library), "STEPPED_CLOCK": str(self._ahead)}

    def step(self, seconds: int) -> None:
        """Have it be off the machine's clock by so many seconds from now on."""
        with self._ahead.open("r+b" if self._ahead.exists() else "wb") as file:
            file.write(struct.pack("=q", seconds))  # in place: it is mapped by who is under it

    def told(self) -> float:
        """Return the time by a process under it: it must be under it, or a test shows nothing."""
        asked = [sys.executable, "-c", "import time; print(time.time())"]
        env = {**os.environ, **self.environment}
        return float(subprocess.run(asked, env=env, capture_output=True, check=True).stdout)
