"""One notice (一次告知书) of all that is still to be brought, for a matter or several. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flows.answer.decide import EXEMPT, Decision, Outcome
from flows.answer.verdict import LACKING
from flows.answer.words import NO_TITLES, OUTCOMES, why
from schemas.catalogue.grammar import Catalogue, PromiseEvidence
from schemas.dialect import Words
from schemas.publishers import PublishersTable

#: The strictest first.
_STRICT: Final[tuple[Outcome, ...]] = (
    *("not_accepted", "must_bring", "may_follow", "on_promise"),
    *EXEMPT,
)


@dataclass(frozen=True)
class Paper:
    """A paper, once; `matters`: the codes of those that ask for it, exempt ones left out.

    A paper that no matter asks for names all that list it. `optional`: none of those needs it
    (非必要). `due`: the last day (China) it may follow.
    """

    material: str
    name: Words
    matters: tuple[str, ...]
    outcome: Outcome
    why: Words
    optional: bool
    due: dt.date | None = None
    promise: Words | None = None


@dataclass(frozen=True)
class Handled:
    """A matter of the notice; days are working days, None where none is set."""

    code: str
    name: Words
    department: Words
    department_code: str
    legal_days: int | None
    promised_days: int | None


@dataclass(frozen=True)
class Notice:
    """The notice to one enterprise; `on` is a day in China.

    `landed_through` (UTC): everything published before it was known; None where that is not known.
    """

    subject: str
    on: dt.date
    matters: tuple[Handled, ...]
    not_accepted: tuple[Paper, ...]
    to_bring: tuple[Paper, ...]
    may_follow: tuple[Paper, ...]
    to_promise: tuple[Paper, ...]
    not_needed: tuple[Paper, ...]
    landed_through: dt.datetime | None = None


def notice(
    catalogue: Catalogue,
    table: PublishersTable,
    subject: str,
    on: dt.date,
    decided: Mapping[str, Sequence[Decision]],
    landed_through: dt.datetime | None = None,
    titles: Mapping[str, Words] = NO_TITLES,
) -> Notice:
    """Return one notice out of the decisions of each matter, by its code.

    `titles`: the layouts' titles by id (`flows.answer.words`).
    """
    by: dict[str, list[tuple[str, Decision]]] = {}
    for code, decisions in decided.items():
        for one in decisions:
            by.setdefault(one.material, []).append((code, one))
    papers = [_paper(catalogue, table, titles, of) for of in by.values()]

    def group(*outcomes: Outcome) -> tuple[Paper, ...]:
        return tuple(one for one in papers if one.outcome in outcomes)

    return Notice(
        subject=subject,
        on=on,
        matters=tuple(_handled(catalogue, code) for code in decided),
        not_accepted=group("not_accepted"),
        to_bring=group("must_bring"),
        may_follow=group("may_follow"),
        to_promise=group("on_promise"),
        not_needed=group("exempt_by_licence", "exempt_by_data"),
        landed_through=landed_through,
    )


def _paper(
    catalogue: Catalogue,
    table: PublishersTable,
    titles: Mapping[str, Words],
    listed: Sequence[tuple[str, Decision]],
) -> Paper:
    asked = [(code, one) for code, one in listed if one.outcome not in EXEMPT] or listed
    decision = min((one for _, one in asked), key=_strictness)
    evidence = catalogue.evidence.get(decision.evidence or "")
    return Paper(
        material=decision.material,
        name=catalogue.materials[decision.material].name,
        matters=tuple(dict.fromkeys(code for code, _ in asked)),
        outcome=decision.outcome,
        why=why(decision, catalogue, table, titles),
        optional=decision.necessity == "optional",
        due=decision.due,
        promise=evidence.text if isinstance(evidence, PromiseEvidence) else None,
    )


def _strictness(decision: Decision) -> tuple[bool, int, dt.date, bool]:
    """The strictest is the least; what no matter needs asks for less than what one does.

    Of several days the earliest; what speaks against the enterprise before what is lacking.
    """
    return (
        decision.necessity == "optional",
        _STRICT.index(decision.outcome),
        decision.due or dt.date.max,
        decision.reason in LACKING,
    )


def _handled(catalogue: Catalogue, code: str) -> Handled:
    matter = catalogue.matters[code]
    department = catalogue.departments[matter.department]
    return Handled(
        code=code,
        name=matter.name,
        department=department.name,
        department_code=department.code,
        legal_days=matter.legal_days,
        promised_days=matter.promised_days,
    )


def as_json(notice: Notice) -> dict[str, Any]:
    """Return a notice as one JSON object; days are China's, times UTC, texts in both languages."""
    through = notice.landed_through
    return {
        "subject": notice.subject,
        "on": notice.on.isoformat(),
        "landed_through": through.isoformat() if through else None,
        "matters": [_matter(one) for one in notice.matters],
        "not_accepted": [_listed(one) for one in notice.not_accepted],
        "to_bring": [_listed(one) for one in notice.to_bring],
        "may_follow": [_listed(one) for one in notice.may_follow],
        "to_promise": [_listed(one) for one in notice.to_promise],
        "not_needed": [_listed(one) for one in notice.not_needed],
    }


def _matter(one: Handled) -> dict[str, Any]:
    return {
        "code": one.code,
        "name": one.name.both,
        "department": one.department.both,
        "department_code": one.department_code,
        "legal_days": one.legal_days,
        "promised_days": one.promised_days,
    }


def _listed(one: Paper) -> dict[str, Any]:
    return {
        "material": one.material,
        "name": one.name.both,
        "matters": [*one.matters],
        "outcome": one.outcome,
        "outcome_words": OUTCOMES[one.outcome].both,
        "why": one.why.both,
        "optional": one.optional,
        "due": one.due.isoformat() if one.due else None,
        "promise": one.promise.both if one.promise else None,
    }
