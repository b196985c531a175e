"""What the sample's three exports have in common: rows, and what is to be known of a layout."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

#: A sample of fewer rows cannot hold every fault.
FEWEST_ROWS: Final = 50
Row = dict[str, str | date]


@dataclass(frozen=True)
class Shape:
    """Which of a layout's columns a fault goes into; None where it has no such column."""

    subject: str
    issuer: str
    text: str
    day: str
    no_code: str = ""
    state: str | None = None
    amount: str | None = None


@dataclass(frozen=True)
class Export:
    """Who exports what: ids of the publishers' table, the organ, and how its CSV is encoded."""

    publisher: str
    layout: str
    organ: str
    organ_code: str
    shape: Shape
    encoding: str = "utf-8-sig"
