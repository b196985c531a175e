"""What comes of a piece of evidence: it may be relied on, or why not."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final, Literal

from flows.answer.facts import Row, SourceState

#: Why evidence is not relied on; the closed list of reasons for a paper to be brought.
Reason = Literal[
    "none_on_file",
    "source_incomplete",
    "too_old",
    "no_right",
    "expired",
    "not_yet_valid",
    "no_end_stated",
    "stopped",
    "mismatch",
    "objection",
    "conflicted",
    "not_usable",
    "barred",
    "own_paper",
]
#: Those that only say that evidence is lacking; the others speak against the enterprise, and
#: neither a promise nor a later day helps.
LACKING: Final = ("none_on_file", "source_incomplete", "too_old", "no_right", "own_paper")


#: States in which a paper helps nobody who brings it. Of the others the paper itself may say more.
LOST: Final = (
    *("suspended", "revoked", "annulled", "cancelled", "transferred_out", "removed", "ended"),
)


@dataclass(frozen=True)
class Verdict:
    """What came of one piece of evidence; `reason` None: it may be relied on.

    `record`: the row relied on, or that speaks against it where it may be shown. `source`: None
    where the sources were not looked at. Of what was stopped `by`: the organ that did it; `state`:
    what it is now (a state of the family's standing, `other` where it is not told); `since`: the
    day (China) of that decision, and `document`: its number, where they are known.
    """

    reason: Reason | None
    record: Row | None = None
    source: SourceState | None = None
    by: str | None = None
    state: str | None = None
    since: dt.date | None = None
    document: str | None = None
