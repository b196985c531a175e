"""Excel cells as text, as the sender sees them."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

EXACT = 10**15  # Excel keeps 15 digits: of a longer number the last ones are gone


def lost_digits(value: Any) -> bool:
    """Tell a whole number that is too long for Excel, such as a code that was typed as a number."""
    return type(value) in (int, float) and abs(value) >= EXACT and value == value // 1


def cell_text(value: Any) -> str | None:
    """Give a cell's value as text.

    Dates are ISO (`2018-05-01`, `2018-05-01 08:30:00`), numbers plain decimals with no more
    than the 15 digits Excel keeps and no `.0`; one that lost digits stays in the form in which
    Excel shows it (`9.12E+17`), so that no reader takes it for a code.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return f"{value:.14E}" if lost_digits(value) else _decimal(value)
    if isinstance(value, datetime):
        midnight = value.time() == time()
        return value.date().isoformat() if midnight else value.isoformat(" ", "seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value.total_seconds()) if isinstance(value, timedelta) else str(value)


def _decimal(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{Decimal(f'{value:.15g}'):f}"
