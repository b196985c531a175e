"""Which documents of a licence end it, by their names, contents and remarks."""

from __future__ import annotations

import time

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.answer.columns.lost import with_ending
from flows.answer.ending import COLUMNS, ending
from schemas.ending_words import SIGNS, VERBS


@pytest.mark.parametrize(
    ("column", "text", "made"),
    [
        ("document_name", "食品经营许可注销决定书", "cancelled"),
        ("document_name", "关于撤 销某公司食品经营许可的决定", "annulled"),
        ("document_name", "安全生产许可证暂扣通知书", "suspended"),
        ("name", "道路运输经营许可证（吊销）", "revoked"),
        ("scope", "准予注销", "cancelled"),
        ("scope", "经审查，决定准予注销你单位的许可证", "other"),
        ("scope", "热食类食品制售（作废）", "other"),
        ("remarks", "该证已于2026年4月1日被吊销", "revoked"),
        ("remarks", "热食类食品制售，该证已于2026年4月1日被吊销", "other"),
        ("remarks", "现决定如下：注销该许可证", "other"),
        ("remarks", "将其许可证注销", "other"),
        ("remarks", "因有效期届满未延续，予以注销", "other"),
        ("remarks", "遗失，声明作废", "other"),
        ("remarks", "餐饮服务许可证已注销", "other"),
        ("scope", "热食类食品制售，餐饮服务（已注销）", "other"),
        ("remarks", "2026年4月1日由政务服务中心注销", "cancelled"),
        ("remarks", "企业申请，如皋市局已注销该证", "other"),
        ("remarks", "经如东县市场监管局注销", "other"),
        ("remarks", "注销原因：企业主动申请", "cancelled"),
        ("remarks", "因原经营场所拆除注销", "other"),
        ("remarks", "被原食品药品监督管理局撤销", "other"),
        ("remarks", "2024年变更地址，目前已注销", "other"),
        ("remarks", "因有效期届满未延续，目前该证已注销", "other"),
        ("remarks", "未办理延续，许可证正本已收缴作废", "other"),
        ("remarks", "该证自2026年4月1日起失效", "other"),
        ("remarks", "证书被取消", "other"),
        ("remarks", "许可终止", "other"),
        ("remarks", "许可证暂停使用", "other"),
        ("remarks", "已过期作废", "other"),
        ("scope", "热食类食品制售（许可证被收回）", "other"),
        ("scope", "热食类食品制售（已停业）", "other"),
        ("document_name", "关于宣布食品经营许可证无效的公告", "cancelled"),
        ("document_name", "建筑业企业资质降级决定书", "cancelled"),
        ("document_name", "扣留许可证通知书", "suspended"),
        ("document_name", "逾期注销食品经营许可证决定书", "cancelled"),
        ("document_name", "不予行政许可延续决定书", "cancelled"),
        ("document_name", "註銷決定書", "cancelled"),
        ("document_name", "食品经营许可证撒销决定书", "annulled"),
        ("document_number", "示许撤〔2026〕9号", "annulled"),
        ("document_number", "示许注销字〔2026〕9号", "cancelled"),
        ("scope", "代为注销《食品经营许可证》", "cancelled"),
        ("scope", "逾期注销食品经营许可证", "cancelled"),
        ("scope", "取消食品经营许可证", "cancelled"),
        ("scope", "中止食品经营许可", "suspended"),
        ("scope", "热食类食品制售（停业）", "other"),
        ("remarks", "逾期注销", "other"),
        ("remarks", "依法应予注销", "other"),
        ("remarks", "代为注销", "other"),
        ("remarks", "已撒销", "annulled"),
        ("remarks", "到期未延续", "other"),
        ("remarks", "有效期届满未申请延续", "other"),
        ("remarks", "不准予延期", "other"),
        ("remarks", "扣缴证照", "other"),
        ("remarks", "已上交", "other"),
        ("remarks", "停牌", "other"),
        ("remarks", "吊 銷", "revoked"),
        ("remarks", "没收许可证", "other"),
        ("remarks", "有效：否", "other"),
        ("remarks", "已过期", "other"),
        ("remarks", "企业已破产", "other"),
        ("remarks", "清算中", "other"),
        ("remarks", "迁往外省", "other"),
        ("remarks", "不再符合许可条件", "other"),
        ("remarks", "cancelled", "other"),
        # An older paper, and no new one is told: it may be this one.
        ("remarks", "原证已注销", "other"),
        ("remarks", "旧证作废", "other"),
        ("remarks", "原证2026年注销", "other"),
        ("standing_reason", "逾期注销", "other"),
        ("standing_reason", "已撒销", "annulled"),
        ("standing_reason", "因有效期届满未延续", "other"),
        ("standing_reason", "依法吊销", "revoked"),
        ("remarks", "已变更，旧证收回", "other"),
        ("remarks", "已换证，原许可证交回", "other"),
        ("remarks", "经核查，查无下落", "other"),
        ("remarks", "企业已失联", "other"),
        ("remarks", "人去楼空，无法取得联系", "other"),
        ("remarks", "已转让", "other"),
        ("remarks", "zhuxiao", "other"),
        ("remarks", "ｚｕｏｆｅｉ", "other"),
        ("remarks", "已ZX", "other"),
        ("remarks", "×", "other"),
        ("remarks", "Ｘ", "other"),
        ("remarks", "企业申请", "other"),
        ("document_name", "食品经营许可证核销通知书", "cancelled"),
        ("document_name", "责令停办决定书", "cancelled"),
        ("document_name", "行政许可退出通知书", "cancelled"),
        ("document_name", "许可到期不续告知书", "cancelled"),
        ("document_name", "关停通知书", "cancelled"),
        ("remarks", "门店已关", "other"),
        ("remarks", "停办", "other"),
        ("remarks", "已销号", "other"),
        ("remarks", "证件收走", "other"),
        ("remarks", "已吊", "other"),
        ("remarks", "证停", "other"),
        ("remarks", "暂 不使用", "other"),
        ("remarks", "2026年起不再续", "other"),
        ("remarks", "无证", "other"),
        ("remarks", "法院裁定重整", "other"),
        ("remarks", "關門", "other"),
        ("remarks", "ｖｏｉｄ", "other"),
        ("remarks", "Closed", "other"),
        ("remarks", "ZX", "other"),
        ("standing_reason", "已结业", "other"),
        ("scope", "单位主动申请", "other"),
        ("scope", "一般液态单元（企业自愿申请）", "other"),
        ("remarks", "销证", "other"),
        ("document_number", "示许注〔2026〕9号", "other"),
        ("document_number", "示食药注字〔2026〕9号", "other"),
    ],
)
def test_a_text_that_ends_a_licence(column: str, text: str, made: str) -> None:
    assert ending({column: text}) == made


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("remarks", "遗失作废，已补发"),
        ("remarks", "原证作废，换发新证"),
        ("remarks", "变更法定代表人，旧证已收回"),
        ("remarks", "换发新证，原证号JY1注销"),
        ("remarks", "变更前许可证已注销"),
        ("remarks", "逾期未申请延续将依法注销"),
        ("scope", "热食类食品制售；企业注销代办服务"),
        ("remarks", "变更登记，注销原证"),
        ("remarks", "未被吊销"),
        ("remarks", "存续（未注销）"),
        ("remarks", "逾期自动作废"),
        ("remarks", "过期作废"),
        ("remarks", "如有违反，吊销许可证"),
        ("remarks", "违法的，可以吊销许可证；将依法吊销"),
        ("scope", "企业登记代理；代办注销登记；注销登记代理服务"),
        ("scope", "失效分析；报废机动车回收；废旧物资收购"),
        ("document_name", "准予恢复（解除暂扣）决定书"),
        ("document_name", "不予撤销行政许可决定书"),
        ("name", "报废机动车回收拆解资质证书"),
        ("document_name", "准予行政许可延续决定书"),
        ("document_number", "示许〔2026〕9号"),
        ("document_number", "吊装许〔2026〕9号"),
        ("remarks", "注销分公司"),
        ("remarks", "已注销分支机构一家"),
        ("remarks", "撤销处罚决定"),
        ("remarks", "有效期届满未延续的，本证自动失效"),
        ("remarks", "有效期届满需要延续的，应当在三十日前申请"),
        ("remarks", "到期换证"),
        ("remarks", "延续换证"),
        ("remarks", "违法的，应当吊销许可证"),
        ("scope", "预包装食品销售（不含注销品种）"),
        ("scope", "企业破产清算服务；终止妊娠手术；停车场"),
        ("scope", "代为办理注销手续"),
        ("remarks", "企业申请变更法定代表人"),
        ("remarks", "注销原许可证A-10"),
        ("remarks", "原证号JY2已作废"),
        ("standing_reason", "暂扣期满，予以恢复"),
        ("standing_reason", "新设"),
        ("scope", "技术转让；企业申请代办"),
        ("remarks", "联系人已变更"),
        ("remarks", "X型"),
        ("remarks", "停车场旁，含冷藏"),
        ("remarks", "已注册，缴费凭证附后"),
        ("remarks", "迁址"),
        ("remarks", "由外地迁入"),
        ("remarks", "韶关市；开封市"),
        ("remarks", "注：正本一份"),
        ("remarks", "附注见副本，含散装熟食"),
        ("remarks", "自动售货机；批零兼营"),
        ("remarks", "清真食品"),
        ("remarks", "退休返聘，已补缴"),
        ("remarks", "本证遗失补办"),
        ("remarks", "法定代表人失信记录：无失信"),
        ("remarks", "无停业情形"),
        ("remarks", "年检合格"),
        ("remarks", "有关材料已归档"),
        ("standing_reason", "准予延续"),
        ("document_number", "示注册许〔2026〕9号"),
    ],
)
def test_a_text_that_ends_none(column: str, text: str) -> None:
    assert ending({column: text}) is None


