"""Penalties and lists by which an enterprise loses a paper, as departments write them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, Final

from tests.property.lost_deal import Deal, listed
from tests.property.lost_licences import SPELT
from tests.property.lost_records import (
    BEFORE,
    HELD,
    NAME,
    NUMBER,
    SUBJECT,
    Event,
    beside,
    builder,
    grade,
    licence,
    penalty,
    registration,
)
from tests.support.codes import uscc

ENDED: Final = {"valid_to": dt.date(2026, 3, 1)}
#: What is done to a certificate, whichever it is.
TAKING: Final = (
    *listed("吊销 吊消 撤销 撤消 注销 注消 收回 收缴 缴销 撤回 缴回 交回 暂扣 吊扣"),
    "吊 销",
    "吊\n销",
    "撤\u3000销",
    *listed("撒销 吊銷 吊·销"),
)
#: What also may be done to something else, and counts where the certificate is named.
TAKING_IT: Final = listed(
    "取消 废止 作废 剥夺 终止 追缴 扣留 扣押 暂停 中止 冻结 封存 停用 停止使用 "
    "降低 核减 没收并追缴 宣告无效"
)
#: The licence as a penalty may name it.
NAMED: Final = (
    NAME,
    f"《{NAME}》（{NUMBER}）",
    "食品证",
    "食品流通许可证",
    "餐饮服务许可证",
    "食品经营许可",
    f"卫生许可证（{NUMBER}）",
    "卫生许可证（JY[2023]000123）",
    "卫生许可证（示许[2023]1号）",
)
UNNAMED: Final = (
    "许可证件",
    "其许可证",
    "JY[2023]000123",
    "(示)JY-2023-000123",
    "证照（(示)JY〔2023〕000\n123）",
)
EMPTY: Final = (None, "", "/", "无", "4", "-", "12", "详见附件")
SEE: Final = ("详见行政处罚决定书", "见附件", "/", None, "无", "4", "行政处罚")


def penalty_that_ends_it(deal: Deal) -> list[Event]:
    named = deal.one((*NAMED, *UNNAMED))
    taken = f"{deal.one(TAKING)}{named}"
    return penalty(2, deal.one(DECIDED), **_written(deal, taken, named))


def penalty_that_ends_it_by_name(deal: Deal) -> list[Event]:
    named = deal.one(NAMED)
    return penalty(2, deal.one(DECIDED), **_written(deal, f"{deal.one(TAKING_IT)}{named}", named))


DECIDED: Final = ("2026-02-01", None, "2062-02-01")


def _written(deal: Deal, taken: str, named: str) -> dict[str, Any]:
    """Return the columns that may say what is taken."""
    fined = {"categories": ["罚款"], "penalty_content": "罚款2000元", "licences_affected": "/"}
    column = deal.one((*EMPTY, True))
    told = deal.one(
        (
            {"categories": ["吊销许可证件"], "penalty_content": taken},
            {"categories": ["其他"], "penalty_content": f"罚款2000元，{taken}。"},
            {"categories": [taken], "penalty_content": "见附件"},
            {"categories": ["4"], "penalty_content": "", "remarks": taken},
            fined | {"remarks": taken},
            fined | {"title": f"关于{taken}的行政处罚决定书"},
            fined | {"licences_affected": taken},
        )
    )
    return {"licences_affected": named if column is True else column} | told


def penalty_that_names_it_in_its_column(deal: Deal) -> list[Event]:
    """Whatever kind is told, the column tells of certificates that are taken."""
    named: dict[str, Any] = {
        "licences_affected": deal.one((*NAMED[:6], "(示)JY[2023]000123", "JY〔2023〕000123"))
    }
    kind: dict[str, Any] = {
        "categories": [deal.one(("罚款", "吊销许可证件", "其他", "警告", "没收"))]
    }
    return penalty(2, penalty_content=deal.one(("罚款2000元", *SEE)), **named, **kind)


def penalty_that_closes_the_business(deal: Deal) -> list[Event]:
    content = deal.one(
        (
            "责令关闭，收回食品经营许可证",
            "责令关闭",
            "依法关闭",
            "予以关闭",
            "关停",
            "取缔",
            "责令停业整顿，扣留食品经营许可证",
            "罚款5000元，暂时扣留许可证",
            "罚款5000元；责令交回食品经营许可证",
            "撤消食品经营许可证，罚款5000元",
            "警告；罚款；扣证三个月",
            "吊照",
            "吊证处罚",
            "停用食品经营许可证",
            "吊销营业执照、许可证",
            "吊销营业执照和相关许可证",
            "吊销道路运输经营许可证等相关许可证",
            "吊销道路运输经营许可证及其他许可证",
        )
    )
    return penalty(2, categories=["其他"], penalty_content=content)


def suspension_that_did_not_end(deal: Deal) -> list[Event]:
    told: tuple[str, Any] = deal.one(
        (
            ("暂扣三个月，逾期不改的吊 销食品经营许可证", ENDED),
            ("暂扣食品经营许可证，直至整改合格", ENDED),
            ("暂扣食品经营许可证至整改合格为止", ENDED),
            ("暂扣食品经营许可证，整改合格后发还", ENDED),
            ("暂扣食品经营许可证", {"valid_to": dt.date(2025, 3, 1)}),
            ("暂扣食品经营许可证", {"valid_to": None}),
            ("扣证", {"valid_to": dt.date(2026, 6, 1)}),
        )
    )
    return penalty(2, categories=["暂扣许可证件"], penalty_content=told[0], **told[1])


def suspension_that_contradicts_itself(deal: Deal) -> list[Event]:
    told: dict[str, Any] = {"categories": ["暂扣许可证件"], "licences_affected": NAME, **ENDED}
    return [
        *penalty(2, penalty_content="暂扣三个月", **told),
        *penalty(2, penalty_content=deal.one(("暂扣六个月", "暂扣12个月")), **told),
    ]


def penalty_with_the_number_of_an_older_term(deal: Deal) -> list[Event]:
    old = licence("示许〔2018〕5号", days=BEFORE, number="(示)JY〔2018〕000055")
    text = f"{NAME}（原证号(示)JY〔2018〕000055{deal.one(('', '，现证号不详', '、证号20230456'))}）"
    return [*old, *penalty(2, categories=["吊销许可证件"], licences_affected=text)]


def penalty_with_the_number_of_another_licence_too(deal: Deal) -> list[Event]:
    other = licence(
        "示许〔2024〕6号", number="(示)JY〔2024〕000066", name=NAME, told={"issuer": POLICE_2}
    )
    text = f"{NAME}（(示)JY〔2024〕000066{deal.one(('、证号20230456', '；原证号2018000123'))}）"
    return [*other, *penalty(2, categories=["吊销许可证件"], licences_affected=text)]


POLICE_2: Final = uscc(18, kind="11")


def penalty_of_the_identifier(deal: Deal) -> list[Event]:
    spelt = deal.one(("1.2.156.3005.2.11990100MB0099A001.000123", "SPJY〔2023〕00088号"))
    text = f"吊销《卫生许可证》（{spelt}）"
    return penalty(2, categories=["吊销许可证件"], penalty_content=text)


def penalty_whose_kind_is_not_told(deal: Deal) -> list[Event]:
    kind = deal.one((["其他"], ["4"], ["/"], [], ["行政处罚"]))
    told: dict[str, Any] = {
        "categories": kind,
        "penalty_content": deal.one(SEE),
        "licences_affected": None,
    }
    return penalty(2, deal.one(DECIDED), fine_yuan=None, kind=deal.one(("penalty", None)), **told)


def penalty_whose_record_was_repaired(deal: Deal) -> list[Event]:
    """A licence that was revoked stays revoked, whatever becomes of the credit record."""
    told: dict[str, Any] = {"categories": ["吊销许可证件"], "licences_affected": NAME}
    past = dt.date(2026, 4, 1)
    [made] = penalty(2, **told)
    return deal.one(
        (
            [made, beside(made, "repair", "approved")],
            penalty(2, publication_to=past, **told),
            [made, *penalty(2, penalty_content="吊销", **told)],
        )
    )


def business_licence_revoked(deal: Deal) -> list[Event]:
    content = deal.one(
        (
            "吊销营业执照",
            "吊\n销《营业执照》",
            "吊销执照",
            "撤销营业 执照",
            "吊照",
            f"吊销《工商登记证书》（统一社会信用代码{SUBJECT}）",
        )
    )
    column = deal.one((None, "/", "无"))
    return penalty(2, categories=["其他"], penalty_content=content, licences_affected=column)


def struck_off(deal: Deal) -> list[Event]:
    state = deal.one(("revoked", "cancelled", "annulled"))
    begins = deal.one((None, dt.date(2026, 4, 1), dt.date(2020, 1, 1)))
    publisher = deal.one(("register", "province"))
    return registration("r2", state, effective_from=begins, publisher=publisher)


def qualification_lowered(deal: Deal) -> list[Event]:
    taken = deal.one(
        (
            "降低资质等级",
            "降级",
            "吊销资质证书",
            "吊销施工总承包资质",
            "吊销安全生产许可证和资质证书",
        )
    )
    return penalty(2, categories=["其他"], penalty_content=taken)


#: What stops a business, in the words for one kind.
STOPS: Final = (
    "责令停产\n停业",
    "责令停产 停业",
    "责令停产、停业",
    "责令停业整顿三个月",
    "停止营业",
    "停工整改",
    "停产整治",
    "责令停店整顿",
    "停办",
    "暂停营业",
    "歇业整顿",
    "关门整改",
    "不得继续经营",
    "不准营业",
    "禁止营业",
    "罚款2万元，责令停止食品经营活动",
    "责令停止从事一切生产经营",
)


def order_that_stops_the_business(deal: Deal) -> list[Event]:
    text = deal.one([one for one in STOPS if "停工" not in one])
    more = (
        "停诊三个月",
        "不得承接新业务",
        "禁止从事食品销售",
        "限制开展生产经营活动",
        "取消备案",
        "摘牌",
    )
    content = deal.one((text, f"罚款5000元；{deal.one(more)}", deal.one(more)))
    return penalty(2, categories=[deal.one(("其他", "罚款"))], penalty_content=content)


def stop_of_business(deal: Deal) -> list[Event]:
    text = deal.one(STOPS)
    told = deal.one(
        (
            {"categories": ["其他"], "penalty_content": text},
            {"categories": [text], "penalty_content": "见决定书"},
            {"categories": ["罚款"], "penalty_content": f"罚款2000元；{text}"},
            {"categories": ["罚款"], "remarks": text},
            {"categories": ["罚款"], "title": f"{text}决定书"},
        )
    )
    return penalty(2, deal.one((*DECIDED, "2026-12-01")), **told)


def check_of_a_kind_not_told(deal: Deal) -> list[Event]:
    kind = deal.one((["其他"], ["4"], [], ["行政处罚"]))
    return penalty(2, deal.one(DECIDED), categories=kind, penalty_content=deal.one(SEE))


def check_of_what_is_disputed(deal: Deal) -> list[Event]:
    [made] = penalty(2, categories=["责令停产停业"])
    return deal.one(
        (
            [made, beside(made, "objection", "raised")],
            [made, *penalty(2, categories=["警告"], penalty_content="警告")],
            [*penalty(2, categories=["警告"], penalty_content="警告"), *penalty(2)],
        )
    )


#: A fine of three million yuan, or of nobody knows how much.
FINES: Final = (
    "罚款人民币叁佰万元整",
    "罚款贰佰伍拾万元",
    "罚款300万元",
    "罚款300万",
    "处3,000,000元罚款",
    "处三百万元的罚款",
    "罚 款\n300 万元",
    "罚款120万元；罚款130万元",
    "处货值金额五倍罚款",
    "罚款300余万元",
    "罚款约三百五万元",
    "每平方米罚款30元",
    "处以300万元",
    "罚三百万元",
    "并处罚款",
    "罚款",
    "罚款（详见决定书）",
    "罚没款300万元",
    "3000000元",
    "人民币300万元",
)


def fine_in_words(deal: Deal) -> list[Event]:
    told: dict[str, Any] = {
        "penalty_content": deal.one(FINES),
        "fine_yuan": deal.one((None, Decimal(0))),
    }
    return penalty(2, categories=[deal.one(("罚款", "其他", "警告"))], **told)


def fine_not_told_at_all(deal: Deal) -> list[Event]:
    told: dict[str, Any] = {
        "penalty_content": deal.one(SEE),
        "fine_yuan": deal.one((None, Decimal(0))),
    }
    return penalty(2, deal.one(DECIDED), categories=[deal.one(("罚款", "其他", "4"))], **told)


def fine_greater_in_words_than_in_its_column(deal: Deal) -> list[Event]:
    text = deal.one(
        ("罚款人民币叁佰万元整", "警告，罚 款300万元", "处3,000,000元罚款", "处叁佰万元整的罚款")
    )
    return penalty(2, categories=["罚款"], penalty_content=text, fine_yuan=Decimal(300))


def listing(deal: Deal) -> list[Event]:
    told: dict[str, Any] = {
        "kind": "listing",
        "list_code": deal.one(("A01", None)),
        "categories": [],
    }
    return penalty(2, deal.one(DECIDED), penalty_content=None, fine_yuan=None, **told)


def newer_list_without_it(deal: Deal) -> list[Event]:
    year = deal.one(("2026", "2026年度", "２０２６", "纳税信用2026", "2 0 2 6"))
    return grade(year, uscc(3))


def grade_that_holds_no_more(deal: Deal) -> list[Event]:
    [made] = grade("2025")
    return [made, beside(made, deal.one(("withdrawal",)), "withdrawn")]


#: What a scope permits no more.
SCOPES: Final = (
    "专业承包（不含施工总承包）",
    "专业承包，不包括施工总承包",
    "除施工总承包外的建筑业务",
    "专业承包（施工总承包除外）",
    "不得从事施工 总承包",
    "施工总承包以外的专业承包",
    "专业承包；施工总承包（已注销）",
    "专业承包；建筑工程施工总承包二级已核减",
    "施工总承包：无；专业承包：有",
    "□施工总承包 ☑专业承包",
    "施工总承包×；专业承包√",
    "承接施工总承包企业分包的专业工程",
    "为施工总承包企业提供劳务",
    "原施工总承包二级变更为专业承包二级",
    "拟申请施工总承包",
    "专业承包（尚未取得施工总承包）",
    "施工总承包（不含房屋建筑施工总承包）",
    "专业承包",
    None,
)


def scope_taken_away(deal: Deal) -> list[Event]:
    return [one | {"sequence": 3} for one in builder(scope=deal.one(SCOPES))]


#: Ways by which a paper is lost, and what the enterprise held before.
WAYS: Final = [
    ("licence", penalty_that_ends_it, HELD),
    ("licence", penalty_that_ends_it_by_name, HELD),
    ("licence", penalty_that_names_it_in_its_column, HELD),
    ("licence", penalty_that_closes_the_business, HELD),
    ("licence", suspension_that_did_not_end, HELD),
    ("licence", suspension_that_contradicts_itself, HELD),
    ("licence", penalty_with_the_number_of_an_older_term, HELD),
    ("licence", penalty_with_the_number_of_another_licence_too, HELD),
    ("licence", penalty_of_the_identifier, SPELT),
    ("licence", penalty_whose_kind_is_not_told, HELD),
    ("licence", penalty_whose_record_was_repaired, HELD),
    ("entry", struck_off, HELD),
    ("entry", business_licence_revoked, HELD),
    ("builder", qualification_lowered, HELD),
    ("builder", scope_taken_away, HELD),
    ("licence", order_that_stops_the_business, HELD),
    ("builder", order_that_stops_the_business, HELD),
    ("stop", stop_of_business, HELD),
    ("stop", check_of_a_kind_not_told, HELD),
    ("stop", check_of_what_is_disputed, HELD),
    ("fine", fine_in_words, HELD),
    ("fine", fine_not_told_at_all, HELD),
    ("fine", fine_greater_in_words_than_in_its_column, HELD),
    ("listed", listing, HELD),
    ("grade", newer_list_without_it, HELD),
    ("grade", grade_that_holds_no_more, HELD),
]
