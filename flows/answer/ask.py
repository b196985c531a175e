"""Asking: the facts of one enterprise out of the lake, and the decision on each paper."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from connectors.errors import MiantiError
from connectors.settings import Settings
from flows.answer.decide import Decision, decide
from flows.answer.facts import Facts, Row
from flows.answer.words import OUTCOMES, why
from flows.catalogue import catalogue
from flows.clock import CHINA
from flows.complete import stated
from flows.fold import whole
from flows.query import versions
from schemas import contract
from schemas.avro import FAMILIES
from schemas.bucket import bucket
from schemas.catalogue.grammar import Catalogue
from schemas.identifiers import uscc


class UnknownMatter(MiantiError):
    """The catalogue has no such matter or bundle."""


class BadSubject(MiantiError):
    """What was typed is no unified social credit code."""


@dataclass(frozen=True)
class Answer:
    """The decisions on one matter's papers for one enterprise.

    `on` is a day in China, `asked_at` (UTC) the time at which it was known.
    """

    subject: str
    matter: str
    on: dt.date
    asked_at: dt.datetime
    decisions: list[Decision]


def ask(
    settings: Settings,
    subject: str,
    code: str,
    on: dt.date | None = None,
    known_at: dt.datetime | None = None,
) -> list[Answer]:
    """Answer for a matter, or for each matter of a bundle.

    `on` is a day in China, today unless given; `known_at` (UTC) leaves out what was landed later.
    Raises UnknownMatter, BadSubject.
    """
    found = catalogue(settings.mianti_catalogue)
    matters = _matters(found, code)
    who = "".join(subject.split()).upper()
    if not uscc.is_valid(who):
        raise BadSubject(
            f"{subject!r} is no unified social credit code: 18 characters, the last a check digit. "
            "Look for a mistyped character.",
            f"{subject!r} 不是有效的统一社会信用代码（18 位，末位为校验码），请检查录入。",
        )
    facts = gather(settings, who, on, known_at)
    day, asked_at = facts.on, facts.asked_at
    return [Answer(who, one, day, asked_at, decide(found, one, facts)) for one in matters]


def gather(
    settings: Settings, subject: str, on: dt.date | None, known_at: dt.datetime | None
) -> Facts:
    """Return what was known of an enterprise at a time (UTC) about a day (China).

    Without a time everything landed counts: `landed_at` never falls, so that after a clock that
    ran ahead it may lie in the future.
    """
    asked_at = known_at or dt.datetime.now(dt.UTC)
    day = on or asked_at.astimezone(CHINA).date()
    number = pl.select(bucket(pl.lit(subject))).item()
    rows: dict[str, list[Row]] = {}
    complete: dict[tuple[str, str], dt.datetime] = {}
    for family in FAMILIES:
        mine = versions(settings, family, [number]).filter(pl.col("subject") == subject)
        rows[family] = [*whole(mine, family, day, known_at).iter_rows(named=True)]
        said = stated(settings, family, known_at).drop_nulls("complete_through")
        complete |= {(who, layout): through for who, layout, through in said.iter_rows()}
    table = contract.publishers(settings.mianti_publishers).publishers
    cycles = {id_: publisher.cycle for id_, publisher in table.items()}
    return Facts(day, asked_at, rows, complete, cycles)


def _matters(found: Catalogue, code: str) -> list[str]:
    if code in found.bundles:
        return found.bundles[code].matters
    if code in found.matters:
        return [code]
    raise UnknownMatter(
        f"The catalogue has no matter or bundle {code!r}; `mianti catalogue list` has them.",
        f"目录中没有事项或一件事 {code!r}；见 `mianti catalogue list`。",
    )


def as_json(answer: Answer, settings: Settings) -> dict[str, Any]:
    """Return an answer as one JSON object; times are UTC, days are China's."""
    found = catalogue(settings.mianti_catalogue)
    return {
        "subject": answer.subject,
        "matter": answer.matter,
        "name": found.matters[answer.matter].name.model_dump(),
        "on": answer.on.isoformat(),
        "known_at": answer.asked_at.isoformat(),
        "papers": [*_papers(answer, found, settings)],
    }


def _papers(answer: Answer, found: Catalogue, settings: Settings) -> Iterator[dict[str, Any]]:
    table = contract.publishers(settings.mianti_publishers)
    for one in answer.decisions:
        rule = found.rules[one.rule] if one.rule is not None else None
        yield {
            "material": one.material,
            "name": found.materials[one.material].name.model_dump(),
            "necessity": one.necessity,
            "outcome": one.outcome,
            "outcome_words": OUTCOMES[one.outcome].model_dump(),
            "reason": one.reason,
            "why": why(one, found, table).model_dump(),
            "evidence": one.evidence,
            "rule": rule.model_dump() if rule is not None else None,
            "record": _plain(one.record),
            "fields": _plain(one.fields),
            "source": one.source,
            "complete_through": one.through.isoformat() if one.through else None,
            "due": one.due.isoformat() if one.due else None,
        }


def _plain(values: Any) -> dict[str, Any] | None:
    if values is None:
        return None
    return {name: _as_text(value) for name, value in values.items()}


def _as_text(value: Any) -> Any:
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
