"""The answer to one question about credit records: yes or no, never a record. Pure."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Final

from flows.answer.facts import Facts, Row, source_state
from flows.answer.stopping import said_by, tells_a_kind
from flows.answer.verdict import Verdict
from schemas import penalty_words
from schemas.catalogue.grammar import Bar, CreditEvidence
from schemas.chinese_numbers import fine_in_text, is_multiple, yuan_in_text

#: A credit record with one of these is neither shown nor counted (NDRC Order 36 art. 3).
UNCOUNTED: Final = ("withdrawn", "repaired", "annulled", "publication_ended", "undecided")
_FINED_AMOUNT: Final = re.compile(penalty_words.FINED_AMOUNT)


def check_credit(evidence: CreditEvidence, facts: Facts) -> Verdict:
    """Answer the question alone: no record is shown, whatever it says.

    What contradicts itself is no clean answer, whichever of its contents bars.
    """
    source = source_state(evidence, facts)
    counted = [
        row
        for row in facts.of("credit")
        if row["publisher"] in evidence.sources and row["unusable_reason"] not in UNCOUNTED
    ]
    barring = [row for row in counted if any(_bars(bar, row, facts.on) for bar in evidence.bars)]
    if any(row["unusable_reason"] is None and row["objection"] is None for row in barring):
        return Verdict("barred", None, source)
    if any(row["unusable_reason"] == "conflicted" for row in counted):
        return Verdict("conflicted", None, source)
    if barring:
        return Verdict("objection", None, source)
    return Verdict(source.fault, None, source)


def _bars(bar: Bar, row: Row, on: dt.date) -> bool:
    return (
        row["kind"] == bar.kind and _recent(bar, row, on) and (_says(bar, row) or _fined(bar, row))
    )


def _recent(bar: Bar, row: Row, on: dt.date) -> bool:
    decided = row["effective_from"]
    return bar.within is None or decided is None or decided >= on - bar.within


def _says(bar: Bar, row: Row) -> bool:
    """A penalty whose kind is not told may be of any kind, a listing without a code on any list."""
    if bar.fine_from is not None and not (bar.categories or bar.severities):
        return False
    said = said_by(row)
    wanted = [word for category in bar.categories for word in penalty_words.alike(category)]
    kinds = not wanted or not tells_a_kind(said) or any(word in said for word in wanted)
    lists = not bar.lists or row["list_code"] is None or row["list_code"] in bar.lists
    return kinds and lists and (not bar.severities or row["severity"] in bar.severities)


def _fined(bar: Bar, row: Row) -> bool:
    if bar.fine_from is None:
        return False
    said, content = said_by(row), row["penalty_content"]
    if row["fine_yuan"]:
        called = any(word in said for word in penalty_words.FINED)
        if called and is_rate(content):
            return True
        return bool(max(row["fine_yuan"], fine_beside(content) or 0) >= bar.fine_from)
    if not may_be_fine(said):
        return False
    fine = fine_in_words(content)
    return fine is None or fine >= bar.fine_from


def may_be_fine(said: str) -> bool:
    """Return whether a penalty without an amount may be a fine, by what it says (`said_by`)."""
    if not tells_a_kind(said) or any(word in said for word in penalty_words.FINED):
        return True
    if _FINED_AMOUNT.search(said) is not None:
        return True
    amount = any(sign in said for sign in penalty_words.AMOUNTS)
    return amount and penalty_words.CONFISCATED not in said


def fine_beside(content: str | None) -> Decimal | None:
    """Return the fine, in yuan, that a content names beside its column: the greater one counts."""
    return fine_in_text(content) if content else None


def is_rate(content: str | None) -> bool:
    """Return whether a content tells the fine as a multiple of what it does not name, or by the day.

    A sum in the column beside it may be one of its parts or days: in doubt it may be any.
    """
    return content is not None and is_multiple(content)


def fine_in_words(content: str | None) -> Decimal | None:
    """Return the fine, in yuan, that a penalty's content names; None: it may be any."""
    return yuan_in_text(content) if content else None
