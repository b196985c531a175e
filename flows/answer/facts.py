"""What is known of one enterprise on one day, as it was known at one time. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from flows.clock import CHINA
from flows.stated import Pair
from schemas.catalogue.grammar import SharedEvidence

#: A row of `flows.fold.whole`: with the content of what may not be used, which never leaves here.
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Facts:
    """Rows by family; `complete`: by publisher and layout, until when its exports are complete.

    `on` is a day in China, `asked_at` (UTC) the time at which all this was known; `cycles`: how
    often each publisher promised to publish. `excepted`: what is not in `complete` because rows
    about this very enterprise were refused. `newest`: by publisher and layout, the newest year that
    a grade of anybody is of.
    """

    on: dt.date
    asked_at: dt.datetime
    rows: Mapping[str, list[Row]]
    complete: Mapping[Pair, dt.datetime]
    cycles: Mapping[str, dt.timedelta]
    excepted: frozenset[Pair] = frozenset()
    newest: Mapping[Pair, int] = field(default_factory=dict)
    #: What `flows.answer.evidence.judge` made of each piece of evidence, which it keeps alive.
    judged: dict[int, tuple[SharedEvidence, Any]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def of(self, family: str) -> list[Row]:
        """Return the rows of a family."""
        return self.rows.get(family, [])


@dataclass(frozen=True)
class SourceState:
    """Whether sources may be relied on; `through` (UTC): until when all of them are complete.

    `excepted`: rows about the enterprise were refused and wait to be mended.
    """

    fault: Literal["source_incomplete", "too_old"] | None
    through: dt.datetime | None
    publisher: str
    excepted: bool = False


def source_state(evidence: SharedEvidence, facts: Facts) -> SourceState:
    """Return the state of the worst of a piece of evidence's sources.

    One that states a time yet to come states nothing, and so does one that is no publisher any
    more; nobody is complete for a day to come.
    """
    pairs = [(id_, layout) for id_, layouts in evidence.sources.items() for layout in layouts]
    for pair in pairs:
        if pair not in facts.complete:
            return SourceState("source_incomplete", None, pair[0], pair in facts.excepted)
    through, publisher = min((facts.complete[pair], pair[0]) for pair in pairs)
    for id_, layout in pairs:
        said = facts.complete[id_, layout]
        cycle = facts.cycles.get(id_)
        if cycle is None or said > facts.asked_at or facts.asked_at - said > cycle:
            return SourceState("source_incomplete", said, id_)
    if facts.on > facts.asked_at.astimezone(CHINA).date():
        return SourceState("source_incomplete", through, publisher)
    late = facts.asked_at - through > evidence.max_age
    return SourceState("too_old" if late else None, through, publisher)
