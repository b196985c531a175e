"""Excel's numbers and dates as text, as the sender sees them."""

from datetime import datetime, time
from decimal import Decimal
from math import isfinite

from openpyxl.utils.datetime import from_excel

_EXACT = 10**15  # Excel keeps 15 digits: of a longer number the last ones are gone


def number_text(text: str) -> tuple[str, bool]:
    """Give a stored number as a plain decimal, and whether it lost digits.

    It has no more than the 15 digits Excel keeps, and no `.0`. A whole number that was longer,
    such as a code typed into a cell of numbers, stays in the form in which Excel shows it
    (`9.12308031297498E+17`), so that nobody takes it for the code.
    """
    if len(text) <= 15 and text.isdecimal():
        return text, False
    try:
        number = float(text)
    except ValueError:
        return text, False
    if abs(number) >= _EXACT and (not isfinite(number) or number.is_integer()):
        return f"{number:.14E}", True
    return f"{Decimal(f'{number:.15g}'):f}", False


def date_text(text: str, epoch: datetime) -> str:
    """Give a stored day number as `2018-05-01`, `2018-05-01 08:30:00` or `08:30:00`."""
    try:
        value = from_excel(float(text), epoch)
    except (ValueError, OverflowError):  # before 1900: Excel shows ##### for it
        return number_text(text)[0]
    if isinstance(value, datetime):
        midnight = value.time() == time()
        return value.date().isoformat() if midnight else value.isoformat(" ", "seconds")
    return str(value)
