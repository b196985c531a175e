"""Penalties that stop a licence (双公示 CF_NR_ZKDX), before its issuer says so itself. Pure.

Withdrawing or annulling the penalty lifts it; repairing the credit record does not: a revoked
licence stays revoked. One that only suspends ends with its own last day. What is doubtful stops.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from typing import Final

from flows.answer.facts import Facts, Row

_OVER: Final = ("withdrawn", "annulled")
#: Words of 行政处罚法 art. 9.
_SUSPENDS, _LASTING = "暂扣", ("吊销", "降低")
#: What a penalty calls the entry in the register of market entities.
_BUSINESS_LICENCE: Final = "营业执照"
_BRACKETS: Final = str.maketrans("〔〕【】{}（）()", "[][][][][]")


def stopped_by(row: Row, family: str, facts: Facts) -> Row | None:
    """Return the newest penalty that suspends or revokes a licence or a registration."""
    found = [penalty for penalty in facts.of("credit") if _stops(penalty, row, family, facts)]
    return max(found, key=lambda penalty: penalty["effective_from"] or dt.date.min, default=None)


def folded(text: str) -> str:
    """Return a name or a number as it is compared: one width, no blanks, one kind of bracket."""
    plain = unicodedata.normalize("NFKC", text).translate(_BRACKETS)
    return "".join(plain.split()).casefold()


def _stops(penalty: Row, row: Row, family: str, facts: Facts) -> bool:
    if penalty["unusable_reason"] in _OVER:
        return False
    content = penalty["penalty_content"] or ""
    words = (_SUSPENDS, *_LASTING)
    named = penalty["licences_affected"] or (content if any(w in content for w in words) else "")
    if not named:
        return False
    said = "".join([*(penalty["categories"] or []), content, named])
    only_suspends = _SUSPENDS in said and not any(word in said for word in _LASTING)
    ended = penalty["valid_to"] is not None and penalty["valid_to"] < facts.on
    if only_suspends and ended and penalty["unusable_reason"] != "conflicted":
        return False
    return _names(folded(named), row, family, facts)


def _names(text: str, row: Row, family: str, facts: Facts) -> bool:
    """By one of its numbers; else by its name, where no number of another of that name stands."""
    if any(number in text for number in _numbers(row, family)):
        return True
    name = _BUSINESS_LICENCE if family == "registration" else row["name"]
    if not name or folded(name) not in text:
        return False
    if family == "registration":
        return True
    others = [one for one in facts.of(family) if one["name"] == row["name"]]
    return not any(number in text for one in others for number in _numbers(one, family))


def _numbers(row: Row, family: str) -> list[str]:
    columns: tuple[str, ...] = ("number", "document_number", "identifier")
    if family == "registration":
        columns = ("subject", "registration_number")
    return [folded(row[column]) for column in columns if row[column]]