def test_an_older_paper_with_the_licences_own_number_is_the_licence() -> None:
    text = "原证号JY2026-5已作废"
    assert ending({"remarks": text, "number": "JY20265"}) == "other"
    assert ending({"remarks": text, "number": "JY20266"}) is None


@pytest.mark.parametrize(
    "signs",
    ["原", "不被", "遗失", "如", "代办", "登记", "撤", "（原", "原证", "未变更", "证已", "被已"],
)
def test_a_long_text_takes_no_long_time_to_read(signs: str) -> None:
    text = (signs * 20_000)[:20_000] + "。已注销"
    begun = time.process_time()
    assert ending({"remarks": text}) == "other"
    assert time.process_time() - begun < 1


@pytest.mark.parametrize(
    ("column", "text", "made"),
    [
        ("name", "示范企业有限公司（已注销）", "cancelled"),
        ("name", "（吊销，未注销）示范企业有限公司", "revoked"),
        ("business_scope", "该企业已歇业", "suspended"),
        ("address", "企业已注销", "cancelled"),
        ("entity_type", "有限责任公司（已注销）", "cancelled"),
        ("address", "示范路1号（该企业已吊销）", "revoked"),
        ("entity_type", "有限责任公司（自然人独资）", None),
        ("standing_reason", "依法应予注销", "other"),
        ("standing_reason", "因公司解散注销", "cancelled"),
        ("standing_reason", "核准变更", None),
        ("business_scope", "企业登记代理（注销、变更）", None),
        ("name", "示范注销代办（上海）有限公司", None),
        ("name", "示范失效分析技术（清算）有限公司", "cancelled"),
        ("business_scope", "破产清算服务；代办企业注销登记", None),
        ("business_scope", "停车场服务", None),
    ],
)
def test_an_entry_of_the_register_that_says_it_is_closed(
    column: str, text: str, made: str | None
) -> None:
    assert ending({"business_scope": "食品销售", column: text}) == made


