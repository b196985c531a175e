"""Ways in which an enterprise loses a licence, told by licence records as departments write them."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from tests.property.lost_deal import Deal, listed
from tests.property.lost_records import (
    BUILDERS,
    FIRST,
    HELD,
    LANDED,
    NAME,
    NUMBER,
    ORGAN,
    OTHER_NAME,
    OTHERS,
    Days,
    Event,
    builder,
    event,
    licence,
)
from tests.support.codes import uscc

LOST: Final = ("revoked", "annulled", "cancelled", "suspended", "other")
#: The licence's number as it may stand in another document.
NUMBERS: Final = (
    NUMBER,
    "（示）ＪＹ［２０２３］０００１２３",
    "(示) jy [2023] 000123",
    "【示】JY【2023】000123",
    "JY〔2023〕000123",
    "（示）JY〔2023〕000\n123",
    "(示)JY-2023-000123",
    "(示)JY〔2023〕—000123",
    "\u200b(示)JY〔2023〕000123",
    "《示》JY〔2023〕000123",
    "(示)JY〔2023〕第000123号",
    "(示)JY〔2023〕123",
    "(示)JY〔二〇二三〕000123",
    "(示)JY〔2O23〕0OO123",
    "编号：(示)JY〔2023〕000123",
    "(示范)JY〔2023〕000123",
    "许可证编号(示)JY〔2023〕000123（副本）",
)
#: What stands in the column of the licence's number where it is not told.
NO_NUMBERS: Final = (
    *(None, "", "/", "无", "-", "NULL", "0", "00000", "详见决定书", "2", "9号", "〔2026〕9号"),
    "示撤决字〔2026〕9号",
)
#: The certificate's name as it may be written, or not at all.
NAMES: Final = (
    NAME,
    f"《{NAME}》",
    f"{NAME}（副本）",
    "食品经营 许可证",
    "食品证",
    "食品流通许可证",
    "餐饮服务许可证",
    "食品销售许可证",
    "食品经营许可",
    "许可证",
    "行政许可撤销决定书",
    None,
    "/",
)
#: The days of a document that ends the licence: its own, the first term's, none, or a slip.
DAYS: Final[tuple[Days, ...]] = (
    ("2026-04-01", "2026-04-01", "2028-03-04"),
    ("2026-04-01", "2023-03-05", "2028-03-04"),
    ("2026-04-01", "2023-02-28", "2028-03-04"),
    ("2026-04-01", "2026-06-01", None),
    ("2026-04-01", None, None),
    ("2023-03-01", "2023-03-01", "2028-03-04"),
    (None, "2026-04-01", None),
    (None, "2062-04-01", None),
    (None, None, None),
    ("2062-04-01", "2023-03-05", "2028-03-04"),
)
#: Those of a document that is in force by its own state: what has not begun says nothing yet.
BEGUN: Final = tuple(days for days in DAYS if days[1] not in ("2026-06-01", "2062-04-01"))
LATER: Final[Days] = ("2026-04-01", "2023-03-05", "2028-03-04")
OWN: Final = "示许撤〔2026〕9号"
#: Words by which a document's name says that it ends a licence.
TITLES: Final = listed(
    "撤销 撤消 注销 注消 吊销 吊消 撤回 收回 收缴 缴销 作废 废止 失效 终止 取消 "
    "暂扣 吊扣 暂停 中止 吊照 吊证 撤证 缴回 交回 扣留 扣押 冻结 降级 停用 停业 "
    "停产 取缔 责令关闭 不予延续 撒销 註銷 吊銷 歇业"
)
#: The same of what a remark or a scope says.
TEXTS: Final = (
    *(
        f"2026年4月{word}"
        for word in listed("撤销 撤消 注销 注消 吊销 吊消 缴销 作废 暂扣 吊扣 失效")
    ),
    *(
        f"2026年4月1日已{word}"
        for word in listed(
            "撤回 收回 收缴 缴回 交回 取消 终止 停用 暂停 中止 冻结 废止 关闭 停业 歇业 "
            "退证 撤证 转出 迁出 降级 责令停业"
        )
    ),
    *(f"依决定被{word}" for word in listed("撤回 收回 收缴 取消 终止 暂停 中止 冻结 关闭")),
    *(
        f"食品经营许可证{word}"
        for word in listed("撤回 收回 收缴 缴回 交回 取消 终止 停用 暂停 中止 冻结 废止 无效")
    ),
    *("逾期注销", "依法应予注销", "代为注销", "已撒销", "註 銷", "注·销", "停牌", "到期未延续"),
    *("不准予延期", "许可证已上交", "扣缴证照", "没收许可证", "是否有效：否", "企业已破产"),
    *("主动放弃", "无效", "已于2026年4月1日迁出", "作 废", "吊\n销", "2026-04-01被市局 暂扣"),
)


def own_document_numbered(deal: Deal) -> list[Event]:
    told: dict[str, Any] = {"number": deal.one(NUMBERS), "name": deal.one(NAMES)}
    return licence(OWN, deal.one(LOST), deal.one(DAYS), **told)


def own_document_without_a_number(deal: Deal) -> list[Event]:
    told: dict[str, Any] = {"number": deal.one(NO_NUMBERS), "name": deal.one(NAMES)}
    return licence(OWN, deal.one(LOST), deal.one(DAYS), **told)


def own_document_by_its_own_number(deal: Deal) -> list[Event]:
    own = deal.one(
        (("示许撤〔2026〕9号", "示许撤[2026] 9号"), ("SPZX202600012", "ＳＰＺＸ-202600012"))
    )
    return licence(own[0], deal.one(LOST), deal.one(DAYS), number=own[1], name=deal.one(NAMES))


def own_document_numbered_by_the_first(deal: Deal) -> list[Event]:
    return licence(OWN, deal.one(LOST), deal.one(DAYS), number="SPJY 2023-00088号", name=OTHER_NAME)


def own_document_that_names_the_number_in_a_text(deal: Deal) -> list[Event]:
    text = deal.one(
        ("（示）JY[2023]000123号食品经营许可证", "证号JY〔2023〕000123", "示JY2023000123")
    )
    told: dict[str, Any] = {deal.one(("scope", "document_name", "name", "remarks")): text}
    return licence(OWN, deal.one(LOST), deal.one(DAYS), **({"number": "GS-2026-777001"} | told))


def own_document_of_the_same_identifier(deal: Deal) -> list[Event]:
    same: dict[str, Any] = deal.one(
        ({"identifier": "1.2.156.3005.2 11990100MB0099A001 000123"}, {"type_code": "11100000012"})
    )
    return licence(OWN, deal.one(LOST), deal.one(DAYS), number=None, name=OTHER_NAME, **same)


def first_document_spelt_otherwise(deal: Deal) -> list[Event]:
    spelt = deal.one(
        ("示许[2023]1号", "示许（２０２３）1號", "示许〔2023〕 1号", "示许〔2023〕001号")
    )
    told: dict[str, Any] = {"number": deal.one(NO_NUMBERS), "name": deal.one((NAME, OTHER_NAME))}
    return licence(spelt, "revoked", deal.one(DAYS), **told)


def qualification_under_another_of_its_names(deal: Deal) -> list[Event]:
    name = deal.one(
        ("施工总承包资质证书", BUILDERS, "建筑业企业资质", "资质证书", "市政公用工程资质证书", None)
    )
    return builder(OWN, deal.one(LOST), days=deal.one(DAYS), number=None, name=name)


def document_in_force_that_ends_it(deal: Deal) -> list[Event]:
    title = deal.one(TITLES)
    told: dict[str, Any] = deal.one(
        (
            {"document_name": f"食品经营许可{title}决定书"},
            {"document_name": f"关于{title[0]} {title[1:]}《食品经营许可证》的决定"},
            {"name": f"食品经营许可证（{title}）"},
        )
    )
    found = deal.one((*NUMBERS[:4], *NO_NUMBERS[:4]))
    return licence("示许注〔2026〕9号", "in_force", deal.one(BEGUN), number=found, **told)


#: What a clerk writes beside a state that he left as it was.
REASONS: Final = (
    *(
        "门店已关",
        "停办",
        "已停办",
        "销号",
        "证件收走",
        "已结业",
        "原证作废",
        "已变更，旧证收回",
        "已转让",
    ),
    *("企业申请", "暂不使用", "不再续办", "无证", "人去楼空", "zhuxiao", "已ZX"),
)


def document_in_force_whose_content_ends_it(deal: Deal) -> list[Event]:
    text = deal.one(
        (
            "撤 销食品经营许可证（示）JY〔2023〕000123",
            "吊销",
            "准予注销",
            "决定收回食品经营许可证",
            "依法撤回",
            "准予废止",
            "你单位提交的食品经营许可证注销申请，符合法定条件，准予注销。",
            *TEXTS,
        )
    )
    told: dict[str, Any] = {
        deal.one(("scope", "remarks")): text,
        "number": deal.one((None, "/", NUMBER)),
    }
    return licence("示许注〔2026〕9号", "in_force", deal.one(BEGUN), **told)


def document_for_a_term_that_nobody_means(deal: Deal) -> list[Event]:
    state = deal.one(("in_force", "suspended", "other"))
    told: dict[str, Any] = {
        "effective_from": dt.date(2026, 4, 1),
        "issuer_name": "示范市市场监督管理局",
    }
    days = ("2026-04-01", "2062-04-01", None)
    return licence(OWN, state, days, told, number=deal.one((*NUMBERS[:4], None)))


def own_row_that_says_so_in_words(deal: Deal) -> list[Event]:
    text = deal.one(TEXTS)
    told: dict[str, Any] = deal.one(
        (
            {"remarks": text},
            {"remarks": f"地址更正；{text}。"},
            {"scope": f"热食类食品制售（{text}）"},
            {"scope": text},
        )
    )
    hours = deal.one((0, 1))
    mended: dict[str, Any] = {"sequence": 7, "landed_at": LANDED + dt.timedelta(hours=hours)}
    return licence(told=mended, **told)


def good_state_with_a_reason_that_ends_it(deal: Deal) -> list[Event]:
    reason = deal.one((*REASONS, *TEXTS))
    decision, standing = licence(told={"sequence": 7})
    return [decision, standing | {"standing": {"state": "in_force", "reason": reason}}]


def own_row_with_a_sign_of_an_ending(deal: Deal) -> list[Event]:
    remark = deal.one((*REASONS, "已吊", "证停", "关 門", "Void", "ZX", "×", "失联", "查无下落"))
    return licence(told={"sequence": 7}, remarks=remark)[:1]


def own_row_titled_so(deal: Deal) -> list[Event]:
    told: dict[str, Any] = {"document_name": f"食品经营许可{deal.one(TITLES)}决定书"}
    return licence(told={"sequence": 7}, **told)


def own_record_in_doubt(deal: Deal) -> list[Event]:
    return deal.one(
        (
            licence(scope="糕点类食品制售")[:1],
            licence(told={"sequence": 2}, days=("2023-03-01", "2023-03-05", None))[:1],
            licence(told={"sequence": 2}, subject_name="示范企业2有限公司")[:1],
            [event("licence", "objection", FIRST, {"state": "raised"})],
            [event("licence", "withdrawal", FIRST, {"state": "withdrawn"})],
        )
    )


def other_document_in_doubt(deal: Deal) -> list[Event]:
    """The decision contradicts itself, or is not usable: whatever it says, it may end the licence."""
    document = licence("示许变〔2026〕3号", days=LATER, number=deal.one(NUMBERS))
    second = licence("示许变〔2026〕3号", days=LATER, number=None, scope="糕点类食品制售")
    return [*document, *second[:1]]


def old_document_revoked_and_the_new_one_reworded(deal: Deal) -> list[Event]:
    days = ("2025-04-01", "2025-04-01", "2028-03-04")
    landed = LANDED + dt.timedelta(hours=deal.one((1, 2, 3, 4, 5)))
    state = {"state": deal.one(("revoked", "annulled"))}
    revoked = event("licence", "standing", FIRST, state, sequence=7, landed_at=landed)
    told: dict[str, Any] = {"sequence": 2, "landed_at": landed + dt.timedelta(hours=1)}
    reworded = licence("示许变〔2025〕3号", days=days, told=told, remarks="地址更正")[0]
    return [*licence("示许变〔2025〕3号", days=days), revoked, reworded]


def old_document_revoked_before_a_change(deal: Deal) -> list[Event]:
    """The change keeps the term that the revocation ended."""
    change = licence("示许变〔2025〕3号", days=("2025-04-01", "2023-03-05", "2028-03-04"))
    state = deal.one(("revoked", "annulled"))
    return [
        *change,
        *licence(OWN, state, ("2024-06-01", "2024-06-01", None), number=deal.one(NUMBERS)),
    ]


def older_document_stopped_by_a_day_of_its_own(deal: Deal) -> list[Event]:
    document = "示许〔2022〕9号"
    state = {"state": deal.one(("revoked", "annulled", "suspended"))}
    day = {"effective_from": dt.date(2026, 4, 1), "sequence": 2}
    decision = licence(document, days=("2022-01-01", "2022-01-01", "2028-03-04"))[0]
    return [decision, event("licence", "standing", document, state, **day)]


def change_that_shortens_the_term(deal: Deal) -> list[Event]:
    begins = deal.one(("2022-01-01", "2023-03-05", "2026-04-01", None))
    shortened = ("2026-04-01", begins, deal.one(("2026-05-03", "2026-04-30")))
    return licence("示许变〔2026〕3号", days=shortened, number=deal.one(NUMBERS))


def of_another_layout_or_organ(deal: Deal) -> list[Event]:
    other = uscc(17, kind="11")
    branch = "示范市市场监督管理局东区分局"
    told: dict[str, Any] = deal.one(
        (
            {"layout": "native"},
            {"issuer": other, "issuer_name": branch},
            {"publisher": "province", "issuer": other},
            {"publisher": "province", "issuer": other, "issuer_name": "示范市 市场监督管理局\n"},
            {"publisher": "province", "issuer_name": None},
            {"publisher": "province", "issuer_name": None, "issuer": ORGAN.lower()},
        )
    )
    return licence(OWN, "revoked", deal.one(DAYS), told, number=deal.one(NO_NUMBERS))


def of_any_organ_by_the_number(deal: Deal) -> list[Event]:
    other = {"publisher": "province", "issuer": uscc(17, kind="11"), "issuer_name": "示范省监管局"}
    found = {"number": deal.one(NUMBERS), "name": deal.one(NAMES)}
    return licence(OWN, deal.one(LOST), deal.one(DAYS), other, **found)


def standing(deal: Deal, key: str, **told: Any) -> list[Event]:
    state = deal.one(("revoked", "annulled", "cancelled", "transferred_out"))
    return [event("licence", "standing", key, {"state": state}, **({"sequence": 7} | told))]


def standing_that_should_not_lapse(deal: Deal) -> list[Event]:
    ended = {"effective_from": dt.date(2026, 3, 1), "effective_to": dt.date(2026, 4, 1)}
    return standing(deal, FIRST, **ended)


def standing_from_a_day_that_nobody_means(deal: Deal) -> list[Event]:
    return standing(deal, FIRST, effective_from=dt.date(2062, 3, 1))


def standing_under_a_key_of_its_own(deal: Deal) -> list[Event]:
    keys = ("示许[2023]1号", "示许（2023）1号", "(示)JY[2023]000123", "JY9", OWN, "")
    organ = deal.one((ORGAN, ORGAN.lower(), f"{ORGAN[:9]} {ORGAN[9:]}"))
    return standing(deal, "", publisher="food", record_key=f"{organ}/{deal.one(keys)}")


def first_document_revoked_after_a_change(deal: Deal) -> list[Event]:
    changed = licence("示许变〔2025〕3号", days=("2025-04-01", "2025-04-01", "2028-03-04"))
    landed = LANDED + dt.timedelta(hours=deal.one((1, 2, 3, 4, 5)))
    state = {"state": deal.one(("revoked", "annulled", "suspended"))}
    return [*changed, event("licence", "standing", FIRST, state, sequence=7, landed_at=landed)]


#: A licence whose document has a number like a certificate's, and identifiers.
SPELT: Final = [
    *licence(
        document="SPJY202300088号",
        identifier="1.2.156.3005.2.11990100MB0099A001.000123",
        type_code="11100000012",
    ),
    *OTHERS,
]

#: Ways by which a licence is lost, and what the enterprise held before.
WAYS: Final = [
    ("licence", own_document_numbered, HELD),
    ("licence", own_document_without_a_number, HELD),
    ("licence", own_document_by_its_own_number, HELD),
    ("licence", own_document_numbered_by_the_first, SPELT),
    ("licence", own_document_that_names_the_number_in_a_text, HELD),
    ("licence", own_document_of_the_same_identifier, SPELT),
    ("builder", qualification_under_another_of_its_names, HELD),
    ("licence", first_document_spelt_otherwise, HELD),
    ("licence", document_in_force_that_ends_it, HELD),
    ("licence", document_in_force_whose_content_ends_it, HELD),
    ("licence", document_for_a_term_that_nobody_means, HELD),
    ("licence", own_row_that_says_so_in_words, HELD),
    ("licence", good_state_with_a_reason_that_ends_it, HELD),
    ("licence", own_row_with_a_sign_of_an_ending, HELD),
    ("licence", own_row_titled_so, HELD),
    ("licence", own_record_in_doubt, HELD),
    ("licence", other_document_in_doubt, HELD),
    ("licence", old_document_revoked_and_the_new_one_reworded, HELD),
    ("licence", old_document_revoked_before_a_change, HELD),
    ("licence", older_document_stopped_by_a_day_of_its_own, HELD),
    ("licence", change_that_shortens_the_term, HELD),
    ("licence", of_another_layout_or_organ, HELD),
    ("licence", of_any_organ_by_the_number, HELD),
    ("licence", standing_that_should_not_lapse, HELD),
    ("licence", standing_from_a_day_that_nobody_means, HELD),
    ("licence", standing_under_a_key_of_its_own, HELD),
    ("licence", first_document_revoked_after_a_change, HELD),
]
