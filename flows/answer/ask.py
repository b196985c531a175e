"""Asking: the facts of one enterprise out of the lake, and the decision on each paper."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from connectors.errors import MiantiError
from connectors.heartbeat import has_log, held_through
from connectors.settings import Settings
from flows.answer.decide import Decision, decide
from flows.answer.facts import Facts, Row
from flows.answer.periods import listed, newest_landed
from flows.answer.told import paper
from flows.catalogue import catalogue
from flows.clock import CHINA, earliest
from flows.complete import said
from flows.fold import whole
from flows.query import versions
from flows.stated import Source
from schemas import contract
from schemas.avro import FAMILIES
from schemas.bucket import bucket
from schemas.catalogue.grammar import Catalogue
from schemas.dialect import Words
from schemas.facets import DECISION
from schemas.identifiers import uscc
from schemas.names_held import NAME_FIELDS, digest_of_name
from schemas.publishers import PublishersTable


class UnknownMatter(MiantiError):
    """The catalogue has no such matter or bundle."""


class BadSubject(MiantiError):
    """What was typed is no unified social credit code."""


@dataclass(frozen=True)
class Answer:
    """The decisions on one matter's papers for one enterprise.

    `on` is a day in China, `asked_at` (UTC) the time at which it was known. `landed_through` (UTC):
    everything published before it was counted; None where that is not known, as for the past.
    """

    subject: str
    matter: str
    on: dt.date
    asked_at: dt.datetime
    decisions: list[Decision]
    landed_through: dt.datetime | None = None


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
    matters = matters_of(found, code)
    who = checked_subject(subject)
    through = None if known_at else landed_through(settings)  # before any record is read
    facts = gather(settings, who, on, known_at)
    day, asked_at = facts.on, facts.asked_at
    return [Answer(who, one, day, asked_at, decide(found, one, facts), through) for one in matters]


def landed_through(settings: Settings) -> dt.datetime | None:
    """Return the time (UTC) through which all families with a log were landed; None: not known."""
    logs = [family for family in FAMILIES if has_log(settings, family)]
    return earliest(held_through(settings, family) for family in logs)


def gather(
    settings: Settings, subject: str, on: dt.date | None, known_at: dt.datetime | None
) -> Facts:
    """Return what was known of an enterprise at a time (UTC) about a day (China).

    Without a time everything landed counts: `landed_at` never falls, so that after a clock that
    ran ahead it may lie in the future.
    """
    asked_at = known_at or dt.datetime.now(dt.UTC)
    day = on or asked_at.astimezone(CHINA).date()
    facts = gather_known(settings, subject, day, asked_at, dict.fromkeys(FAMILIES, known_at))
    wanted = listed(catalogue(settings.mianti_catalogue))
    return replace(facts, newest=newest_landed(settings, wanted, day, known_at))


def gather_known(
    settings: Settings,
    subject: str,
    on: dt.date,
    asked_at: dt.datetime,
    known: Mapping[str, dt.datetime | None],
    codes: list[str] | None = None,
) -> Facts:
    """Return the same with what was landed of each family by a time of its own (None: all).

    `codes`: who may state completeness, where not the publishers of today. Which lists are the
    newest (`flows.answer.periods`) is left to the caller, whose catalogue says which are asked for.
    """
    number = pl.select(bucket(pl.lit(subject))).item()
    rows: dict[str, list[Row]] = {}
    names: set[str] = set()
    # Before any record: a source that was complete by then had landed what it speaks of.
    told = said(settings, known, codes)
    for family, known_at in known.items():
        mine = versions(settings, family, [number]).filter(pl.col("subject") == subject)
        rows[family] = [*whole(mine, family, on, known_at).iter_rows(named=True)]
        names |= {*names_of(mine, family, known_at)["digest"]}
    held, issuers = told.holding(subject, frozenset(names)), rights(settings)
    return Facts(on, asked_at, rows, told.through, cycles(settings), held, rights=issuers)


def names_of(versions: pl.DataFrame, family: str, known_at: dt.datetime | None) -> pl.DataFrame:
    """Return `subject` and the `digest` of each name that was landed of it by a time (UTC)."""
    known = versions if known_at is None else versions.filter(pl.col("landed_at") <= known_at)
    name = pl.col(DECISION).struct.field(NAME_FIELDS[family])
    found = known.select("subject", name=name).drop_nulls().unique()
    return found.select("subject", digest=digest_of_name(pl.col("name"))).drop_nulls().unique()


def cycles(settings: Settings) -> dict[str, dt.timedelta]:
    """Return how often each publisher promised to publish."""
    table = contract.publishers(settings.mianti_publishers).publishers
    return {id_: publisher.cycle for id_, publisher in table.items()}


def layout_titles(settings: Settings) -> dict[str, Words]:
    """Return the titles of all layouts by id. Raises schemas.contract.BadContract."""
    return {id_: one.title for id_, one in contract.dialects(settings.mianti_dialects).items()}


def rights(settings: Settings) -> dict[Source, str]:
    """Return, by publisher and family, a regular expression of the issuers it may speak for."""
    return rights_of(contract.publishers(settings.mianti_publishers))


def rights_of(table: PublishersTable) -> dict[Source, str]:
    """Return the same of a publishers' table."""
    return {
        (id_, family): its.issuer_pattern()
        for id_, publisher in table.publishers.items()
        for family, its in publisher.families.items()
    }


def checked_subject(text: str) -> str:
    """Return a unified social credit code as it is written. Raises BadSubject."""
    code = "".join(unicodedata.normalize("NFKC", text).split()).upper()
    if uscc.is_valid(code):
        return code
    # Whatever was typed may be a person's number: it is not repeated.
    raise BadSubject(
        "This is no unified social credit code: 18 characters, the last a check digit. Look for "
        "a mistyped character.",
        "输入的不是有效的统一社会信用代码（18 位，末位为校验码），请检查录入。",
    )


def matters_of(found: Catalogue, code: str) -> list[str]:
    """Return the matters of a bundle, or the one matter of that code. Raises UnknownMatter."""
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
    table, titles = contract.publishers(settings.mianti_publishers), layout_titles(settings)
    return {
        "subject": answer.subject,
        "matter": answer.matter,
        "name": found.matters[answer.matter].name.model_dump(),
        "on": answer.on.isoformat(),
        "known_at": answer.asked_at.isoformat(),
        "landed_through": answer.landed_through.isoformat() if answer.landed_through else None,
        "papers": [paper(one, found, table, titles) for one in answer.decisions],
    }
