"""What publishers say of their layouts: until when all is there, and for whom it is not. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

#: Publisher and layout.
Pair: TypeAlias = tuple[str, str]


class Stated(NamedTuple):
    """Complete through a time (UTC), but for the enterprises of which rows were refused."""

    through: dt.datetime
    excepted: frozenset[str] = frozenset()


def excepting(said: Mapping[Pair, Stated], subject: str) -> frozenset[Pair]:
    """Return the layouts that except an enterprise."""
    return frozenset(pair for pair, one in said.items() if subject in one.excepted)


def complete(said: Mapping[Pair, Stated], excepted: frozenset[Pair]) -> dict[Pair, dt.datetime]:
    """Return until when each layout is complete, without those that except the enterprise."""
    return {pair: one.through for pair, one in said.items() if pair not in excepted}
