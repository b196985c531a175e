"""The newest list of grades that a publisher has made public, of anybody.

A grade holds by the newest list there is: whoever is not on it does not hold the grade.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final

import polars as pl

from connectors import lake
from connectors.settings import Settings
from flows.log import ACCEPTED
from flows.stated import Pair
from schemas.catalogue.grammar import Catalogue, FieldEvidence
from schemas.years import years_in

_FAMILY: Final = "credit"


def listed(found: Catalogue) -> frozenset[Pair]:
    """Return the publishers and layouts of which a catalogue wants the newest list."""
    return frozenset(
        (publisher, layout)
        for one in found.evidence.values()
        if isinstance(one, FieldEvidence) and one.period_years is not None
        for publisher, layouts in one.sources.items()
        for layout in layouts
    )


def newest(periods: Iterable[tuple[str, str, str]], on: dt.date) -> dict[Pair, int]:
    """Return the newest year by publisher and layout of (publisher, layout, period).

    Not beyond the year of `on`: a year yet to come is a slip of the pen.
    """
    found: dict[Pair, int] = {}
    for publisher, layout, period in periods:
        pair = publisher, layout
        for year in years_in(period):
            if year <= on.year:
                found[pair] = max(found.get(pair, 0), year)
    return found


def newest_landed(
    settings: Settings, pairs: frozenset[Pair], on: dt.date, known_at: dt.datetime | None
) -> dict[Pair, int]:
    """Return the same of what was landed by a time (UTC; None: all), for some pairs."""
    log = lake.open_table(settings, "log", _FAMILY) if pairs else None
    if log is None:
        return {}
    decision = pl.col("decision").struct
    rows = (
        lake.scan(log)
        .filter(
            pl.col("verdict") == ACCEPTED,
            pl.col("publisher").is_in([publisher for publisher, _ in pairs]),
            pl.col("layout").is_in([layout for _, layout in pairs]),
            pl.lit(value=True) if known_at is None else pl.col("landed_at") <= known_at,
        )
        .select("publisher", "layout", decision.field("kind"), decision.field("period"))
        .filter(pl.col("kind") == "grade", pl.col("period").is_not_null())
        .select("publisher", "layout", "period")
        .unique()
        .collect()
    )
    return newest(rows.iter_rows(), on)
