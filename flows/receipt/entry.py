"""What a receipt says: who asked what, what was known, and what was answered. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from flows.answer.at_window import Known
from flows.answer.decide import Decision, decide
from flows.answer.facts import Facts
from flows.answer.form import Filled, prefill
from schemas.catalogue.grammar import Catalogue
from schemas.dialect import Words

#: `answer`: papers decided and a form filled; `refusal`: no right to ask; `look`: uses looked at;
#: `search`: enterprises found by a name; `key`: a new key.
Kind = Literal["answer", "refusal", "look", "search", "key"]
_EVENTS: Final = ("decision_event_id", "standing_event_id")


@dataclass(frozen=True)
class Asker:
    """Who asks: the clerk's account and the departments it acts for (ids of the catalogue)."""

    clerk: str
    departments: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """What is asked: of which enterprise, for which matters (of one bundle), about which day.

    `on` is a day in China, None today; `known_at` a time (UTC), None now.
    """

    subject: str
    matters: list[str]
    bundle: str | None = None
    on: dt.date | None = None
    known_at: dt.datetime | None = None


@dataclass(frozen=True)
class Decided:
    """What came of a question: the decisions by matter, and the forms' fields by matter."""

    answers: Mapping[str, list[Decision]]
    forms: Mapping[str, list[Filled]]


def decide_all(found: Catalogue, question: Question, facts: Facts) -> Decided:
    """Return the decisions on each matter's papers, and its form."""
    codes = question.matters
    return Decided(
        {code: decide(found, code, facts) for code in codes},
        {code: prefill(found, code, question.subject, facts) for code in codes},
    )


def answer_body(
    asker: Asker,
    question: Question,
    purposes: list[str],
    known: Known,
    rules: str,
    decided: Decided,
    version: str,
) -> dict[str, Any]:
    """Return the entry of an answer; `rules`: digest of the rule book it was decided by.

    `landed_through`: everything published before it was known; null for a question about the past.
    Times are UTC, days China's, both ISO 8601.
    """
    return _body("answer", asker, question, purposes, version) | {
        "on": known.facts.on.isoformat(),
        "asked_at": known.facts.asked_at.isoformat(),
        "known": {family: at.isoformat() for family, at in sorted(known.landed.items())},
        "landed_through": known.through.isoformat() if known.through else None,
        "rules": rules,
        "answers": summary(decided),
    }


def refusal_body(
    asker: Asker, question: Question, purposes: list[str], why: Words, version: str
) -> dict[str, Any]:
    """Return the entry of a refusal for want of a right; `why`: what is lacking."""
    return _body("refusal", asker, question, purposes, version) | {"why": why.model_dump()}


def look_body(asker: Asker, subject: str, shown: list[str], version: str) -> dict[str, Any]:
    """Return the entry of a look at an enterprise's uses; `shown`: the ids of the receipts shown."""
    question = Question(subject, [])
    return _body("look", asker, question, [], version) | {"shown": shown}


def search_body(asker: Asker, found: list[str], version: str) -> dict[str, Any]:
    """Return the entry of a search by name; `found`: the codes that were shown.

    Its subject is the empty text: it is about none alone. What was typed may name a person, and is
    not kept.
    """
    return _body("search", asker, Question("", []), [], version) | {"found": found}


def summary(decided: Decided) -> list[dict[str, Any]]:
    """Return what was decided, and the events it rests on, without any record's content."""
    return [
        {
            "matter": matter,
            "papers": [_paper(one) for one in decisions],
            "form": [_field(one) for one in decided.forms[matter]],
        }
        for matter, decisions in decided.answers.items()
    ]


def _field(one: Filled) -> dict[str, Any]:
    return {
        "field": one.id,
        "evidence": one.evidence,
        "reason": one.reason,
        "records": [*one.events],
    }


def _paper(one: Decision) -> dict[str, Any]:
    record = one.record or {}
    return {
        "material": one.material,
        "outcome": one.outcome,
        "reason": one.reason,
        "evidence": one.evidence,
        "rule": one.rule,
        "source": one.source,
        "through": one.through.isoformat() if one.through else None,
        "due": one.due.isoformat() if one.due else None,
        "records": [record[name] for name in _EVENTS if record.get(name) is not None],
    }


def _body(
    kind: Kind, asker: Asker, question: Question, purposes: list[str], version: str
) -> dict[str, Any]:
    return {
        "kind": kind,
        "version": version,
        "who": {"clerk": asker.clerk, "departments": [*asker.departments]},
        "subject": question.subject,
        "matters": question.matters,
        "bundle": question.bundle,
        "purposes": purposes,
    }
