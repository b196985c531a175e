"""Which documents of a licence end it, by their names, contents and remarks."""

from __future__ import annotations

import time

import pytest

from flows.answer.ending import ending


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
        ("remarks", "原证已注销"),
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
    ],
)
def test_a_text_that_ends_none(column: str, text: str) -> None:
    assert ending({column: text}) is None


@pytest.mark.parametrize(
    "signs",
    ["原", "不被", "遗失", "如", "代办", "登记", "撤", "（原", "原证", "未变更", "证已", "被已"],
)
def test_a_long_text_takes_no_long_time_to_read(signs: str) -> None:
    text = (signs * 20_000)[:20_000] + "。已注销"
    begun = time.process_time()
    assert ending({"remarks": text}) == "other"
    assert time.process_time() - begun < 1
