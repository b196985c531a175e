"""What publishers say of their layouts: until when all is there, and for whom it is not. Pure."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

#: Publisher and layout.
Pair: TypeAlias = tuple[str, str]


class Stated(NamedTuple):
    """Complete through a time (UTC), but for the enterprises of which rows or messages were refused.

    `everyone`: it is not known of whom, so that all are excepted.
    """

    through: dt.datetime
    excepted: frozenset[str] = frozenset()
    everyone: bool = False


class Held(NamedTuple):
    """The enterprises of which a publisher's messages wait in quarantine.

    `unnamed`: one of them does not say of whom it is.
    """

    subjects: frozenset[str]
    unnamed: bool


def held(messages: Iterable[tuple[str, str | None]]) -> dict[str, Held]:
    """Return by publisher what waits of its messages (publisher, enterprise)."""
    found: dict[str, set[str | None]] = defaultdict(set)
    for publisher, subject in messages:
        found[publisher].add(subject)
    return {
        publisher: Held(frozenset(s for s in subjects if s is not None), None in subjects)
        for publisher, subjects in found.items()
    }


def holding_back(said: Mapping[Pair, Stated], waits: Mapping[str, Held]) -> dict[Pair, Stated]:
    """Except from what is stated of a family the enterprises of which messages wait there."""
    nothing = Held(frozenset(), unnamed=False)
    back = {pair: waits.get(pair[0], nothing) for pair in said}
    return {
        pair: Stated(
            one.through,
            one.excepted | back[pair].subjects,
            one.everyone or back[pair].unnamed,
        )
        for pair, one in said.items()
    }


def excepting(said: Mapping[Pair, Stated], subject: str) -> frozenset[Pair]:
    """Return the layouts that except an enterprise."""
    return excepting_everyone(said) | {p for p, one in said.items() if subject in one.excepted}


def excepting_everyone(said: Mapping[Pair, Stated]) -> frozenset[Pair]:
    """Return the layouts that except every enterprise."""
    return frozenset(pair for pair, one in said.items() if one.everyone)


def complete(said: Mapping[Pair, Stated], excepted: frozenset[Pair]) -> dict[Pair, dt.datetime]:
    """Return until when each layout is complete, without those that except the enterprise."""
    return {pair: one.through for pair, one in said.items() if pair not in excepted}