def test_every_word_has_one_of_the_signs() -> None:
    assert [verb for verb in VERBS if not any(sign in verb for sign in SIGNS)] == []


PIECES = [
    *(
        *VERBS,
        "该证",
        "已",
        "被",
        "因",
        "未",
        "不予",
        "延续",
        "届满",
        "转让",
        "换证",
        "X",
        "原证",
        "申请",
        "特许",
        "备案",
        "停办",
        "门店已关",
        "ｖｏｉｄ",
        "停车",
        "关 门",
        "许可证",
        "《",
        "》",
        "（",
        "）",
    ),
    *(
        "：",
        "否",
        "有效",
        " ",
        "\n",
        "\u200b",
        "·",
        "註",
        "銷",
        "ｃａｎｃｅｌ",
        "热食",
        "，",
        "；",
        "2026年",
        "中",
    ),
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)


@given(
    st.lists(st.tuples(st.sampled_from(COLUMNS["licence"]), TEXTS, TEXTS), min_size=20, max_size=60)
)
@settings(max_examples=60, deadline=None)
def test_columns_and_rows_find_the_same_endings(made: list[tuple[str, str, str]]) -> None:
    rows = [
        dict.fromkeys(COLUMNS["licence"]) | {column: text, "remarks": remark}
        for column, text, remark in made
    ]
    schema = dict.fromkeys(COLUMNS["licence"], pl.String)
    frame = pl.DataFrame(rows, schema).with_row_index("nr")
    found = with_ending(frame).sort("nr")["ending"].to_list()
    assert found == [ending(row) for row in rows]
