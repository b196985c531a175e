"""Days on which nothing can have been decided or have taken effect: a slip of the pen or of a program.

A penalty typed 2062 for 2026 would count for nothing for 36 years, and so would a revocation. One
rule for all layouts:

- `occurred_at`, and the day from which a decision, a standing, a repair or an objection has effect,
  are not later than the clock;
- a licence and the term of a registration may begin later, by ten years at most;
- neither is any of these days before the People's Republic was founded. Spreadsheets write 1900-01-00
  and 1899-12-30 for an empty cell: a revocation of that day would be older than every licence.

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

_TIME: Final = pl.Datetime("us", "UTC")
#: Of terms that begin: leases of state land and concessions are agreed upon years before.
TERM_AHEAD: Final = dt.timedelta(days=3653)
#: The first day on which a department of today may have decided anything (China).
FIRST_DAY: Final = dt.date(1949, 10, 1)
_FIRST: Final = dt.datetime(1949, 10, 1, tzinfo=CHINA).astimezone(dt.UTC)


def date_checks(events: pl.DataFrame, family: str, now: dt.datetime) -> Iterator[Check]:
    """Yield the checks of mapped events; `now`: UTC. The reason names `facet.field`."""
    latest = now + CLOCKS_DIFFER
    today = latest.astimezone(CHINA).date()
    ahead = today + TERM_AHEAD
    term = (pl.col("facet") == "decision") if family == "licence" else pl.lit(value=False)
    began = pl.col("effective_from")
    yield _ahead(pl.col("occurred_at") > pl.lit(latest, _TIME), "occurred_at")
    yield _before(pl.col("occurred_at") < pl.lit(_FIRST, _TIME), "occurred_at")
    yield _before(began < FIRST_DAY, "effective_from")
    yield _ahead((began > today) & (~term | (began > ahead)), "effective_from")
    decision = events.get_column("decision", default=None)
    if decision is None or decision.null_count() == len(decision):
        return
    fields = {field.name for field in decision.dtype.fields}
    for name, last in (("valid_from", ahead), ("established_on", today)):
        if name in fields:
            yield _ahead(pl.col("decision").struct.field(name) > last, name)


def _ahead(wrong: pl.Expr, name: str) -> Check:
    return _check("date_in_future", wrong, name)


def _before(wrong: pl.Expr, name: str) -> Check:
    return _check("date_too_early", wrong, name)


def _check(code: str, wrong: pl.Expr, name: str) -> Check:
    where = pl.format(f"{code}:{{}}.{{}}", pl.col("facet"), pl.lit(name))
    return wrong.fill_null(value=False), where
