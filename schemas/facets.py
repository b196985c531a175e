"""What the facets of a record mean to the fold: which states stop a use and which say nothing."""

from __future__ import annotations

import datetime as dt
from typing import Final

DECISION: Final = "decision"
STANDING: Final = "standing"
REPAIR: Final = "repair"
OBJECTION: Final = "objection"
WITHDRAWAL: Final = "withdrawal"
STATEMENT: Final = "statement"

#: Facets every publisher owns for its own records: taking back (SAMR Order 45 art. 11) and
#: saying how far its exports are complete.
ALWAYS_OWNED: Final = (WITHDRAWAL, STATEMENT)

#: States that a record without any event of that facet is in. A source that states one of them
#: for a facet nothing was ever published of says nothing new.
NEUTRAL: Final[dict[str, tuple[str, ...]]] = {
    STANDING: ("in_force", "in_business"),
    REPAIR: ("none",),
    OBJECTION: ("none",),
    WITHDRAWAL: ("none",),
}

#: Facets that can stop a use: a bucket that holds one of them unsettled is settled at once.
STOPPING: Final = (STANDING, REPAIR, OBJECTION, WITHDRAWAL)

#: Standings that no passing of time ends (行政许可法 art. 69-70; 行政处罚法 art. 9).
FINAL_STANDINGS: Final = ("revoked", "annulled", "cancelled", "transferred_out", "removed", "ended")

#: A day further ahead than this, from the day it was landed, is a slip of the pen: it tells no day.
FAR: Final = dt.timedelta(days=366)
