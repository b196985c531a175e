"""Which enterprises a search has shown to whom: what was shown once in a day has its receipt."""

from __future__ import annotations

import datetime as dt
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from flows.receipt.entry import Asker

#: So many are remembered; one that was forgotten has a receipt again.
_REMEMBERED: Final = 100_000


class Shown:
    """Remembers, for one window, which enterprises (codes) each clerk was shown on a day (China).

    A page searches while a name is typed: each step shows a part of what the one before has shown.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[Asker, dt.date, str], None] = OrderedDict()

    def fresh(self, asker: Asker, day: dt.date, codes: Iterable[str]) -> list[str]:
        """Return those that the clerk was not shown on that day, each once."""
        return [one for one in dict.fromkeys(codes) if (asker, day, one) not in self._known]

    def add(self, asker: Asker, day: dt.date, codes: Iterable[str]) -> None:
        """Remember what was shown, its receipt being on the disk."""
        for one in codes:
            self._known[asker, day, one] = None
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
