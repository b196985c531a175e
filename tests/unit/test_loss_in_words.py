"""What departments write of a licence that is lost, decided by both engines."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from flows.answer.decide import EXEMPT
from schemas.penalty_words import alike
from schemas.wording import worded
from tests.property.lost_records import (
    HELD,
    LANDED,
    Event,
    event,
    grade,
    licence,
    penalty,
    registration,
    told,
)
from tests.support.codes import uscc


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
        ("licence", "罚款2000元；不予延续食品经营许可证"),
        ("licence", "罚款2000元，不准予许可延期"),
        ("licence", "罚款2000元，上交食品经营许可证"),
        ("licence", "罚款2000元，扣缴证照"),
        ("licence", "罚款2000元，没收许可证"),
        ("licence", "罚款2000元，许可证作废"),
        ("licence", "罚款2000元，同时作废许可证"),
        ("licence", "罚款2000元；撒销许可证"),
        ("licence", "罚款2000元；吊銷食品經營許可證"),
        ("licence", "罚款2000元；吊·销许可证"),
        ("licence", "罚款2000元，停牌"),
        ("licence", "罚款2000元，不得经营"),
        ("licence", "吊销道路运输经营许可证等两证"),
        ("licence", "吊销道路运输经营许可证及其他全部证照"),
        ("builder", "罚款2000元，资质等级降为三级"),
        ("builder", "罚款2000元，不予资质延续"),
        ("entry", "罚款2000元，没收营业执照"),
        ("entry", "罚款2000元，取消登记"),
        ("entry", "罚款2000元，除名"),
        ("stop", "罚款2000元，不得经营"),
        ("stop", "罚款2000元，禁止生产"),
        ("stop", "罚款2000元，停牌整顿"),
        ("stop", "罚款2000元，关停"),
        ("stop", "罚款2000元，依法关闭"),
        ("stop", "予以取缔"),
        ("stop", "罚款2000元，终止经营"),
        ("stop", "罚款2000元，責令停產停業"),
        ("fine", "处违法所得三倍罚款"),
        ("fine", "按日连续处罚，每日罚款十万元"),
        ("fine", "罚款2.5E6元"),
        # What stops or restricts the business, and names no certificate.
        ("licence", "停业三个月"),
        ("licence", "罚款2000元，停产整改"),
        ("licence", "勒令歇业"),
        ("licence", "停止餐饮经营活动"),
        ("licence", "罚款2000元；责令暂停其生产经营"),
        ("licence", "禁止从事食品销售活动"),
        ("licence", "三年内不得从事餐饮服务"),
        ("licence", "限制开展经营活动"),
        ("licence", "限期限产"),
        ("licence", "不准营业"),
        ("licence", "罚款2000元；销证"),
        ("licence", "罚款2000元，并收证"),
        ("licence", "停诊三个月"),
        ("licence", "罚款2000元，停止营运"),
        ("licence", "暂停药品销售"),
        ("licence", "罚款2000元；禁止开展业务"),
        ("licence", "不得接收学员"),
        ("licence", "罚款2000元，停止诊疗活动"),
        ("licence", "责令停止招生"),
        ("licence", "罚款2000元；暂停接单"),
        ("licence", "不允许继续营业"),
        ("licence", "取消其经营权"),
        ("licence", "罚款2000元，取消备案"),
        ("licence", "罚款2000元，摘牌"),
        ("licence", "闭店整顿"),
        ("licence", "责令退出市场"),
        ("licence", "核减经营项目"),
        ("builder", "停业整顿"),
        ("builder", "罚款2000元，六个月内不得承揽新的工程"),
        ("builder", "限制其承接项目"),
        ("entry", "勒令停业"),
        ("stop", "关闭"),
        ("stop", "罚款2000元，限制生产"),
        ("stop", "责令搬迁"),
        ("stop", "责令限产"),
    ],
)
def test_a_penalty_that_takes_something(paper: str, content: str) -> None:
    assert not decided(penalised(content), paper)


@pytest.mark.parametrize(
    ("category", "content"),
    [
        ("限制从业", "五年内不予受理其许可申请"),
        ("限制从业", "终身不得从事食品销售"),
        ("吊销许可证件", "降低资质等级"),
        ("吊销许可证件", "罚款2000元，资质降级"),
        ("责令关闭", "责令搬迁"),
        ("责令停产停业", "限制生产"),
        ("责令停产停业", "停止食品经营活动"),
    ],
)
def test_a_kind_in_other_words(category: str, content: str) -> None:
    said = worded(content)
    assert any(word in said for word in alike(category))
    assert not any(word in worded("警告，责令改正，罚款2000元") for word in alike(category))


@pytest.mark.parametrize(
    "content",
    [
        "处违法所得三倍罚款",
        "没收违法所得150万元，并处三倍罚款",
        "按日连续处罚",
        "第一项罚款150万元；第二项罚款100万元",
        "处以巨额罚款",
        "并处大额罚款",
    ],
)
def test_a_fine_that_the_content_tells_otherwise_than_the_column(content: str) -> None:
    told = penalised(content, "罚款", fine=Decimal(300))
    assert not decided(told, "fine")


@pytest.mark.parametrize("others", ["等两证", "及其他全部证照"])
def test_certificates_besides_the_one_whose_number_is_told(others: str) -> None:
    road = licence("示运许〔2023〕5号", name="道路运输经营许可证", number="DL1019")
    text = f"道路运输经营许可证DL1019{others}"
    taken = penalised("吊销许可证", "吊销许可证件", licences_affected=text)
    assert not decided([*road, *taken], "licence")
    one = penalised("吊销许可证", "吊销许可证件", licences_affected="道路运输经营许可证DL1019")
    assert decided([*road, *one], "licence")


@pytest.mark.parametrize("text", ["吊·销其许可证", "吊銷其许可证", "撒销其许可证", "没收其许可证"])
def test_what_was_done_may_stand_in_the_column_of_certificates(text: str) -> None:
    assert not decided(penalised("罚款2000元", "罚款", licences_affected=text), "licence")


def test_all_certificates_whatever_is_named_beside() -> None:
    content = "吊销其持有的全部许可证"
    events = penalised(content, "吊销许可证件", licences_affected="道路运输经营许可证")
    assert not decided(events, "licence")
    assert decided(penalised("吊销道路运输经营许可证", "吊销许可证件"), "licence")


@pytest.mark.parametrize(
    "content",
    [
        "不予处罚",
        "撤销处罚决定",
        "撤销原行政处罚决定",
        "注销分公司",
        "责令改正，罚款2000元",
        "罚款2000元，撤销违法广告",
        "罚款2000元；不服可向法院起诉请求撤销",
        "罚款2000元，上缴国库",
        "没收伪造的许可证，罚款2000元",
        "未经许可不得经营，罚款2000元",
        "禁止销售过期食品，罚款2000元",
        "没收违法所得1000元，处五倍罚款",
        "责令整改，罚款2000元",
        "关闭排污口，罚款2000元",
        "服装吊牌不合格，罚款2000元",
        "责令清退违规收费，罚款2000元",
        "停止违法行为，罚款2000元",
        "罚款2000元，责令限期改正",
    ],
)
def test_a_penalty_that_takes_nothing(content: str) -> None:
    events = penalised(content, "罚款", fine=Decimal(2000))
    assert all(decided(events, paper) for paper in ("licence", "builder", "entry", "stop", "fine"))


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
        ("licence", penalised("责令停止使用不合格计量器具，罚款2000元", "罚款")),
        ("licence", penalised("停止施工，罚款2000元", "罚款")),
        ("licence", penalised("停止销售假药，罚款2000元", "罚款")),
        ("licence", penalised("责令停止收取费用，罚款2000元", "罚款")),
        ("licence", penalised("关闭音响，罚款2000元", "罚款")),
    ],
)
def test_a_penalty_that_takes_another_thing(paper: str, events: list[Event]) -> None:
    assert decided(events, paper)


@pytest.mark.parametrize(
    ("told", "held"),
    [
        ({"facts": "食品经营许可证已被吊销后仍从事经营"}, False),
        ({"violation_type": "许可证被注销后继续经营"}, False),
        ({"facts": "经查，该店于2025年被依法撤销食品经营许可证，仍销售食品"}, False),
        ({"facts": "道路运输经营许可证被吊销后仍从事货运"}, True),
        ({"facts": "未按食品经营许可证载明的项目经营"}, True),
        ({"facts": "被他人举报未注销许可证"}, True),
        ({"facts": "许可证被吊销后仍经营", "decided": "2022-01-01"}, True),
    ],
)
def test_facts_that_tell_of_a_licence_taken_before(told: dict[str, Any], held: bool) -> None:
    assert decided(penalty(2, **told), "licence") == held


@pytest.mark.parametrize("until", ["直至整改合格", "三个月，整改验收合格后方可恢复"])
def test_a_suspension_until_something_was_done(until: str) -> None:
    ended: dict[str, Any] = {"valid_to": dt.date(2026, 3, 1)}
    assert not decided(penalised(f"暂扣食品经营许可证{until}", **ended), "licence")
    assert decided(penalised("暂扣食品经营许可证三十日", **ended), "licence")


@pytest.mark.parametrize(
    ("term", "held"),
    [
        ("十八个月", False),
        ("壹拾捌个月", False),
        ("二年", False),
        ("一年半", False),
        ("900日", False),
        ("，期限两年", False),
        ("至2027年8月31日", False),
        ("至2027-8-31止", False),
        ("至2027年2月30日", False),
        ("一个月", True),
        ("30日，于十五日内缴纳罚款", True),
        ("半年", False),
        ("至2026年3月1日止", True),
        ("。十八个月后复查", True),
    ],
)
def test_a_suspension_lasts_as_long_as_its_text_or_its_column_says(term: str, held: bool) -> None:
    ended = penalised(f"暂扣食品经营许可证{term}", valid_to=dt.date(2026, 3, 1))
    assert decided(ended, "licence") is held


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
        "施工总承包□ 专业承包☑",
        "( )施工总承包 (√)专业承包",
        "原施工总承包，现专业承包",
        "施工总承包变更为专业承包",
        "施工总承包二级降为专业承包",
        "减少施工总承包项",
        "不再具有施工总承包资质",
        "失去施工总承包资质",
        "施工总承包不予延续",
        "施工总承包暂停",
        "施工总承包停用；专业承包二级",
        "施工总承包资质申请被驳回",
        "不含（施工总承包）",
        "施工 总承包不含",
        "申请施工总承包中",
        "施工总承包（筹）",
        "与施工总承包企业联合承揽",
        "無施工總承包、施工总承包無",
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


@pytest.mark.parametrize(
    "scope",
    [
        "建筑工程施工总承包二级；专业承包二级",
        "施工总承包二级（不含爆破与拆除工程）",
        "原专业承包，现施工总承包二级",
        "设计与施工总承包",
        "建筑工程施工總承包二级",
        "☑施工总承包 □专业承包",
    ],
)
def test_a_scope_that_is_held(scope: str) -> None:
    held: dict[str, Any] = {
        "document": "示建许〔2023〕4号",
        "name": "建筑业企业资质证书",
        "number": "D299000123",
    }
    events = [one | {"sequence": 3} for one in licence(**held, scope=scope)]
    assert decided(events, "builder")


@pytest.mark.parametrize("number", ["D299000123", None])
def test_a_change_to_another_scope_counts_with_a_number_or_without(number: str | None) -> None:
    days = ("2026-04-01", "2026-04-01", "2028-03-04")
    told: dict[str, Any] = {"name": "建筑业企业资质证书", "scope": "专业承包二级", "number": number}
    assert not decided(licence("示建许变〔2026〕9号", days=days, **told), "builder")
    other = told | {"number": "D299000999"}
    assert decided(licence("示建许变〔2026〕9号", days=days, **other), "builder")


@pytest.mark.parametrize(
    "number",
    [
        *("待定", "原编号", "(示)JY字〔2023〕第000123号"),
        *("(示)JY〔2023〕OOOI23", "(示)JY〔2023〕000l23", "(示)JУ〔2023〕000123"),
    ],
)
def test_a_number_that_is_none_or_is_typed_with_other_signs(number: str) -> None:
    days = ("2026-04-01", "2026-04-01", None)
    assert not decided(licence("示许撤〔2026〕9号", "revoked", days, number=number), "licence")


def test_a_number_that_stands_in_the_name() -> None:
    days = ("2026-04-01", "2026-04-01", None)
    told: dict[str, Any] = {"number": None, "name": "(示)JY〔2023〕000123号证书"}
    assert not decided(licence("示许撤〔2026〕9号", "revoked", days, **told), "licence")


@pytest.mark.parametrize("name", ["《食品经营许可证》", "食品經營許可證"])
def test_a_certificate_whose_name_is_written_otherwise_is_the_same(name: str) -> None:
    assert decided([one | {"sequence": 3} for one in licence(name=name)], "licence")


@pytest.mark.parametrize("year", ["二〇二六", "2025-2026", "26年", "２０２６年度"])
def test_a_newer_list_whose_year_is_written_otherwise(year: str) -> None:
    assert not decided(grade(year, uscc(2)), "grade")


@pytest.mark.parametrize("year", ["2026年度", "二〇二六年"])
def test_a_grade_whose_year_is_written_otherwise_holds(year: str) -> None:
    assert decided([*grade("2026", uscc(2)), *grade(year)], "grade")


@pytest.mark.parametrize(
    ("year", "told", "held"),
    [
        ("2026", {"grade": "B"}, False),
        ("2025年度", {"grade": "D"}, False),
        ("2026", {"grade": "B", "grade_scheme": "纳税信用"}, False),
        ("2024", {"grade": "B"}, True),
        ("不详", {"grade": "B"}, True),
    ],
)
def test_another_grade_of_the_same_year_or_a_newer_one_ends_a_grade(
    year: str, told: dict[str, str], held: bool
) -> None:
    [other] = grade(year)
    other |= {"layout": "program", "record_key": "x/1", "decision": other["decision"] | told}
    assert decided([other], "grade") == held


@pytest.mark.parametrize("name", ["餐饮服务许可证", "食品流通许可证"])
def test_a_revocation_under_the_name_of_before(name: str) -> None:
    lost = licence(
        "示许撤〔2026〕5号", "revoked", ("2026-04-01", None, None), number=None, name=name
    )
    assert not decided(lost, "licence")


@pytest.mark.parametrize(
    ("told", "held"),
    [
        ({"name": "示范企业1有限公司（已注销）"}, False),
        ({"business_scope": "该企业已歇业"}, False),
        ({"business_scope": "代办企业注销登记"}, True),
    ],
)
def test_an_entry_that_says_in_words_that_it_is_closed(told: dict[str, str], held: bool) -> None:
    decision, standing = registration()
    decision |= {"sequence": 2, "decision": decision["decision"] | told}
    assert decided([decision, standing], "entry") == held


def test_a_change_of_the_old_term_takes_no_revocation_back() -> None:
    lost = licence("示许撤〔2026〕5号", "revoked", ("2026-04-01", "2026-04-01", None))
    changed = licence("示许变〔2026〕6号", days=("2026-04-02", "2023-03-05", "2028-03-04"))
    anew = licence("示许〔2026〕7号", days=("2026-04-02", "2026-04-02", "2031-04-01"))
    assert not decided([*lost, *changed], "licence")
    assert decided([*lost, *anew], "licence")


@pytest.mark.parametrize(
    ("reason", "held"),
    [
        ("逾期注销", False),
        ("已撒销", False),
        ("代为注销", False),
        ("许可证作废", False),
        ("有效期届满未申请延续", False),
        ("缴 销", False),
        ("暂扣期满，予以恢复", True),
        ("准予变更", True),
        (None, True),
    ],
)
def test_the_reason_of_a_good_state(reason: str | None, held: bool) -> None:
    for paper, made in (("licence", licence()), ("entry", registration())):
        decision, standing = made
        standing |= {"sequence": 2, "standing": standing["standing"] | {"reason": reason}}
        assert decided([decision, standing], paper) == held


@pytest.mark.parametrize(
    ("state", "held"), [("upheld", False), ("raised", False), ("rejected", True), ("none", True)]
)
@pytest.mark.parametrize(("paper", "of"), [("licence", licence()), ("entry", registration())])
def test_an_objection_to_what_is_held(paper: str, of: list[Event], state: str, held: bool) -> None:
    objected = [objection(of[0], state, LANDED)]
    assert decided(objected, paper) == held


def test_an_objection_that_was_found_right_ends_with_a_newer_decision() -> None:
    [decision, _] = licence()
    later = LANDED + dt.timedelta(hours=1)
    mended = decision | {"sequence": 2, "landed_at": later}
    assert decided([objection(decision, "upheld", LANDED), mended], "licence")
    assert not decided([objection(decision, "upheld", later), mended], "licence")


@pytest.mark.parametrize(
    ("state", "until", "held"),
    [
        ("removed", "2026-04-01", False),
        ("ended", "2026-04-01", False),
        ("removed", None, False),
        ("other", "2026-04-01", True),
    ],
)
def test_a_grade_that_was_taken_off_its_list(state: str, until: str | None, held: bool) -> None:
    [graded] = grade("2025")
    told = {name: graded[name] for name in ("publisher", "issuer", "record_key")}
    last = {"effective_to": dt.date.fromisoformat(until)} if until else {}
    left = event("credit", "standing", "", {"state": state}, **told, **last)
    assert decided([left], "grade") == held


@pytest.mark.parametrize(
    ("begins", "ends", "held"),
    [
        ("2026-09-01", "2028-03-04", False),
        ("2026-09-01", None, False),
        ("2028-03-05", "2033-03-04", True),
        ("2026-01-01", "2028-03-04", True),
    ],
)
def test_a_record_that_is_written_anew_to_begin_later(
    begins: str, ends: str | None, held: bool
) -> None:
    anew = licence(days=("2023-03-01", begins, ends), term="fixed")[0] | {"sequence": 2}
    assert decided([anew], "licence") == held


def objection(of: Event, state: str, landed: dt.datetime) -> Event:
    told = {name: of[name] for name in ("publisher", "issuer", "record_key")}
    return event(of["family"], "objection", "", {"state": state}, **told, landed_at=landed)
