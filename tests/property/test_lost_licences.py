"""Whatever way an enterprise loses a licence, and however that was written, no paper is exempted by it.

Histories are events as landed: two folds and two engines decide on each. The ways are written as
departments' exports write them; among them stands noise that ends nothing, which alone must leave
every paper exempt.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.answer.columns.decisions import decisions
from flows.answer.columns.verdicts import verdicts
from flows.answer.decide import EXEMPT, decide
from flows.answer.facts import Facts
from flows.answer.periods import newest
from flows.fold import whole
from flows.fold_rows import whole_rows
from flows.log import history_columns
from schemas.catalogue.grammar import Catalogue
from tests.property.effort import some
from tests.support.codes import uscc

ON: Final = dt.date(2026, 5, 4)
NOW: Final = dt.datetime(2026, 5, 4, 2, tzinfo=dt.UTC)
LANDED: Final = NOW - dt.timedelta(days=1)
SUBJECT, ORGAN, POLICE = uscc(1), uscc(7, kind="11"), uscc(8, kind="11")
NAME, NUMBER = "食品经营许可证", "(示)JY〔2023〕000123"
EXAMPLES: Final = 12
COMPLETE: Final = dict.fromkeys(
    (("food", "list"), ("police", "list"), ("register", "list"), ("tax", "list")), LANDED
)
CYCLES: Final = {id_: dt.timedelta(days=7) for id_, _ in COMPLETE}

Event = dict[str, Any]
Draw = st.DrawFn


def words(text: str) -> dict[str, str]:
    return {"en": text, "zh": text}


def catalogue() -> Catalogue:
    """Return one matter: a licence, one of a scope, the register's entry, two checks, a grade."""

    def of(kind: str, source: str, **told: Any) -> dict[str, Any]:
        usual = {"kind": kind, "name": words("e"), "rule": "r", "max_age": "P10D"}
        return {**usual, "sources": {source: ["list"]}, **told}

    evidence = {
        "licence": of("licence", "food", certificates=[NAME]),
        "builder": of("licence", "food", certificates=["建筑业企业资质证书"], scope=["施工总承包"]),
        "entry": of("field", "register", family="registration", fields=["name"]),
        "stop": of(
            "credit_check",
            "police",
            question=words("?"),
            bars=[{"kind": "penalty", "categories": ["责令停产停业"], "within": "P1096D"}],
        ),
        "fine": of(
            "credit_check",
            "police",
            question=words("?"),
            bars=[{"kind": "penalty", "fine_from": 2_000_000, "within": "P1096D"}],
        ),
        "grade": of(
            "field",
            "tax",
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
    return Catalogue(
        evidence=evidence, materials=materials, matters={"M": matter}, departments={"d": department}
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
    document: str = "示许〔2023〕1号",
    state: str = "in_force",
    days: tuple[str | None, str | None, str | None] = ("2023-03-01", "2023-03-05", "2028-03-04"),
    told: dict[str, Any] | None = None,
    **content: Any,
) -> list[Event]:
    """Return a licence document with its state; `days`: decided, from, to."""
    decided, begins, ends = (dt.date.fromisoformat(day) if day else None for day in days)
    usual = {
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


def penalty(number: int = 1, decided: str | None = "2026-02-01", **content: Any) -> list[Event]:
    usual = {
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


BUILDER: Final = licence(
    "示建许〔2023〕4号",
    name="建筑业企业资质证书",
    number="D299000123",
    scope="建筑工程施工总承包二级",
)
HELD: Final = [*licence(), *BUILDER, *registration(), *grade("2025")]

# How departments write


def number(draw: Draw) -> str | None:
    """Return the licence's number as it may stand in another document."""
    return draw(
        st.sampled_from(
            [
                NUMBER,
                "（示）ＪＹ［２０２３］０００１２３",
                "(示) jy [2023] 000123",
                "【示】JY【2023】000123",
                "JY〔2023〕000123",
                "（示）JY〔2023〕000\n123",
                "(示)JY-2023-000123",
                "\u200b(示)JY〔2023〕000123",
            ]
        )
    )


def no_number(draw: Draw) -> str | None:
    return draw(st.sampled_from([None, "", "/", "无", "-", "NULL", "0"]))


def name(draw: Draw) -> str | None:
    """Return the certificate's name as it may be written, or not at all."""
    return draw(
        st.sampled_from(
            [
                NAME,
                f"《{NAME}》",
                f"{NAME}（副本）",
                "食品经营 许可证",
                "食品证",
                "食品流通许可证",
                "食品经营许可",
                "许可证",
                "行政许可撤销决定书",
                None,
                "/",
            ]
        )
    )


def days(draw: Draw) -> tuple[str | None, str | None, str | None]:
    """Return the days of a document that ends the licence: none, the first term's, or a slip."""
    return draw(
        st.sampled_from(
            [
                ("2026-04-01", "2026-04-01", "2028-03-04"),
                ("2026-04-01", "2023-03-05", "2028-03-04"),
                ("2026-04-01", "2023-03-01", "2028-03-04"),
                ("2026-04-01", None, None),
                (None, "2026-04-01", None),
                (None, None, None),
                ("2062-04-01", "2023-03-05", "2028-03-04"),
            ]
        )
    )


LOST: Final = ("revoked", "annulled", "cancelled", "suspended", "other")
Way = Callable[[Draw], list[Event]]


def own_document_numbered(draw: Draw) -> list[Event]:
    state = draw(st.sampled_from(LOST))
    return licence("示许撤〔2026〕9号", state, days(draw), number=number(draw), name=name(draw))


def own_document_without_a_number(draw: Draw) -> list[Event]:
    state = draw(st.sampled_from(LOST))
    return licence("示许撤〔2026〕9号", state, days(draw), number=no_number(draw), name=name(draw))


def own_document_by_its_own_number(draw: Draw) -> list[Event]:
    state, own = draw(st.sampled_from(LOST)), "示许撤〔2026〕9号"
    return licence(own, state, days(draw), number="示许撤[2026] 9号", name=name(draw))


def first_document_spelt_otherwise(draw: Draw) -> list[Event]:
    spelt = draw(st.sampled_from(["示许[2023]1号", "示许（２０２３）1號", "示许〔2023〕 1号"]))
    other = draw(st.sampled_from([NAME, "道路运输经营许可证"]))
    return licence(spelt, "revoked", days(draw), number=no_number(draw), name=other)


def document_in_force_that_ends_it(draw: Draw) -> list[Event]:
    told = draw(
        st.sampled_from(
            [
                {"name": "准予注销决定书"},
                {"scope": "撤 销食品经营许可证（示）JY〔2023〕000123"},
                {"document_name": "行政许可注销决定书"},
                {"document_name": "食品经营许可注销决定书"},
                {"document_name": "示范市市场监督管理局关于撤 销《食品经营许可证》的决定"},
                {"name": "食品经营许可证（注销）"},
                {"document_name": "食品经营许可证失效公告"},
                {"scope": "吊销"},
                {"scope": "你单位提交的食品经营许可证注销申请，符合法定条件，准予注销。"},
                {"scope": "热食类食品制售（已注销）"},
                {"remarks": "该证已于2026年4月1日被吊\n销"},
                {"remarks": "因有效期届满未延续，予以注销"},
            ]
        )
    )
    found = draw(st.sampled_from([number(draw), no_number(draw)]))
    return licence("示许注〔2026〕9号", "in_force", days(draw), number=found, **told)


def remark_that_ends_it(draw: Draw) -> list[Event]:
    remark = draw(
        st.sampled_from(
            [
                "该许可证已于 2026年4月 注销",
                "已吊销。",
                "2026-04-01被市局暂扣",
                "企业自愿申请注销",
                "作 废",
            ]
        )
    )
    mended = {"sequence": 7, "landed_at": LANDED + dt.timedelta(hours=1)}
    again = licence(told=mended, remarks=remark)
    return draw(
        st.sampled_from([again, licence("示许更〔2026〕9号", days=days(draw), remarks=remark)])
    )


def own_row_that_says_so_in_words(draw: Draw) -> list[Event]:
    text = draw(st.sampled_from(["已注销", "2026年4月1日吊销", "作 废", "已被撤消", "证书已收回"]))
    told = {draw(st.sampled_from(["remarks", "scope"])): f"热食类食品制售（{text}）"}
    return [one | {"sequence": 2} for one in licence(**told)]


def old_document_revoked_and_the_new_one_reworded(draw: Draw) -> list[Event]:
    days = ("2025-04-01", "2025-04-01", "2028-03-04")
    hours = draw(st.integers(1, 5))
    revoked = event(
        *(
            "licence",
            "standing",
            "示许〔2023〕1号",
            {"state": draw(st.sampled_from(["revoked", "annulled"]))},
        ),
        sequence=7,
        landed_at=LANDED + dt.timedelta(hours=hours),
    )
    told = {"sequence": 2, "landed_at": LANDED + dt.timedelta(hours=hours + 1)}
    reworded = licence("示许变〔2025〕3号", days=days, told=told, remarks="地址更正")[0]
    return [*licence("示许变〔2025〕3号", days=days), revoked, reworded]


def change_that_shortens_the_term(draw: Draw) -> list[Event]:
    begins = draw(st.sampled_from(["2022-01-01", "2023-03-05", "2026-04-01", None]))
    shortened = ("2026-04-01", begins, "2026-05-03")
    return licence("示许变〔2026〕3号", days=shortened, number=number(draw))


def of_another_layout_or_organ(draw: Draw) -> list[Event]:
    told = draw(
        st.sampled_from(
            [
                {"layout": "native"},
                {"issuer": "示范市市场监督管理局东区分局"},
                {"publisher": "province", "issuer_name": "示范市市场监督管理局"},
            ]
        )
    )
    return licence("示许撤〔2026〕9号", "revoked", days(draw), told, number=no_number(draw))


def standing(draw: Draw, key: str, **told: Any) -> list[Event]:
    state = draw(st.sampled_from(["revoked", "annulled", "cancelled", "transferred_out"]))
    return [event("licence", "standing", key, {"state": state}, sequence=7, **told)]


def standing_that_should_not_lapse(draw: Draw) -> list[Event]:
    ended = {"effective_from": dt.date(2026, 3, 1), "effective_to": dt.date(2026, 4, 1)}
    return standing(draw, "示许〔2023〕1号", **ended)


def standing_from_a_day_that_nobody_means(draw: Draw) -> list[Event]:
    return standing(draw, "示许〔2023〕1号", effective_from=dt.date(2062, 3, 1))


def standing_under_a_key_of_its_own(draw: Draw) -> list[Event]:
    keys = ["示许[2023]1号", "示许（2023）1号", "(示)JY[2023]000123", "JY9", "示许撤〔2026〕9号"]
    return standing(draw, draw(st.sampled_from(keys)), publisher="food")


def first_document_revoked_after_a_change(draw: Draw) -> list[Event]:
    changed = licence("示许变〔2025〕3号", days=("2025-04-01", "2025-04-01", "2028-03-04"))
    told = [
        event(
            "licence",
            "standing",
            "示许〔2023〕1号",
            {"state": draw(st.sampled_from(["revoked", "annulled", "suspended"]))},
            sequence=7,
            landed_at=LANDED + dt.timedelta(hours=draw(st.integers(1, 5))),
        )
    ]
    return [*changed, *told]


def penalty_that_ends_it(draw: Draw) -> list[Event]:
    verb = draw(
        st.sampled_from(
            *[
                [
                    "吊销",
                    "撤销",
                    "注销",
                    "收回",
                    "收缴",
                    "缴销",
                    "暂扣",
                    "吊 销",
                    "吊\n销",
                    "撤\u3000销",
                ]
            ]
        )
    )
    named = draw(
        st.sampled_from(
            [
                NAME,
                f"《{NAME}》（{NUMBER}）",
                "食品证",
                "食品流通许可证",
                "食品经营许可",
                "许可证件",
                "其许可证",
                "JY[2023]000123",
                "(示)JY-2023-000123",
                "证照（(示)JY〔2023〕000\n123）",
            ]
        )
    )
    column = draw(st.sampled_from([None, "", "/", "无", "4", "-", named]))
    told = draw(
        st.sampled_from(
            [
                {"categories": ["吊销许可证件"], "penalty_content": f"{verb}{named}"},
                {"categories": ["其他"], "penalty_content": f"罚款2000元，{verb}{named}。"},
                {"categories": [f"{verb}许可证件"], "penalty_content": named},
                {"categories": ["4"], "penalty_content": "", "remarks": f"{verb}{named}"},
                {"categories": [f"{verb}许可证件"], "penalty_content": "详见行政处罚决定书"},
            ]
        )
    )
    decided = draw(st.sampled_from(["2026-02-01", None, "2062-02-01"]))
    return penalty(2, decided, licences_affected=column, **told)


def penalty_that_closes_the_business(draw: Draw) -> list[Event]:
    content = draw(
        st.sampled_from(
            [
                "责令关闭，收回食品经营许可证",
                "取缔",
                "责令停业整顿，扣留食品经营许可证",
                "罚款5000元，暂时扣留许可证",
                "罚款5000元；责令交回食品经营许可证",
                "撤消食品经营许可证，罚款5000元",
                "警告；罚款；扣证三个月",
                "暂扣三个月，逾期不改的吊 销食品经营许可证",
            ]
        )
    )
    ended = {"valid_to": dt.date(2026, 3, 1)} if "暂扣" in content else {}
    return penalty(2, categories=["其他"], penalty_content=content, **ended)


def penalty_with_the_number_of_an_older_term(draw: Draw) -> list[Event]:
    old = licence(
        "示许〔2018〕5号",
        days=("2018-03-01", "2018-03-05", "2023-03-04"),
        number="(示)JY〔2018〕000055",
    )
    text = f"{NAME}（原证号(示)JY〔2018〕000055{draw(st.sampled_from(['', '，现证号不详']))}）"
    return [*old, *penalty(2, categories=["吊销许可证件"], licences_affected=text)]


def penalty_whose_kind_is_not_told(draw: Draw) -> list[Event]:
    kind = draw(st.sampled_from([["其他"], ["4"], ["/"], [], ["行政处罚"]]))
    content = draw(st.sampled_from(["详见行政处罚决定书", "见附件", "/", None, "无", "4"]))
    return penalty(2, categories=kind, penalty_content=content, fine_yuan=None)


LICENCE_WAYS: Final[list[Way]] = [
    own_document_numbered,
    own_document_without_a_number,
    own_document_by_its_own_number,
    first_document_spelt_otherwise,
    document_in_force_that_ends_it,
    remark_that_ends_it,
    own_row_that_says_so_in_words,
    old_document_revoked_and_the_new_one_reworded,
    change_that_shortens_the_term,
    of_another_layout_or_organ,
    standing_that_should_not_lapse,
    standing_from_a_day_that_nobody_means,
    standing_under_a_key_of_its_own,
    first_document_revoked_after_a_change,
    penalty_that_ends_it,
    penalty_that_closes_the_business,
    penalty_with_the_number_of_an_older_term,
    penalty_whose_kind_is_not_told,
]


def struck_off(draw: Draw) -> list[Event]:
    state = draw(st.sampled_from(["revoked", "cancelled", "annulled"]))
    begins = draw(st.sampled_from([None, dt.date(2026, 4, 1)]))
    return registration("r2", state, effective_from=begins)


def business_licence_revoked(draw: Draw) -> list[Event]:
    content = draw(
        st.sampled_from(["吊销营业执照", "吊\n销《营业执照》", "吊销执照", "撤销营业 执照"])
    )
    column = draw(st.sampled_from([None, "/", "无", "营业执照"]))
    return penalty(2, categories=["其他"], penalty_content=content, licences_affected=column)


def stop_of_business(draw: Draw) -> list[Event]:
    text = draw(
        st.sampled_from(
            [
                "责令停产\n停业",
                "责令停产 停业",
                "责令停产、停业",
                "责令停业整顿三个月",
                "停止营业",
                "罚款2万元，责令停止食品经营活动",
                "责令停止从事一切生产经营",
                "责令停店整顿",
                "停产整治",
            ]
        )
    )
    decided = draw(st.sampled_from(["2026-02-01", None, "2062-02-01", "2026-12-01"]))
    told = draw(
        st.sampled_from(
            [
                {"categories": ["其他"], "penalty_content": text},
                {"categories": [text], "penalty_content": "见决定书"},
                {"categories": ["罚款"], "penalty_content": f"罚款2000元；{text}"},
                {"categories": ["其他"], "penalty_content": "详见行政处罚决定书"},
                {"categories": ["4"], "penalty_content": None},
            ]
        )
    )
    return penalty(2, decided, **told)


def fine_in_words(draw: Draw) -> list[Event]:
    text = draw(
        st.sampled_from(
            [
                "罚款人民币叁佰万元整",
                "罚款300万元",
                "处3,000,000元罚款",
                "罚款",
                "罚款（详见决定书）",
            ]
        )
    )
    fine = draw(st.sampled_from([None, Decimal(0)]))
    return penalty(2, categories=["罚款"], penalty_content=text, fine_yuan=fine)


def fine_greater_in_words_than_in_its_column(draw: Draw) -> list[Event]:
    text = draw(
        st.sampled_from(
            [
                "罚款人民币叁佰万元整",
                "警告，罚 款300万元",
                "处3,000,000元罚款",
                "处叁佰万元整的罚款",
            ]
        )
    )
    return penalty(2, categories=["罚款"], penalty_content=text, fine_yuan=Decimal(300))


def newer_list_without_it(draw: Draw) -> list[Event]:
    return grade(draw(st.sampled_from(["2026", "2026年度", "２０２６"])), uscc(3))


def scope_taken_away(draw: Draw) -> list[Event]:
    scope = draw(
        st.sampled_from(
            [
                "专业承包（不含施工总承包）",
                "专业承包，不包括施工总承包",
                "除施工总承包外的建筑业务",
                "专业承包（施工总承包除外）",
                "不得从事施工 总承包",
                "施工总承包以外的专业承包",
            ]
        )
    )
    told = licence("示建许〔2023〕4号", name="建筑业企业资质证书", number="D299000123", scope=scope)
    return [one | {"sequence": 3} for one in told]


OTHER_WAYS: Final[list[tuple[str, Way]]] = [
    ("entry", struck_off),
    ("entry", business_licence_revoked),
    ("stop", stop_of_business),
    ("fine", fine_in_words),
    ("fine", fine_greater_in_words_than_in_its_column),
    ("grade", newer_list_without_it),
    ("builder", scope_taken_away),
]

# What ends nothing


def noise(draw: Draw) -> list[Event]:
    """Return what is said of other licences, of past terms and of penalties that end none."""
    other = {"name": "道路运输经营许可证", "number": "DL990100777"}
    before = ("2018-03-01", "2018-03-05", "2023-03-04")
    kinds: list[list[Event]] = [
        licence("示运许〔2022〕7号", draw(st.sampled_from(LOST)), days(draw), **other),
        licence("示运许〔2022〕8号", "revoked", number=None, name="道路运输经营许可证"),
        licence("示许〔2018〕1号", days=before),
        licence("示许〔2018〕2号", "cancelled", before, number=None),
        licence("示许续〔2026〕3号", days=("2026-04-30", "2028-03-05", "2033-03-04")),
        licence("示许停〔2024〕3号", "suspended", ("2022-01-01", "2022-01-01", None)),
        penalty(11, categories=["警告"], penalty_content="警告", licences_affected="/"),
        penalty(12, categories=["罚款"], penalty_content="罚款人民币伍仟元整", fine_yuan=None),
        penalty(
            13,
            categories=["没收违法所得"],
            penalty_content="没收违法所得900元",
            licences_affected="无",
            fine_yuan=None,
        ),
        penalty(
            14,
            "2022-01-01",
            categories=["吊销许可证件"],
            penalty_content="吊销道路运输经营许可证（DL990100777）",
            licences_affected="道路运输经营许可证（DL990100777）",
        ),
        penalty(
            15,
            "2022-02-01",
            categories=["暂扣许可证件"],
            penalty_content=f"暂扣{NAME}三个月",
            valid_to=dt.date(2022, 5, 1),
        ),
        [
            *penalty(16, categories=["吊销许可证件"], licences_affected=NAME),
            event(
                "credit",
                "withdrawal",
                "16",
                {"state": "withdrawn"},
                publisher="police",
                issuer=POLICE,
                record_key=f"{POLICE}/16",
            ),
        ],
        grade("2024", uscc(3)),
        grade("2025", uscc(4)),
        [one | {"subject": uscc(5)} for one in licence("示许撤〔2026〕5号", "revoked")],
    ]
    found = draw(st.lists(st.sampled_from(kinds), max_size=4, unique_by=id))
    return [one for kind in found for one in kind]


def versions(events: list[Event], seed: int) -> dict[str, pl.DataFrame]:
    """Return events as landed, in some order of files."""
    order = random.Random(seed).sample(events, len(events))
    frames = {}
    for family in ("registration", "licence", "credit"):
        rows = [
            {name: value for name, value in one.items() if name != "family"}
            | {"topic": "t", "partition": 0, "offset": at, "bucket": 0}
            | {"event_id": hashlib.sha256(repr(sorted(one.items())).encode()).hexdigest()[:32]}
            for at, one in enumerate(order)
            if one["family"] == family
        ]
        frames[family] = pl.DataFrame(rows, schema=history_columns(family))
    return frames


def told(events: list[Event], seed: int) -> dict[str, str]:
    """Return what every engine says of each paper; they agree."""
    landed = versions(events, seed)
    listed = [
        (one["publisher"], one["layout"], one["decision"]["period"])
        for one in events
        if one["facet"] == "decision" and one["family"] == "credit"
        if one["decision"].get("period")
    ]
    known = Facts(ON, NOW, {}, COMPLETE, CYCLES, newest=newest(listed, ON))
    mine = {f: frame.filter(pl.col("subject") == SUBJECT) for f, frame in landed.items()}
    rows = {family: whole_rows(frame.to_dicts(), family, ON) for family, frame in mine.items()}
    facts = Facts(ON, NOW, rows, COMPLETE, CYCLES, newest=known.newest)
    alone = {one.material: one.outcome for one in decide(CATALOGUE, "M", facts)}
    frames = {family: whole(frame, family, ON) for family, frame in mine.items()}
    asked = pl.DataFrame({"row": [1], "subject": [SUBJECT]})
    judged = verdicts(CATALOGUE, ["M"], asked["subject"], frames, known)
    made = decisions(CATALOGUE, "M", asked, judged, ON)
    assert dict(made.select("material", "outcome").iter_rows()) == alone
    return {**alone}


def _said(events: list[Event]) -> str:
    """Return what was said beside what is held, for the message of a failure."""
    names = ("facet", "record_key", "effective_from", "occurred_at", "landed_at")
    return "\n".join(
        str([one[name] for name in names if name in one] + [one[one["facet"]]])
        for one in events[len(HELD) :]
    )


@pytest.mark.parametrize("way", LICENCE_WAYS, ids=lambda way: way.__name__)
def test_a_licence_that_was_lost_exempts_from_nothing(way: Way) -> None:
    lost = st.composite(lambda draw: [*HELD, *noise(draw), *way(draw)])

    @settings(max_examples=some(EXAMPLES), deadline=None)
    @given(lost(), st.integers(0, 99))
    def none_exempt(events: list[Event], seed: int) -> None:
        assert told(events, seed)["licence"] not in EXEMPT, _said(events)

    none_exempt()


@pytest.mark.parametrize(
    ("paper", "way"), OTHER_WAYS, ids=lambda one: getattr(one, "__name__", one)
)
def test_what_else_was_lost_exempts_from_nothing(paper: str, way: Way) -> None:
    lost = st.composite(lambda draw: [*HELD, *noise(draw), *way(draw)])

    @settings(max_examples=some(EXAMPLES), deadline=None)
    @given(lost(), st.integers(0, 99))
    def none_exempt(events: list[Event], seed: int) -> None:
        assert told(events, seed)[paper] not in EXEMPT, _said(events)

    none_exempt()


def test_what_ends_nothing_leaves_every_paper_exempt() -> None:
    harmless = st.composite(lambda draw: [*HELD, *noise(draw)])

    @settings(max_examples=some(4 * EXAMPLES), deadline=None)
    @given(harmless(), st.integers(0, 99))
    def every_exempt(events: list[Event], seed: int) -> None:
        assert {*told(events, seed).values()} <= {*EXEMPT}, _said(events)

    every_exempt()
