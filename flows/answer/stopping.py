"""Penalties that stop a licence (双公示 CF_NR_ZKDX), before its issuer says so itself. Pure.

Withdrawing or annulling the penalty lifts it; repairing the credit record does not: a revoked
licence stays revoked. One that only suspends ends with its own last day. What is doubtful stops: a
penalty whose kind is not told may be of any kind, and one that takes a certificate without saying
which may take any.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, Final

from flows.answer.facts import Facts, Row
from flows.answer.lost import begun
from flows.answer.naming import (
    BUSINESS_LICENCE,
    alike,
    certificates_in,
    core,
    is_certificate,
    spellings,
    squash,
    stands_in,
)
from flows.answer.term import last_day
from schemas import penalty_words as words
from schemas.folding import told_text
from schemas.wording import worded

_OVER: Final = ("withdrawn", "annulled", "undecided")
#: The columns in which a penalty may tell its kind.
TELLING: Final = ("categories", "penalty_content", "licences_affected", "remarks", "title")
#: The columns that tell what was done, and so may tell what had become of a licence before.
FACTS: Final = ("violation_type", "facts")
_ENDED_BEFORE: Final = re.compile(words.ENDED_BEFORE)
#: A code of a list that the layout does not have: no word of it can be looked for.
_CODE: Final = re.compile("^[0-9A-Z]{1,2}$")
_CLAUSES: Final = re.compile("[,;。:!?]")
#: What one text takes, one by one; what is a heading of it; and what is only brought then.
_PARTS: Final = re.compile("(?<=[:])|[,;。!?、]|以及|及|和|与|并(?!处)")
_HEADING: Final = re.compile(":$")
_BROUGHT: Final = re.compile("交回|缴回|收缴|缴销|收回|追缴")
#: Certificates that are taken with those named: 吊销道路运输经营许可证等相关许可证.
_AND_OTHERS: Final = re.compile(
    "(?:等[0-9一二两三四五六七八九十]*[项个本张种]?|及?其[他它]|以及)(?:相关|有关|各类|所有|全部|一切)*(?:行政)?(?:许可|资质|资格|证)"
)
#: All certificates, whatever is named beside: 吊销其持有的全部许可证.
_EVERY: Final = re.compile("(?:全部|所有|一切|各类)的?(?:相关|有关|行政)*(?:许可|资质|资格|证)")
_ANY: Final = re.compile("等|其他|其它|一切|各类|相应|对应|所有")
#: What may be a number of a document, and no amount, year or number of days.
_NUMBER: Final = re.compile("[0-9]{4,}(?![0-9]|万|元|年|天|日|个月)")
#: How a row of each family is numbered.
NUMBERS: Final = {
    "licence": ("number", "document_number", "identifier"),
    "registration": ("subject", "registration_number"),
}


def stopped_by(row: Row, family: str, facts: Facts) -> Row | None:
    """Return the newest penalty that suspends or revokes a licence or a registration."""
    found = [penalty for penalty in facts.of("credit") if _stops(penalty, row, family, facts)]
    return max(found, key=lambda penalty: penalty["effective_from"] or dt.date.min, default=None)


def stop_of(penalty: Row) -> dict[str, Any]:
    """Return what a verdict tells of a penalty that stops a licence."""
    said = said_by(penalty)
    only_suspends = _any(said, words.SUSPENDING) and not _any(said, words.LASTING)
    return {
        "by": penalty["issuer_name"] or penalty["issuer"],
        "state": "suspended" if only_suspends else "revoked",
        "since": penalty["effective_from"],
        "document": penalty["document_number"],
    }


def said_by(penalty: Row) -> str:
    """Return all that a penalty tells of its kind, folded, without what tells nothing."""
    told = [*(penalty["categories"] or []), *(penalty[name] for name in TELLING[1:])]
    said = worded("。".join(text for text in told if text))
    for one, parted in words.PARTED.items():
        said = said.replace(one, parted)
    for empty in words.EMPTY:
        said = said.replace(empty, "")
    return said


def tells_a_kind(said: str) -> bool:
    """Return whether a text (`said_by`) tells of what kind a penalty is: 其他, 详见决定书, 4 do not."""
    return any(word in said for word in words.TELLING)


def _stops(penalty: Row, row: Row, family: str, facts: Facts) -> bool:
    if penalty["unusable_reason"] in _OVER or penalty["kind"] not in ("penalty", None):
        return False
    if family == "licence" and _had_ended(penalty, row, facts):
        return True
    affected, said = _told(penalty["licences_affected"]), said_by(penalty)
    if not affected and tells_a_kind(said) and not _any(said, words.STOPPING):
        return False
    only_suspends = _any(said, words.SUSPENDING) and not _any(said, words.LASTING)
    until_mended = _any(said, words.UNTIL_MENDED)
    if only_suspends and not until_mended and _has_ended(penalty, said, facts.on):
        return False
    return _names(penalty, affected, said, row, family, facts)


def _had_ended(penalty: Row, row: Row, facts: Facts) -> bool:
    """Return whether what was done tells that the licence had been taken: 许可证被吊销后仍经营.

    One that was granted since the decision is another.
    """
    told = "。".join(text for name in FACTS if (text := penalty[name]))
    if not any(word in told for word in words.TAKEN_BEFORE):
        return False
    found = "。".join(one.group() for one in _ENDED_BEFORE.finditer(worded(told)))
    decided = penalty["effective_from"]
    anew = decided is not None and begun(row, facts.on) > decided
    return bool(found) and not anew and _names(penalty, "", found, row, "licence", facts)


def _has_ended(penalty: Row, said: str, on: dt.date) -> bool:
    """Return whether a suspension is over, by its column and by its text.

    An end before the decision is no end that is known.
    """
    begun, end = penalty["effective_from"], penalty["valid_to"]
    known = end is not None and (begun is None or begun <= end)
    if not known or end >= on or penalty["unusable_reason"] == "conflicted":
        return False
    told = last_day(said, words.SUSPENDING, begun)
    return told is None or told < on


def _any(text: str, of: tuple[str, ...]) -> bool:
    return any(word in text for word in of)


def _told(text: str | None) -> str:
    """Return a text folded, empty where it tells nothing: a placeholder, the code of some list."""
    folded = worded(told_text(text))
    return "" if _CODE.match(folded) else folded


def _names(penalty: Row, affected: str, said: str, row: Row, family: str, facts: Facts) -> bool:
    """By one of its numbers, by a name that may be its, or by none at all."""
    squashed = squash(said)
    if any(stands_in(row[column], squashed) for column in NUMBERS[family]):
        return True
    ending = [part for part in _CLAUSES.split(said) if _any(part, words.STOPPING)]
    telling = affected or "".join(ending)
    name = BUSINESS_LICENCE if family == "registration" else row["name"]
    if any(core(one) and alike(one, name) for one in certificates_in(said)):
        same = [one for one in facts.of(family) if one is not row and alike(one.get("name"), name)]
        return family == "registration" or not _of_another(penalty, telling, same)
    named = [one for part in (affected, *ending) for one in certificates_in(part)]
    if any(is_certificate(one) for one in named):
        beside = (text for text in (affected, *_contents(penalty)) if _beside(text, name))
        if next(beside, None) is None:
            return False
        others = [one for one in facts.of("licence") if one is not row]
        return not _of_another(penalty, telling, others)
    told = tells_a_kind(said) and not named
    if not affected and told and not _any(said, words.OF_CERTIFICATES):
        return False
    others = [one for one in facts.of("licence") if one is not row]
    return not _of_another(penalty, telling, others)


def _contents(penalty: Row) -> list[str]:
    """Return what a penalty says, folded, without the list's own words for its kind."""
    return [_told(penalty[name]) for name in TELLING[1:] if name != "licences_affected"]


