"""Days that lie ahead where something was decided or took effect: a year mistyped, never "not yet".

A penalty typed 2062 for 2026 would count for nothing for 36 years, and so would a revocation. One
rule for all layouts:

- `occurred_at`, and the day from which a decision, a standing, a repair or an objection has effect,
  are not later than the clock;
- a licence and the term of a registration may begin later, by ten years at most.

Only for publishing: whether an event that was accepted is right must not depend on the day it is
landed. Pure.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final

import polars as pl

from flows.check import Check
from flows.clock import CHINA, CLOCKS_DIFFER

#: Of terms that begin: leases of state land and concessions are agreed upon years before.
TERM_AHEAD: Final = dt.timedelta(days=3653)


def date_checks(events: pl.DataFrame, family: str, now: dt.datetime) -> Iterator[Check]:
    """Yield the checks of mapped events; `now`: UTC. The reason names `facet.field`."""
    latest = now + CLOCKS_DIFFER
    today = latest.astimezone(CHINA).date()
    ahead = today + TERM_AHEAD
    term = (pl.col("facet") == "decision") if family == "licence" else pl.lit(value=False)
    began = pl.col("effective_from")
    yield _ahead(pl.col("occurred_at") > pl.lit(latest, pl.Datetime("us", "UTC")), "occurred_at")
    yield _ahead((began > today) & (~term | (began > ahead)), "effective_from")
    decision = events.get_column("decision", default=None)
    if decision is None or decision.null_count() == len(decision):
        return
    fields = {field.name for field in decision.dtype.fields}
    for name, last in (("valid_from", ahead), ("established_on", today)):
        if name in fields:
            yield _ahead(pl.col("decision").struct.field(name) > last, name)


def _ahead(wrong: pl.Expr, name: str) -> Check:
    where = pl.format("date_in_future:{}.{}", pl.col("facet"), pl.lit(name))
    return wrong.fill_null(value=False), where
