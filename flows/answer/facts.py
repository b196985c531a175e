"""What is known of one enterprise on one day, as it was known at one time. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from schemas.catalogue.grammar import SharedEvidence

#: A row of `flows.fold.whole`: with the content of what may not be used, which never leaves here.
Row = Mapping[str, Any]

_OVER: Final = ("withdrawn", "annulled")
#: Words of 行政处罚法 art. 9; what names neither is taken for the graver.
_SUSPENDS, _REVOKES = "暂扣", "吊销"


@dataclass(frozen=True)
class Facts:
    """Rows by family; `complete`: by publisher and layout, until when its exports are complete.

    `on` is a day in China, `asked_at` (UTC) the time at which all this was known; `cycles`: how
    often each publisher promised to publish.
    """

    on: dt.date
    asked_at: dt.datetime
    rows: Mapping[str, list[Row]]
    complete: Mapping[tuple[str, str], dt.datetime]
    cycles: Mapping[str, dt.timedelta]


@dataclass(frozen=True)
class SourceState:
    """Whether sources may be relied on; `through` (UTC): until when all of them are complete."""

    fault: Literal["source_incomplete", "too_old"] | None
    through: dt.datetime | None
    publisher: str


def source_state(evidence: SharedEvidence, facts: Facts) -> SourceState:
    """Return the state of the worst of a piece of evidence's sources."""
    pairs = [(id_, layout) for id_, layouts in evidence.sources.items() for layout in layouts]
    for pair in pairs:
        if pair not in facts.complete:
            return SourceState("source_incomplete", None, pair[0])
    through, publisher = min((facts.complete[pair], pair[0]) for pair in pairs)
    for id_, layout in pairs:
        said = facts.complete[id_, layout]
        if facts.asked_at - said > facts.cycles[id_]:
            return SourceState("source_incomplete", said, id_)
    late = facts.asked_at - through > evidence.max_age
    return SourceState("too_old" if late else None, through, publisher)


def stopped_by(licence: Row, facts: Facts) -> Row | None:
    """Return a penalty that suspends or revokes a licence (双公示 CF_NR_ZKDX), the newest first.

    It counts before the licence's issuer says so itself. Withdrawing or annulling the penalty
    lifts it; repairing the credit record does not: a revoked licence stays revoked. One that only
    suspends ends with its own last day.
    """
    found = [row for row in facts.rows.get("credit", []) if _stops(row, licence, facts)]
    return max(found, key=lambda row: row["effective_from"] or dt.date.min, default=None)


def _stops(penalty: Row, licence: Row, facts: Facts) -> bool:
    named = penalty["licences_affected"]
    if not named or penalty["unusable_reason"] in _OVER or penalty["state"] == "annulled":
        return False
    said = "".join([*(penalty["categories"] or []), penalty["penalty_content"] or ""])
    only_suspends = _SUSPENDS in said and _REVOKES not in said
    if only_suspends and penalty["valid_to"] is not None and penalty["valid_to"] < facts.on:
        return False
    return _names(named, licence, facts)


def _names(text: str, licence: Row, facts: Facts) -> bool:
    """By its number; else by its certificate's name, where no other licence's number stands."""
    if licence["number"] and licence["number"] in text:
        return True
    if not licence["name"] or licence["name"] not in text:
        return False
    others = [row["number"] for row in facts.rows.get("licence", []) if row["number"]]
    return not any(number in text for number in others)