def _beside(text: str, name: str | None) -> bool:
    """Return whether a text takes a certificate that it does not tell, beside one that it names.

    吊销营业执照、许可证 takes any licence, and 吊销安全生产许可证和资质证书 any qualification. A heading
    (吊销许可证件:) and the order to bring the certificate taken (责令交回证书) name nothing more.
    """
    parts = [part for part in _PARTS.split(text) if not _HEADING.search(part)]
    every = (part for part in parts if _EVERY.search(part) and _any(part, words.STOPPING))
    if any(_may_be(part, name) for part in every):
        return True
    found = [[_ANY.sub("", one) for one in certificates_in(part)] for part in parts]
    if not any(core(one) for of in found for one in of):
        return False
    taking = not any(_any(part, words.STOPPING) for part in parts)
    for part, of in zip(parts, found, strict=True):
        said = _BROUGHT.sub("", part)
        taking = _any(said, words.STOPPING) or (taking and said == part)
        if taking and _AND_OTHERS.search(part) and _may_be(part, name):
            return True
        if taking and of and not any(core(one) for one in of) and _may_be(part, name):
            return True
    return False


def _may_be(said: str, name: str | None) -> bool:
    """Return whether what is said of a certificate without its name fits one with a name."""
    if name is None:
        return True
    if name == BUSINESS_LICENCE:
        return "照" in said
    kinds = [kind for kind in ("许可", "资质", "资格", "执照") if kind in said]
    return not kinds or any(kind in name for kind in kinds)


def _of_another(penalty: Row, telling: str, others: list[Row]) -> bool:
    """Return whether all numbers in a text are those of other licences that were in force then.

    A text that takes others besides (等两证, 及其他全部证照) tells more than its numbers.
    """
    if _AND_OTHERS.search(telling) or _EVERY.search(telling):
        return False
    decided, every = penalty["effective_from"], squash(telling)
    rest = every
    for other in others:
        ended = other["valid_to"] is not None and (decided is None or other["valid_to"] < decided)
        for column in () if ended else NUMBERS["licence"]:
            for number in spellings(other[column]):
                rest = rest.replace(number, " ")
    return rest != every and _NUMBER.search(rest) is None
