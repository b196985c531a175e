"""Records that say a licence or a registration is lost, and which one they may mean. Pure.

Exports key a licence by its decision document: issue, change and revocation are records of their
own, with numbers and names as they were typed, or without. What is not in good standing stops every
licence of the same enterprise and organ that it cannot be told apart from, unless it is older.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from typing import Final

from flows.answer.ending import ending
from flows.answer.facts import Row
from flows.answer.naming import (
    alike,
    is_certificate,
    is_of_decision,
    same_document,
    same_number,
    squash,
    stands_in,
)
from flows.clock import CHINA
from schemas.facets import FAR
from schemas.folding import fold_text

#: What takes a licence away against its holder's will: said of an older document of it, after the
#: newer one came, it is said of the licence. An old document is cancelled whenever it is renewed.
AGAINST: Final = ("revoked", "annulled", "suspended")
#: What ends a licence for good.
TAKEN: Final = ("revoked", "annulled")
#: Where one licence's record may name another's number.
_TEXTS: Final = ("scope", "document_name", "name", "remarks")
_ENOUGH: Final = 6
#: What is needed of a row, by family.
COLUMNS: Final = {
    "licence": (
        *("record_key", "publisher", "issuer", "issuer_name", "unusable_reason", "state"),
        *("number", "document_number", "document_name", "name", "type_code", "identifier"),
        *("scope", "remarks", "effective_from", "valid_from", "valid_to", "occurred_at"),
        *("standing_event_id", "last_landed_at"),
    ),
    "registration": (
        *("record_key", "unusable_reason", "state", "effective_from", "valid_from"),
        *("valid_to", "occurred_at", "standing_event_id", "last_landed_at"),
    ),
}


def is_lost(row: Row, good: Collection[str], on: dt.date) -> bool:
    """Return whether a record itself says that it is not in good standing, or may say so."""
    unusable = row["unusable_reason"]
    if unusable in ("conflicted", "annulled"):
        return True
    if unusable not in (None, "undecided"):
        return False
    if row["state"] == "not_yet_valid":
        begins = row.get("valid_from")
        return begins is not None and begins > on + FAR
    return row["state"] not in good or ending(row) is not None


def begun(row: Row, on: dt.date) -> dt.date:
    """Return since when a record may be relied on: the day of its decision, else its beginning."""
    return next((day for day in _days(row) if day <= on), dt.date.min)


def spoken(row: Row, on: dt.date) -> dt.date:
    """Return since when a record speaks against a licence: the latest of its days.

    The day of its state is one of them, where that takes a licence away. A record without any, or
    with one yet to come, is taken for the newest.
    """
    days = [*_days(row)]
    if row["state"] in AGAINST and row["standing_from"] is not None:
        days.append(row["standing_from"])
    return max(days) if days and max(days) <= on else dt.date.max


def _days(row: Row) -> Iterable[dt.date]:
    decided = row.get("occurred_at")
    if decided is not None:
        yield decided.astimezone(CHINA).date()
    for name in ("effective_from", "valid_from"):
        if row.get(name) is not None:
            yield row[name]


def is_later(lost: Row, row: Row, on: dt.date) -> bool:
    """Return whether what a record says against a licence is not older than the licence's record.

    A change of the licence's record that was landed later (a remark, a name) takes nothing back.
    """
    day, term = spoken(lost, on), row.get("valid_from")
    if day >= begun(row, on):
        return True
    # A licence is granted anew with a new term: a change of the old one takes nothing back.
    if lost["state"] in TAKEN and term is not None and term <= day:
        return True
    said, relied = lost.get("last_landed_at"), row.get("first_landed_at")
    stated = lost.get("standing_event_id") is not None and lost["state"] in AGAINST
    return stated and said is not None and relied is not None and said > relied


def may_mean(lost: Row, row: Row, family: str, rows: Iterable[Row]) -> bool:
    """Return whether a lost record cannot be told apart from one that would be relied on.

    `rows`: all of the family; a lost record whose decision is not known is told apart by the number
    of its document, where another record bears it. An enterprise has one registration.
    """
    if family == "registration":
        return True
    if lost["publisher"] is None:
        return _undecided(lost, row, rows)
    number, relied = _number(lost), _number(row)
    if is_of_decision(number) and not is_of_decision(relied):
        number = None
    if same_number(number, relied):
        return _same_organ(lost, row) or len(squash(relied)) >= _ENOUGH
    if not _same_organ(lost, row):
        return False
    if number and same_number(number, row.get("document_number")):
        return True
    if relied and any(stands_in(relied, squash(lost.get(name))) for name in _TEXTS):
        return True
    return not (number and relied) and _alike(lost, row)


def may_change(other: Row, row: Row, family: str, rows: Iterable[Row]) -> bool:
    """Return whether a document without a number of the licence may change one, or one without."""
    told = family != "licence" or (_number(other) and _number(row))
    return not told and may_mean(other, row, family, rows)


def _number(row: Row) -> str | None:
    """Return a licence's number; the number of a document that speaks of it is not its own.

    A text without a digit (待定, 原编号) is none.
    """
    number = row.get("number")
    if number is None or not any(map(str.isdigit, squash(number))):
        return None
    return None if squash(number) == squash(row.get("document_number")) else number


def _alike(lost: Row, row: Row) -> bool:
    """Return whether documents of which one lacks the licence's number may mean one licence."""
    for column in ("document_number", "identifier", "type_code"):
        if same_document(lost.get(column), row.get(column)):
            return True
    names = lost.get("name"), row.get("name")
    return alike(*names) or not all(is_certificate(name) for name in names)


def _same_organ(one: Row, other: Row) -> bool:
    if one["publisher"] is not None and one["publisher"] == other["publisher"]:
        return True
    if one["issuer"] and fold_text(one["issuer"]) == fold_text(other["issuer"] or ""):
        return True
    named = one.get("issuer_name")
    return bool(named) and fold_text(str(named)) == fold_text(other.get("issuer_name") or "")


def _undecided(lost: Row, row: Row, rows: Iterable[Row]) -> bool:
    """The key of a record begins with its organ, and ends with what names the document."""
    organ, _, document = lost["record_key"].partition("/")
    if organ != row["record_key"].partition("/")[0] and fold_text(organ) != fold_text(
        row["issuer"] or ""
    ):
        return False
    wanted = squash(document)
    bearing = [one for one in rows if one is not lost and wanted in _documents(one)]
    return not wanted or not bearing or any(one is row for one in bearing)


def _documents(row: Row) -> tuple[str, ...]:
    key = row["record_key"].partition("/")[2]
    return squash(key), squash(row.get("document_number")), squash(row.get("number"))
