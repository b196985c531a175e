"""Records as landed, of one matter's enterprises, and what both engines decide on their papers."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import polars as pl

from flows.answer.columns.decisions import decisions
from flows.answer.columns.verdicts import verdicts
from flows.answer.decide import EXEMPT, decide
from flows.answer.facts import Facts
from flows.answer.periods import newest
from flows.fold import whole
from flows.fold_rows import whole_rows
from flows.log import history_columns
from schemas.catalogue.grammar import Catalogue
from tests.property.lost_deal import Deal
from tests.support.codes import uscc

ON: Final = dt.date(2026, 5, 4)
NOW: Final = dt.datetime(2026, 5, 4, 2, tzinfo=dt.UTC)
LANDED: Final = NOW - dt.timedelta(days=1)
SUBJECT, ORGAN, POLICE = uscc(1), uscc(7, kind="11"), uscc(8, kind="11")
NAME, NUMBER, OTHER_NAME = "食品经营许可证", "(示)JY〔2023〕000123", "道路运输经营许可证"
BUILDERS: Final = "建筑业企业资质证书"
FIRST: Final = "示许〔2023〕1号"
BEFORE: Final = ("2018-03-01", "2018-03-05", "2023-03-04")
COMPLETE: Final = dict.fromkeys(
    (("food", "list"), ("police", "list"), ("register", "list"), ("tax", "list")), LANDED
)
CYCLES: Final = {id_: dt.timedelta(days=7) for id_, _ in COMPLETE}
FAMILIES: Final = ("registration", "licence", "credit")

Event = dict[str, Any]
Days = tuple[str | None, str | None, str | None]


def words(text: str) -> dict[str, str]:
    return {"en": text, "zh": text}


def catalogue() -> Catalogue:
    """Return one matter: two licences, one of a scope, the register's entry, checks, a grade."""

    def of(kind: str, source: str, **told: Any) -> dict[str, Any]:
        usual = {"kind": kind, "name": words("e"), "rule": "r", "max_age": "P10D"}
        return {**usual, "sources": {source: ["list"]}, **told}

    def check(**bar: Any) -> dict[str, Any]:
        return of("credit_check", "police", question=words("?"), bars=[bar])

    recent: dict[str, Any] = {"kind": "penalty", "within": "P1096D"}
    evidence = {
        "licence": of("licence", "food", certificates=[NAME]),
        "builder": of("licence", "food", certificates=[BUILDERS], scope=["施工总承包"]),
        "entry": of("field", "register", family="registration", fields=["name"]),
        "stop": check(**recent, categories=["责令停产停业"]),
        "fine": check(**recent, fine_from=2_000_000),
        "listed": check(kind="listing", lists=["A01"]),
        "grade": of(
            *("field", "tax"),
            family="credit",
            fields=["grade"],
            where={"grade": ["A"]},
            period_years=2,
        ),
    }
    materials = {
        id_: {"name": words(id_), "origin": "issued", "replaced_by": [id_]} for id_ in evidence
    }
    matter = {
        "name": words("m"),
        "department": "d",
        "purpose": "p",
        "basis": ["r"],
        "materials": [{"material": id_} for id_ in materials],
    }
    purpose = {"name": words("p"), "may_use": [*evidence]}
    department = {"name": words("d"), "code": uscc(9, kind="11"), "purposes": {"p": purpose}}
    made = {"evidence": evidence, "materials": materials}
    return Catalogue.model_validate(
        made | {"matters": {"M": matter}, "departments": {"d": department}}
    )


CATALOGUE: Final = catalogue()


def event(family: str, facet: str, key: str, content: dict[str, Any], **told: Any) -> Event:
    """Return an accepted event, as it was landed."""
    usual: Event = {
        "family": family,
        "publisher": "food",
        "issuer": ORGAN,
        "issuer_name": "示范市市场监督管理局",
        "subject": SUBJECT,
        "record_key": f"{ORGAN}/{key}",
        "facet": facet,
        "sequence": 1,
        "void_ab_initio": "no",
        "layout": "list",
        "landed_at": LANDED,
        facet: content,
    }
    return usual | told


