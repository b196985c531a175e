"""A decision as plain JSON values, with its words in both languages. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from flows.answer.decide import Decision
from flows.answer.words import NO_TITLES, OUTCOMES, STATES, layout_name, why
from schemas.catalogue.grammar import Catalogue, Rule
from schemas.dialect import Words
from schemas.publishers import PublishersTable


def paper(
    one: Decision,
    found: Catalogue,
    table: PublishersTable,
    titles: Mapping[str, Words] = NO_TITLES,
) -> dict[str, Any]:
    """Return the decision on one paper; times are UTC, days are China's, both ISO 8601.

    `titles`: the layouts' titles by id (`flows.answer.words`).
    """
    rule = found.rules[one.rule] if one.rule is not None else None
    publisher = table.publishers.get(one.source or "")
    return {
        "material": one.material,
        "name": found.materials[one.material].name.both,
        "necessity": one.necessity,
        "outcome": one.outcome,
        "outcome_words": OUTCOMES[one.outcome].both,
        "reason": one.reason,
        "why": why(one, found, table, titles).both,
        "evidence": one.evidence,
        "rule": _rule(rule) if rule is not None else None,
        "record": plain(one.record),
        "fields": plain(one.fields),
        "stopped": _stopped(one),
        "source": one.source,
        "source_name": publisher.name.both if publisher else None,
        "layout_name": layout_name(one.source, one.layout, table, titles),
        "complete_through": one.through.isoformat() if one.through else None,
        "due": one.due.isoformat() if one.due else None,
    }


def _stopped(one: Decision) -> dict[str, Any] | None:
    """Return what became of what cannot be accepted, since when, by whom, and by which decision."""
    if one.reason != "stopped":
        return None
    state = one.state if one.state is not None and one.state in STATES else "other"
    return {
        "state": state,
        "state_words": STATES[state].both,
        "since": one.since.isoformat() if one.since else None,
        "by": one.by,
        "document": one.document,
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "law": rule.law.both,
        "article": rule.article,
        "says": rule.says.both,
        "source": rule.source,
    }


def plain(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a record's columns as JSON values; a decimal is a text, so that nothing is rounded."""
    return None if values is None else {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
