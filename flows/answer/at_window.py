"""The facts of one enterprise out of the window's replica."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.replica import Position, Replica
from flows.answer.facts import Facts, Row
from flows.clock import CHINA
from flows.fold_rows import complete_through_rows, whole_rows
from flows.stated import Pair, Stated, complete, excepting, held, holding_back
from schemas.avro import FAMILIES


@dataclass(frozen=True)
class Known:
    """Facts; by family the newest time of landing (UTC) that was counted for them, and where the
    replica stood."""

    facts: Facts
    landed: Mapping[str, dt.datetime]
    positions: Mapping[str, Position]


@dataclass
class Gathering:
    """Gathers facts from one replica; what is complete is worked out once for all who ask.

    `cycles`: how often each publisher promised to publish.
    """

    replica: Replica
    cycles: Mapping[str, dt.timedelta]
    _complete: tuple[tuple[int, int], Mapping[Pair, Stated]] = field(default=((-1, -1), {}))

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
        excepted = excepting(said, subject)
        rows: dict[str, list[Row]] = {
            family: [*whole_rows(mine.get(family, []), family, day, known_at)]
            for family in FAMILIES
        }
        through = complete(said, excepted)
        facts = Facts(day, asked_at, rows, through, self.cycles, excepted)
        return Known(facts, _landed(positions, known_at), positions)

    def _stated(self, known_at: dt.datetime | None) -> Mapping[Pair, Stated]:
        last, said = self.replica.statements()
        number = (last, self.replica.quarantine())
        if known_at is None and number == self._complete[0]:
            return self._complete[1]
        found: dict[Pair, Stated] = {}
        for family in FAMILIES:
            mine = [statement for of, statement in said if of == family]
            waits = held(self.replica.waiting(family, known_at))
            found |= holding_back(complete_through_rows(mine, known_at), waits)
        if known_at is None:
            self._complete = (number, found)
        return found


def _landed(
    positions: Mapping[str, Position], known_at: dt.datetime | None
) -> dict[str, dt.datetime]:
    return {
        family: position.landed_at if known_at is None else min(position.landed_at, known_at)
        for family, position in positions.items()
    }
