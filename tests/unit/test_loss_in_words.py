"""What departments write of a licence that is lost, decided by both engines."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from flows.answer.decide import EXEMPT
from tests.property.lost_records import HELD, Event, licence, penalty, told


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
        ("licence", "吊销道路运输经营许可证等相关许可证"),
        ("licence", "依法关闭该企业"),
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
        ("fine", "没收违法所得900元，处300万元"),
        ("fine", "没收违法所得900元，罚三百万元"),
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
        ("fine", penalised("没收违法所得3000000元", "没收违法所得")),
        ("fine", penalised("没收违法所得3000000元，处以警告", "没收违法所得")),
        ("stop", penalised("责令停止销售，罚款1000元", "罚款")),
    ],
)
def test_a_penalty_that_takes_another_thing(paper: str, events: list[Event]) -> None:
    assert decided(events, paper)


@pytest.mark.parametrize("until", ["直至整改合格", "三个月，整改验收合格后方可恢复"])
def test_a_suspension_until_something_was_done(until: str) -> None:
    ended: dict[str, Any] = {"valid_to": dt.date(2026, 3, 1)}
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
        "JY〔二〇二三〕000123",
        "JY〔2O23〕000123",
        "〔2026〕9号",
        "示注决字〔2026〕9号",
        "1",
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
        "为施工总承包单位提供劳务",
        "承接施工总承包企业分包的工程",
        "□施工总承包 ☑专业承包",
    ],
)
def test_a_scope_that_is_not_held(scope: str) -> None:
    held: dict[str, Any] = {
        "document": "示建许〔2023〕4号",
        "name": "建筑业企业资质证书",
        "number": "D299000123",
    }
    events = [one | {"sequence": 3} for one in licence(**held, scope=scope)]
    assert not decided(events, "builder")


@pytest.mark.parametrize("name", ["餐饮服务许可证", "食品流通许可证"])
def test_a_revocation_under_the_name_of_before(name: str) -> None:
    lost = licence(
        "示许撤〔2026〕5号", "revoked", ("2026-04-01", None, None), number=None, name=name
    )
    assert not decided(lost, "licence")


def test_a_change_of_the_old_term_takes_no_revocation_back() -> None:
    lost = licence("示许撤〔2026〕5号", "revoked", ("2026-04-01", "2026-04-01", None))
    changed = licence("示许变〔2026〕6号", days=("2026-04-02", "2023-03-05", "2028-03-04"))
    anew = licence("示许〔2026〕7号", days=("2026-04-02", "2026-04-02", "2031-04-01"))
    assert not decided([*lost, *changed], "licence")
    assert decided([*lost, *anew], "licence")
