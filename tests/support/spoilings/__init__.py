"""What may go wrong with an installation, a file for each of its parts."""

from tests.support.spoilings import log, publishers, receipts, replica, settled, shipped
from tests.support.spoilings.changes import SPOILINGS, Spoiling

__all__ = [
    "SPOILINGS",
    "Spoiling",
    "log",
    "publishers",
    "receipts",
    "replica",
    "settled",
    "shipped",
]
