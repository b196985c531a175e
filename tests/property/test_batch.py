"""Two engines for one set of rules: many enterprises in columns are told what each is told alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, get_args

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.answer.columns.decisions import DECISION, decisions
from flows.answer.columns.verdicts import verdicts
from flows.answer.decide import Decision, Outcome, decide
from flows.answer.facts import Facts
from flows.answer.verdict import Reason
from flows.fold import whole_columns
from flows.stated import Source
from schemas.catalogue.grammar import Catalogue
from tests.support.codes import uscc

ON = dt.date(2026, 5, 4)
NOW = dt.datetime(2026, 5, 4, 2, tzinfo=dt.UTC)
CYCLES = {"housing": dt.timedelta(days=7), "slow": dt.timedelta(days=90)}
#: Publishers that hold the enterprises: a source, a publisher of penalties, one that may speak for
#: some of the issuers, one whose rights are not known.
RIGHTS = {("housing", "licence"): "^机关$", ("province", "licence"): "^(?:机.*)$"}
HOLDING = [
    frozenset({held})
    for held in [
        ("housing", "licence"),
        ("fire", "credit"),
        ("province", "licence"),
        ("nobody", "licence"),
        ("slow", "registration"),
        ("housing", "credit"),
    ]
]
PAIRS = [("housing", "list"), ("housing", "other"), ("slow", "list")]
SUBJECTS = [uscc(number) for number in range(1, 5)]
TIMES = tuple(NOW + dt.timedelta(days=days) for days in (-900, -400, -1, 0, 1, 20_000))
DAYS = [ON + dt.timedelta(days=days) for days in (-800, -366, -365, -1, 0, 1)]
FAR = ON + dt.timedelta(days=13_000)
#: Every state of records, and every reason why one may not be used.
STATES = (
    *("in_force", "in_business", "expired", "not_yet_valid", "suspended", "revoked", "removed"),
    *("other", None),
)
UNUSABLE = ("conflicted", "withdrawn", "annulled", "repaired", "publication_ended", "undecided")


def words(text: str) -> dict[str, str]:
    return {"en": text, "zh": text}


def evidence(kind: str, **told: Any) -> dict[str, Any]:
    usual = {"kind": kind, "name": words("e"), "rule": f"rule of {kind}"}
    shared = {"sources": {"housing": ["list"]}, "max_age": "P10D"} if kind != "promise" else {}
    return {**usual, **shared, **told}


EVIDENCE: dict[str, Any] = {
    "licence": evidence("licence", certificates=["安全许可证"]),
    "coded": evidence("licence", type_codes=["T" * 21], scope=["建筑", "桥梁"]),
    "wide": evidence(
        "licence",
        certificates=["安全许可证", "其他证"],
        sources={"housing": ["list", "other"], "slow": ["list"]},
    ),
    "entry": evidence(
        "field", family="registration", fields=["name"], where={"state": ["in_business"]}
    ),
    "address": evidence("field", family="registration", fields=["address", "name"]),
    "permit": evidence(
        "field",
        family="licence",
        fields=["scope"],
        where={"category": ["general"], "state": ["in_force", "suspended"]},
        sources={"slow": ["list"]},
        max_age="P20D",
    ),
    "grade": evidence(
        "field", family="credit", fields=["grade"], where={"grade": ["A"]}, period_years=2
    ),
    "promise": evidence("promise", text=words("p")),
}
BARS: list[dict[str, Any]] = [
    {"kind": "penalty"},
    {"kind": "penalty", "categories": ["停产", "吊销"], "within": "P365D"},
    {"kind": "penalty", "categories": ["停产"], "fine_from": "5000.50"},
    {"kind": "penalty", "fine_from": 5000},
    {"kind": "penalty", "severities": ["serious"]},
    {"kind": "penalty", "severities": ["serious", "general"], "categories": ["停产"]},
    {"kind": "listing"},
    {"kind": "listing", "lists": ["L1"], "within": "P1D"},
]
#: What replaces each paper, and its origin: one evidence, none, several, what may not be used.
REPLACED: list[tuple[list[str], str]] = [
    *(([name], "issued") for name in (*EVIDENCE, "check", "forbidden")),
    ([], "issued"),
    ([], "own"),
    (["forbidden", "licence"], "issued"),
    (["licence", "coded", "wide"], "issued"),
    (["promise", "address"], "own"),
    (["check", "promise"], "issued"),
    (["forbidden", "promise"], "issued"),
    (["grade", "check", "permit"], "own"),
]


def catalogue(
    bars: list[dict[str, Any]], may_follow: list[bool], follow_within: int | None
) -> Catalogue:
    """Return a catalogue of one matter, which asks for every paper."""
    check = evidence("credit_check", question=words("?"), bars=bars)
    every = {**EVIDENCE, "check": check, "forbidden": evidence("licence", certificates=["证"])}
    materials = {
        f"paper {number}": {"name": words("m"), "origin": origin, "replaced_by": names}
        for number, (names, origin) in enumerate(REPLACED)
    }
    uses = [
        {"material": name, "necessity": "may_follow" if follows else "required"}
        for name, follows in zip(materials, may_follow, strict=True)
    ]
    matter = {
        "name": words("事项"),
        "department": "d",
        "purpose": "p",
        "basis": ["r"],
        "follow_within": follow_within,
        "materials": uses,
    }
    purpose = {"name": words("p"), "may_use": [name for name in every if name != "forbidden"]}
    department = {"name": words("d"), "code": uscc(9, kind="11"), "purposes": {"p": purpose}}
    made = {"evidence": every, "materials": materials}
    return Catalogue.model_validate(
        made | {"matters": {"M": matter}, "departments": {"d": department}}
    )


def some(*values: Any, usual: Any = None, times: int = 6) -> st.SearchStrategy[Any]:
    """Return one of some values, most often the usual one."""
    return st.sampled_from([*[usual] * times, *values])


def rows(
    *usual: dict[str, Any], most: int = 12, **others: tuple[Any, ...]
) -> st.SearchStrategy[Any]:
    """Return rows of some subjects: the usual ones, but for a few values."""
    shared: dict[str, tuple[Any, ...]] = {
        "unusable_reason": UNUSABLE,
        "objection": ("raised",),
        "publisher": ("slow", "elsewhere", None),
        "layout": ("other", "unknown", None),
        "issuer": ("", None),
        "issuer_name": ("", None),
        "state": STATES,
    }
    every = [(name, value) for name, values in (shared | others).items() for value in values]
    envelope = {"publisher": "housing", "layout": "list", "issuer": "机关", "issuer_name": "某局"}
    row = st.tuples(
        st.sampled_from([envelope | one for one in usual]),
        st.lists(st.sampled_from(every), max_size=3).map(dict),
        st.fixed_dictionaries(
            {"subject": st.sampled_from(SUBJECTS), "effective_from": some(None, *DAYS, usual=ON)}
        ),
    )
    return st.lists(row.map(lambda drawn: drawn[0] | drawn[1] | drawn[2]), max_size=most)


HOLDER = "示范 企业（东）"
NAMES = ("示范企业(东)", "ＡＢ公司", "ab公司", "", None)
LICENCE = {"state": "in_force", "name": "安全许可证", "number": "A-1", "subject_name": HOLDER}
PENALTY = {"state": "in_force", "kind": "penalty", "categories": ["罚款"]}
ROWS = {
    "registration": rows(
        {"state": "in_business", "name": HOLDER, "address": "建设路1号"},
        most=5,
        name=NAMES,
        address=(None, ""),
        valid_from=tuple(DAYS),
        registration_number=("R-1",),
        occurred_at=TIMES,
        first_landed_at=TIMES,
        last_landed_at=TIMES,
        standing_event_id=("s1",),
        standing_from=(*DAYS, FAR),
    ),
    "licence": rows(
        LICENCE,
        LICENCE | {"term": "not_stated"},
        LICENCE | {"state": "not_yet_valid"},
        LICENCE | {"type_code": "T" * 21, "scope": "建筑工程"},
        LICENCE | {"publisher": "slow", "category": "general", "scope": "桥梁", "number": "A-2"},
        name=("其他证", "证", "《安全许可证》（副本）", "安全许可证（注销）", None),
        number=(None, "/", "A-2", "ａ— 1", "JZ990100001", "990100001", "许[2024]5号"),
        document_number=("许〔2024〕5号", "许[2024] 5号"),
        document_name=("准予撤 销决定书",),
        identifier=("Ｅ１",),
        scope=("", "其他", "不含建筑", "建筑（桥梁除外）", "建 筑", "吊销JZ990100001", None),
        remarks=("JZ990100001", "企业主 动放弃", "已降级", "已 注销", "原证作废，换发新证"),
        occurred_at=TIMES,
        first_landed_at=TIMES,
        last_landed_at=TIMES,
        standing_event_id=("s1",),
        standing_from=(*DAYS, FAR),
        subject_name=NAMES,
        valid_from=(*DAYS, FAR),
        valid_to=(ON,),
        term=("not_stated", "open_ended"),
    ),
    "credit": rows(
        PENALTY,
        PENALTY | {"categories": ["罚款", "责令停产停业"]},
        PENALTY | {"categories": []},
        PENALTY | {"categories": ["暂扣许可证件"], "licences_affected": "安全许可证"},
        PENALTY | {"categories": ["吊销许可证件"], "licences_affected": "A-1"},
        {"state": "in_force", "kind": "listing", "list_code": "L1"},
        {"state": "in_force", "kind": "grade", "grade": "A", "period": "2024"},
        categories=(None, []),
        penalty_content=(
            *("停产", "吊销营业执照", "降低安全许可证等级", "暂扣安全许可证A-1", "吊\n销许可证"),
            *(
                "停业 整顿",
                "见决定书",
                "罚款伍仟元整",
                "罚款",
                "没收9000元",
                "处9000元罚 款",
                "没收800元，处9000元",
                "责令关闭",
                "收回其他证",
            ),
        ),
        remarks=("撤销安全证",),
        title=("处罚决定书",),
        document_number=("罚1号",),
        licences_affected=("", "无", "/", "4", "许[2024]5号", "a-1", "e1", "营业执照", SUBJECTS[0]),
        fine_yuan=(
            Decimal(0),
            Decimal("5000.50"),
            Decimal("5000.49"),
            Decimal(5000),
            Decimal("4999.99"),
        ),
        severity=("minor", "general", "serious"),
        list_code=("L2", None),
        grade=("B", None),
        period=("2025", "2023", "２０２４", "年", "", None, "9" * 30),
        valid_to=tuple(DAYS),
    ),
}


#: Of which organ a record is, by its key.
ORGANS = st.sampled_from(["机关/", "机关/许2024", "k"])


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Catalogue, Facts, dict[str, pl.DataFrame]]:
    """Return a catalogue, what is known of all, and the rows of every enterprise, by family."""
    frames = {}
    for family, strategy in ROWS.items():
        found = draw(strategy)
        told = [
            {
                **one,
                "record_key": f"{draw(ORGANS)}{n}",
                "usable": "no" if one.get("unusable_reason") else "yes",
            }
            for n, one in enumerate(found)
        ]
        frame = pl.DataFrame(told, schema=whole_columns(family))
        frames[family] = frame.sort("subject", "record_key")
    ages = some(None, -1, 60 * 24 * 7, 60 * 24 * 7 + 1, 60 * 24 * 15, usual=60, times=4)
    said = {pair: draw(ages) for pair in PAIRS}
    complete = {
        pair: NOW - dt.timedelta(minutes=age) for pair, age in said.items() if age is not None
    }
    on = draw(some(*DAYS[-3:], usual=ON, times=10))
    newest = draw(some(None, 2024, 2025, usual=2023))
    lists = {("housing", "list"): newest} if newest is not None else {}
    known = Facts(on, NOW, {}, complete, CYCLES, newest=lists, rights=RIGHTS)
    bars = draw(st.lists(st.sampled_from(BARS), min_size=1, max_size=2))
    may_follow = draw(st.lists(st.booleans(), min_size=len(REPLACED), max_size=len(REPLACED)))
    return catalogue(bars, may_follow, draw(some(None, usual=10))), known, frames


def alone(found: Catalogue, known: Facts, frames: dict[str, pl.DataFrame], subject: str) -> Any:
    """Return what the row engine says of one enterprise."""
    mine: dict[str, list[Mapping[str, Any]]] = {
        family: [*frame.filter(pl.col("subject") == subject).iter_rows(named=True)]
        for family, frame in frames.items()
    }
    facts = replace(known, rows=mine)
    return [told(one) for one in decide(found, "M", facts)]


def told(decision: Decision) -> dict[str, Any]:
    """Return a decision as the columns have it."""
    record = decision.record or {}
    names = ("material", "necessity", *DECISION)
    return {n: record.get(n) if n == "record_key" else getattr(decision, n) for n in names}


def answered(world: Any, again: list[str]) -> pl.DataFrame:
    """Return what the columns say of all enterprises; the rows must say the same of each."""
    found, known, frames = world
    who = [*SUBJECTS, *again]
    asked = pl.DataFrame({"row": [*range(len(who))], "subject": who})
    judged = verdicts(found, ["M"], pl.Series(SUBJECTS), frames, known)
    made = decisions(found, "M", asked, judged, known.on)
    expected = [
        {"row": number, "subject": subject, **one}
        for number, subject in enumerate(who)
        for one in alone(found, known, frames, subject)
    ]
    assert made.to_dicts() == expected
    return made


def test_many_at_once_are_told_what_each_is_told_alone() -> None:
    outcomes: set[str] = set()
    reasons: set[str] = set()

    @settings(
        max_examples=150, deadline=None, suppress_health_check=[*HealthCheck], derandomize=True
    )
    @given(worlds(), st.lists(st.sampled_from(SUBJECTS)))
    def same(world: Any, again: list[str]) -> None:
        made = answered(world, again)
        outcomes.update(made["outcome"])
        reasons.update(made["reason"].drop_nulls())

    same()
    assert outcomes == {*get_args(Outcome)}
    assert reasons == {*get_args(Reason)}


@pytest.mark.parametrize("excepted", HOLDING, ids=str)
def test_many_held_at_once_are_told_what_each_is_told_alone(excepted: frozenset[Source]) -> None:
    ended = 0

    @settings(
        max_examples=100, deadline=None, suppress_health_check=[*HealthCheck], derandomize=True
    )
    @given(worlds())
    def same(world: Any) -> None:
        nonlocal ended
        found, known, frames = world
        free = answered(world, [])
        made = answered((found, replace(known, excepted=excepted), frames), [])
        exempt = free["outcome"].str.starts_with("exempt")
        ended += made.filter(exempt & (made["reason"] == "source_incomplete")).height

    same()
    assert ended
