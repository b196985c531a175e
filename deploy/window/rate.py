"""How often somebody may ask: the generic cell rate algorithm (ITU-T I.371), a time for each who asks.

`limits`' store in memory starts a thread every 10 ms to forget in: a tenth of an answer's time.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Final

_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600}
#: So many are remembered; then who has not asked for the longest time is forgotten.
_REMEMBERED: Final = 10_000


class Rate:
    """So many questions in a time (`50/second`), all at once or spread, for each who asks."""

    def __init__(self, text: str, clock: Callable[[], float] = time.monotonic) -> None:
        count, period = re.fullmatch(r"(\d+)/(second|minute|hour)", text).groups()  # type: ignore[union-attr]
        self._period = float(_SECONDS[period])
        self._each = self._period / max(int(count), 1)
        self._clock = clock
        self._due: dict[str, float] = {}

    @property
    def remembered(self) -> int:
        """Return how many are remembered."""
        return len(self._due)

    def wait(self, who: str) -> float:
        """Count a question and return 0, or return in how many seconds one more may be asked."""
        now = self._clock()
        due = max(self._due.get(who, now), now)
        late = due + self._each - now - self._period
        if late > 1e-9:  # no more than a rounding
            self._due[who] = self._due.pop(who)  # who keeps asking is not forgotten
            return late
        self._due.pop(who, None)  # the last to have asked stands last
        if len(self._due) >= _REMEMBERED:
            del self._due[next(iter(self._due))]
        self._due[who] = due + self._each
        return 0.0
