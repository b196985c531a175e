"""The facts of one enterprise out of the window's replica."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from connectors.replica import Position, Replica
from flows.answer.facts import Facts, Row
from flows.answer.periods import newest
from flows.clock import CHINA, earliest
from flows.fold_rows import Statements, Version, whole_rows
from flows.stated import Completeness, Source, completeness, together
from schemas.avro import FAMILIES
from schemas.facets import DECISION
from schemas.names_held import NAME_FIELDS, digests_of_names


@dataclass(frozen=True)
class Known:
    """Facts; by family the newest time of landing (UTC) that was counted for them, and where the
    replica stood.

    `through` (UTC): everything published before it was counted; None where that is not known, as
    for a question about the past, of which no heartbeat is kept.
    """

    facts: Facts
    landed: Mapping[str, dt.datetime]
    positions: Mapping[str, Position]
    through: dt.datetime | None = None


def landed_through(positions: Mapping[str, Position]) -> dt.datetime | None:
    """Return the time (UTC) through which all families are in the replica; None: not known."""
    return earliest(position.through for position in positions.values())


def _nothing() -> dict[str, Statements]:
    return {family: Statements() for family in FAMILIES}


@dataclass
class Gathering:
    """Gathers facts from one replica; what is complete is worked out once for all who ask.

    `cycles`: how often each publisher promised to publish; `rights`: as in `Facts`. Of the
    statements only those that are new are taken in.
    """

    replica: Replica
    cycles: Mapping[str, dt.timedelta]
    rights: Mapping[Source, str] = field(default_factory=dict)
    _told: dict[str, Statements] = field(default_factory=_nothing)
    _taken: int = 0
    _complete: tuple[tuple[int, int], Completeness] = ((-1, -1), Completeness())

    def gather(
        self, subject: str, on: dt.date | None = None, known_at: dt.datetime | None = None
    ) -> Known:
        """Return what is held of an enterprise about a day (China), as known at a time (UTC)."""
        asked_at = known_at or dt.datetime.now(dt.UTC)
        day = on or asked_at.astimezone(CHINA).date()
        with self.replica.one_state():
            positions = self.replica.positions()
            mine = self.replica.versions(subject)
            said = self._stated(known_at)
            lists = newest(self.replica.periods(known_at), day)
        rows: dict[str, list[Row]] = {
            family: [*whole_rows(mine.get(family, []), family, day, known_at)]
            for family in FAMILIES
        }
        excepted = said.holding(subject, _names(mine, known_at))
        facts = Facts(
            *(day, asked_at, rows, said.through, self.cycles, excepted, lists, self.rights)
        )
        through = landed_through(positions) if known_at is None else None
        return Known(facts, _landed(positions, known_at), positions, through)

    def _stated(self, known_at: dt.datetime | None) -> Completeness:
        last, said = self.replica.statements()
        if known_at is not None:
            then, known = _nothing(), [one for one in said if one[1]["landed_at"] <= known_at]
            take_in(then, known, known)
            return self._held_back(then, known_at)
        number = (last, self.replica.quarantine())
        if number != self._complete[0]:
            take_in(self._told, said[self._taken :], said)
            self._taken = len(said)
            self._complete = (number, self._held_back(self._told, None))
        return self._complete[1]

    def _held_back(
        self, told: Mapping[str, Statements], known_at: dt.datetime | None
    ) -> Completeness:
        return together(
            completeness(family, one.by_layout(), self.replica.waiting(family, known_at))
            for family, one in told.items()
        )


def take_in(
    told: dict[str, Statements],
    new: Iterable[tuple[str, Version]],
    every: Iterable[tuple[str, Version]],
) -> None:
    """Take in statements; where one of them overrules another, `every` one once more."""
    for family, statement in new:
        told[family].add(statement)
    for name, one in told.items():
        if one.spoiled:
            told[name] = Statements(one.overruled)
            for family, statement in every:
                if family == name:
                    told[name].add(statement)


def _names(
    versions: Mapping[str, Iterable[Version]], known_at: dt.datetime | None
) -> frozenset[str]:
    """Return the digests of all names that were landed of an enterprise by a time (UTC)."""
    return digests_of_names(
        version[DECISION][NAME_FIELDS[family]]
        for family, landed in versions.items()
        for version in landed
        if version.get(DECISION) and (known_at is None or version["landed_at"] <= known_at)
    )


def _landed(
    positions: Mapping[str, Position], known_at: dt.datetime | None
) -> dict[str, dt.datetime]:
    return {
        family: position.landed_at if known_at is None else min(position.landed_at, known_at)
        for family, position in positions.items()
    }
