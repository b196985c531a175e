"""What departments write of a licence that is lost, decided by both engines."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from flows.answer.decide import EXEMPT
from tests.property.test_lost_licences import HELD, Event, licence, penalty, told


def decided(events: list[Event], paper: str) -> bool:
    """Return whether a paper is exempt."""
    return told([*HELD, *events], 1)[paper] in EXEMPT


def penalised(content: str, *categories: str, fine: Decimal | None = None, **more: Any) -> Any:
    kinds = [*categories] or ["其他"]
    return penalty(2, categories=kinds, penalty_content=content, fine_yuan=fine, **more)


@pytest.mark.parametrize(
    ("paper", "content"),
    [
        ("licence", "吊销营业执照、许可证"),
        ("licence", "吊销许可证和营业执照"),
        ("licence", "吊销营业执照及相关许可证"),
        ("licence", "封存许可证"),
        ("licence", "罚款2000元；宣布其食品经营许可证无效"),
        ("builder", "吊销安全生产许可证和资质证书"),
        ("builder", "降低资质等级，暂扣安全生产许可证"),
        ("builder", "吊销资质证书、营业执照"),
        ("stop", "暂停其经营活动三个月"),
        ("stop", "中止经营活动"),
        ("stop", "罚款2000元；禁止营业"),
        ("fine", "没收违法所得1000元，并处罚款300万元"),
        ("fine", "没收违法所得900元，处罚款三百万元"),
    ],
)
def test_a_penalty_that_takes_something(paper: str, content: str) -> None:
    assert not decided(penalised(content), paper)


@pytest.mark.parametrize(
    ("paper", "events"),
    [
        ("licence", penalised("吊销道路运输经营许可证，责令交回许可证", "吊销许可证件")),
        ("licence", penalised("吊销许可证件", licences_affected="道路运输经营许可证")),
        ("licence", penalised("吊销安全生产许可证和资质证书")),
        ("fine", penalised("没收违法所得1000元，并处罚款5000元")),
        ("stop", penalised("责令停止销售，罚款1000元", "罚款")),
    ],
)
def test_a_penalty_that_takes_another_thing(paper: str, events: list[Event]) -> None:
    assert decided(events, paper)


@pytest.mark.parametrize("until", ["直至整改合格", "三个月，整改验收合格后方可恢复"])
def test_a_suspension_until_something_was_done(until: str) -> None:
    ended = {"valid_to": dt.date(2026, 3, 1)}
    assert not decided(penalised(f"暂扣食品经营许可证{until}", **ended), "licence")
    assert decided(penalised("暂扣食品经营许可证三十日", **ended), "licence")


@pytest.mark.parametrize(
    "number",
    [
        "JY〔2023〕第000123号",
        "编号：JY〔2023〕000123",
        "(示)JY〔2023〕123号",
        "000123号",
        "JY2023000123（副本）",
        "示许[2023]1号",
        "示许〔2023〕001号",
    ],
)
def test_a_revocation_by_the_licences_number_written_otherwise(number: str) -> None:
    days = ("2026-04-01", "2026-04-01", None)
    assert not decided(licence("示许撤〔2026〕9号", "revoked", days, number=number), "licence")


def test_another_licences_number_is_another() -> None:
    days = ("2026-04-01", "2026-04-01", None)
    other = licence("示许撤〔2026〕9号", "revoked", days, number="(示)JY〔2023〕000124号")
    assert decided(other, "licence")


@pytest.mark.parametrize(
    "scope",
    [
        "建筑工程施工总承包二级（核减）",
        "施工总承包：无；专业承包：二级",
        "施工总承包（失效）",
        "原施工总承包二级变更为专业承包",
        "施工劳务（不承担施工总承包）",
        "施工总承包：/；专业承包：二级",
        "暂停施工总承包业务",
        "施工总承包申请中",
    ],
)
def test_a_scope_that_is_not_held(scope: str) -> None:
    held = {"document": "示建许〔2023〕4号", "name": "建筑业企业资质证书", "number": "D299000123"}
    events = [one | {"sequence": 3} for one in licence(**held, scope=scope)]
    assert not decided(events, "builder")