def licence(
    document: str = FIRST,
    state: str = "in_force",
    days: Days = ("2023-03-01", "2023-03-05", "2028-03-04"),
    told: dict[str, Any] | None = None,
    **content: Any,
) -> list[Event]:
    """Return a licence document with its state; `days`: decided, from, to."""
    decided, begins, ends = (dt.date.fromisoformat(day) if day else None for day in days)
    usual: dict[str, Any] = {
        "number": NUMBER,
        "document_number": document,
        "name": NAME,
        "subject_name": "示范企业1有限公司",
        "scope": "热食类食品制售",
        "valid_from": begins,
        "valid_to": ends,
        "term": "fixed" if ends else "not_stated",
        "identifier_check": "none",
        "previous_identifiers": [],
        "addresses": [],
        "permits": [],
    }
    more = {
        "effective_from": begins,
        "occurred_at": dt.datetime.combine(decided, dt.time(), dt.UTC) if decided else None,
        **(told or {}),
    }
    return [
        event("licence", "decision", document, usual | content, **more),
        event("licence", "standing", document, {"state": state}, **(told or {})),
    ]


def builder(
    document: str = "示建许〔2023〕4号", state: str = "in_force", **told: Any
) -> list[Event]:
    """Return a qualification of builders with its state."""
    usual = {"name": BUILDERS, "number": "D299000123", "scope": "建筑工程施工总承包二级"}
    return licence(document, state, **(usual | told))


def penalty(number: int = 1, decided: str | None = "2026-02-01", **content: Any) -> list[Event]:
    usual: dict[str, Any] = {
        "kind": "penalty",
        "document_number": f"示罚〔2026〕{number}号",
        "categories": ["罚款"],
        "penalty_content": "罚款人民币2000元",
        "licences_affected": None,
        "fine_yuan": Decimal(2000),
    }
    day = dt.date.fromisoformat(decided) if decided else None
    told = {"publisher": "police", "issuer": POLICE, "effective_from": day}
    key = {"record_key": f"{POLICE}/{number}"}
    return [event("credit", "decision", str(number), usual | content, **told, **key)]


def beside(penalty: Event, facet: str, state: str) -> Event:
    """Return what is stated of a penalty: that it was repaired, withdrawn or objected to."""
    return event(
        *("credit", facet, "", {"state": state}),
        **{name: penalty[name] for name in ("publisher", "issuer", "record_key")},
    )


def registration(key: str = "r", state: str = "in_business", **told: Any) -> list[Event]:
    told = {"publisher": "register", "effective_from": dt.date(2020, 1, 1)} | told
    content = {"name": "示范企业1有限公司", "address": "示范路1号", "term": "not_stated"}
    return [
        event("registration", "decision", key, content, **told),
        event("registration", "standing", key, {"state": state}, publisher="register"),
    ]


def grade(year: str, subject: str = SUBJECT) -> list[Event]:
    content = {"kind": "grade", "grade": "A", "period": year, "categories": []}
    told = {"publisher": "tax", "subject": subject}
    return [event("credit", "decision", f"{year}-{subject}", content, **told)]


OTHERS: Final = [*builder(), *registration(), *grade("2025")]
HELD: Final = [*licence(), *OTHERS]


def outcomes(histories: Sequence[list[Event]], deal: Deal) -> list[dict[str, str]]:
    """Return what each history's enterprise is told of each paper; both engines agree on it."""
    decided: dict[int, dict[str, str]] = {}
    alike: dict[str, list[int]] = defaultdict(list)
    for number, events in enumerate(histories):
        alike[json.dumps([*_newest(events).values()])].append(number)
    for numbers in alike.values():
        mine = [(uscc(100 + number), histories[number]) for number in numbers]
        known = Facts(ON, NOW, {}, COMPLETE, CYCLES, newest=_newest(mine[0][1]))
        decided |= dict(zip(numbers, _decided(mine, known, deal), strict=True))
    return [decided[number] for number in range(len(histories))]


