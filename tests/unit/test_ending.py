"""Which documents of a licence end it, by their names, contents and remarks."""

from __future__ import annotations

import time

import pytest

from flows.answer.lost import ending


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


@pytest.mark.parametrize("signs", ["原", "不被", "遗失", "如", "代办", "登记", "撤", "（原"])
def test_a_long_text_takes_no_long_time_to_read(signs: str) -> None:
    text = (signs * 20_000)[:20_000] + "。已注销"
    begun = time.process_time()
    assert ending({"remarks": text}) == "other"
    assert time.process_time() - begun < 1