def told(events: list[Event], seed: int) -> dict[str, str]:
    """Return the same of one history, landed in some order."""
    return outcomes([events], Deal(seed))[0]


def _newest(events: list[Event]) -> dict[tuple[str, str], int]:
    listed = [
        (one["publisher"], one["layout"], one["decision"]["period"])
        for one in events
        if one["facet"] == "decision" and one["family"] == "credit"
        if one["decision"].get("period")
    ]
    return newest(listed, ON)


def _decided(
    histories: list[tuple[str, list[Event]]], known: Facts, deal: Deal
) -> list[dict[str, str]]:
    landed = _versions([_of(one, who) for who, events in histories for one in events], deal)
    rows: dict[str, dict[str, list[Any]]] = {who: defaultdict(list) for who, _ in histories}
    for family, frame in landed.items():
        for one in frame.iter_rows(named=True):
            if one["subject"] in rows:
                rows[one["subject"]][family].append(one)
    asked = pl.DataFrame({"row": range(len(histories)), "subject": [who for who, _ in histories]})
    frames = {family: whole(frame, family, ON) for family, frame in landed.items()}
    theirs = {f: frame.join(asked, on="subject", how="semi") for f, frame in frames.items()}
    judged = verdicts(CATALOGUE, ["M"], asked["subject"], theirs, known)
    made: dict[int, dict[str, str]] = defaultdict(dict)
    columns = ("row", "material", "outcome")
    for row, paper, outcome in decisions(CATALOGUE, "M", asked, judged, ON)[columns].iter_rows():
        made[row][paper] = outcome
    for row, (who, _) in enumerate(histories):
        folded = {family: whole_rows(rows[who][family], family, ON) for family in FAMILIES}
        facts = Facts(ON, NOW, folded, COMPLETE, CYCLES, newest=known.newest)
        alone = {one.material: str(one.outcome) for one in decide(CATALOGUE, "M", facts)}
        assert made[row] == alone, said(histories[row][1])
    return [made[row] for row in range(len(histories))]


def _of(one: Event, who: str) -> Event:
    """Return an event of an enterprise of its own, which its texts may name, too."""
    if one["subject"] != SUBJECT:
        return one
    content = {
        name: value.replace(SUBJECT, who) if isinstance(value, str) else value
        for name, value in one[one["facet"]].items()
    }
    return one | {"subject": who, one["facet"]: content}


def _versions(events: list[Event], deal: Deal) -> dict[str, pl.DataFrame]:
    """Return events as landed, in some order of files."""
    frames = {}
    order = deal.shuffled(events)
    for family in FAMILIES:
        rows = [
            {name: value for name, value in one.items() if name != "family"}
            | {"topic": "t", "partition": 0, "offset": at, "bucket": 0}
            | {"event_id": hashlib.sha256(repr(sorted(one.items())).encode()).hexdigest()[:32]}
            for at, one in enumerate(order)
            if one["family"] == family
        ]
        frames[family] = pl.DataFrame(rows, schema=history_columns(family))
    return frames


def exempted(histories: Sequence[list[Event]], paper: str, deal: Deal) -> list[str]:
    """Return what was said in those of some histories whose enterprise need not bring a paper."""
    all_told = outcomes(histories, deal)
    return [said(one) for one, of in zip(histories, all_told, strict=True) if of[paper] in EXEMPT]


def said(events: list[Event]) -> str:
    """Return what was said beside what is held, for the message of a failure."""
    names = ("facet", "record_key", "effective_from", "occurred_at", "landed_at")
    usual = ("identifier_check", "previous_identifiers", "addresses", "permits")
    return "\n".join(
        str(
            [one[name] for name in names if name in one]
            + [{n: v for n, v in one[one["facet"]].items() if n not in usual}]
        )
        for one in events
        if not any(one is other for other in HELD)
    )
