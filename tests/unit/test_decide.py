"""Every branch of the decision: what may be relied on, and why not. Rows are made by hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from flows.answer.decide import EXEMPT, Decision, decide
from flows.answer.facts import Facts, Row
from flows.answer.scope import permits
from flows.answer.words import why
from flows.catalogue import catalogue
from flows.fold import whole_columns
from schemas import contract
from schemas.dialect import Words

ON = dt.date(2026, 5, 4)
NOW = dt.datetime(2026, 5, 4, 2, tzinfo=dt.UTC)
HOUSING, PENALTIES = ("housing-demo", "cn-sgs-2018-licence"), ("credit-demo", "cn-sgs-2018-penalty")
REGISTER, TAX = ("samr-demo", "registration-list"), ("heilongjiang-tax", "cn-tax-a-list")
ALL = dict.fromkeys((HOUSING, PENALTIES, REGISTER, TAX), NOW - dt.timedelta(days=1))
CYCLES = {id_: one.cycle for id_, one in contract.publishers().publishers.items()}
#: The matter and the paper by which most branches are tried: a work safety licence.
MATTER, PAPER = "JS-3002", "work-safety-licence"
SUBJECT = "91990100MA01RXEY0J"


def row(family: str, **told: Any) -> Row:
    empty = dict.fromkeys(whole_columns(family).names())
    return {**empty, "record_key": "k", "usable": "yes", "effective_from": ON, **told}


def licence(**told: Any) -> Row:
    usual = {
        "publisher": "housing-demo",
        "layout": "cn-sgs-2018-licence",
        "issuer": "11990100000000123K",
        "issuer_name": "示范市住房和城乡建设局",
        "name": "安全生产许可证",
        "number": "A-1",
        "scope": "建筑施工",
        "subject_name": "示范企业有限公司",
        "state": "in_force",
        "valid_to": dt.date(2027, 1, 1),
    }
    return row("licence", **{**usual, **told})


def registration(**told: Any) -> Row:
    usual = {
        "publisher": "samr-demo",
        "layout": "registration-list",
        "subject": SUBJECT,
        "name": "示范企业有限公司",
        "address": "建设路1号",
        "state": "in_business",
    }
    return row("registration", **{**usual, **told})


def penalty(**told: Any) -> Row:
    usual = {
        "publisher": "credit-demo",
        "layout": "cn-sgs-2018-penalty",
        "issuer_name": "示范市城市管理综合行政执法局",
        "kind": "penalty",
        "categories": ["罚款"],
        "fine_yuan": Decimal(2000),
        "state": "in_force",
    }
    return row("credit", **{**usual, **told})


def unusable(of: Row, reason: str) -> Row:
    return {**of, "usable": "no", "unusable_reason": reason}


def facts(*rows: Row, complete: dict[Any, dt.datetime] | None = None, **told: Any) -> Facts:
    by: dict[str, list[Row]] = {"registration": [], "licence": [], "credit": []}
    for one in rows:
        family = "credit" if "kind" in one else "licence" if "type_code" in one else "registration"
        by[family].append(one)
    usual = {"on": ON, "asked_at": NOW, "rows": by, "cycles": CYCLES}
    return Facts(**{**usual, "complete": ALL if complete is None else complete, **told})


def decided(known: Facts, matter: str = MATTER, paper: str = PAPER) -> Decision:
    [found] = [one for one in decide(catalogue(), matter, known) if one.material == paper]
    return found


def outcome(known: Facts, matter: str = MATTER, paper: str = PAPER) -> tuple[str, str | None]:
    found = decided(known, matter, paper)
    return found.outcome, found.reason


# A licence


def test_a_licence_in_force_need_not_be_brought() -> None:
    found = decided(facts(licence(), registration()))
    assert (found.outcome, found.reason) == ("exempt_by_licence", None)
    assert found.record is not None
    assert found.record["number"] == "A-1"
    assert (found.source, found.through) == ("housing-demo", ALL[HOUSING])
    assert found.rule == "elicence-as-paper"


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (licence(state="expired", valid_to=dt.date(2026, 4, 1)), "expired"),
        (licence(state="not_yet_valid", valid_from=dt.date(2026, 6, 1)), "not_yet_valid"),
        (licence(state="suspended"), "stopped"),
        (licence(state="revoked"), "stopped"),
        (licence(state="cancelled"), "stopped"),
        (licence(state="transferred_out"), "stopped"),
        (licence(state="other"), "stopped"),
        (licence(state=None), "stopped"),
        (unusable(licence(), "annulled"), "stopped"),
        (unusable(licence(), "conflicted"), "conflicted"),
        (unusable(licence(), "withdrawn"), "not_usable"),
        (unusable(licence(), "undecided"), "not_usable"),
        (licence(objection="raised"), "objection"),
        (licence(subject_name="另一家企业有限公司"), "mismatch"),
        (licence(name="燃气经营许可证"), "none_on_file"),
        (licence(publisher="nmpa"), "none_on_file"),
        (licence(layout="mianti-licence"), "source_incomplete"),
        (licence(valid_to=None, term="not_stated"), "no_end_stated"),
        (licence(valid_to=None, term="open_ended"), None),
    ],
)
def test_a_licence_that_may_not_be_relied_on_must_be_brought(told: Row, reason: str | None) -> None:
    lost = told["state"] not in ("in_force", "other", None) or told["unusable_reason"] == "annulled"
    brought = "not_accepted" if reason == "stopped" and lost else "must_bring"
    expected = brought if reason else "exempt_by_licence"
    assert outcome(facts(told, registration())) == (expected, reason)


@pytest.mark.parametrize("reason", ["conflicted", "withdrawn", "annulled", "undecided"])
def test_content_that_may_not_be_used_is_not_shown(reason: str) -> None:
    assert decided(facts(unusable(licence(), reason))).record is None


def test_the_holders_name_is_compared_without_blanks_and_widths() -> None:
    known = facts(
        licence(subject_name="示范 企业（华东）公司"), registration(name="示范企业(华东)公司")
    )
    assert outcome(known)[0] == "exempt_by_licence"


def test_without_the_register_a_holder_is_known_by_the_code_alone() -> None:
    assert outcome(facts(licence()))[0] == "exempt_by_licence"


@pytest.mark.parametrize(
    "later",
    [
        licence(record_key="l", state="revoked"),
        licence(record_key="l", objection="raised"),
        unusable(licence(record_key="l"), "conflicted"),
        unusable(licence(record_key="l"), "withdrawn"),
        licence(record_key="l", state="expired", valid_to=dt.date(2026, 4, 1)),
        licence(record_key="l", subject_name="另一家企业有限公司"),
    ],
)
def test_a_later_record_of_the_same_number_overtakes_an_older_one(later: Row) -> None:
    """Exports key a licence by its decision: issue and revocation are two records."""
    older = licence(effective_from=dt.date(2023, 1, 1))
    assert decided(facts(older, later, registration())).outcome in ("must_bring", "not_accepted")
    older_still = {**later, "effective_from": dt.date(2022, 1, 1)}
    assert decided(facts(older, older_still, registration())).outcome == "exempt_by_licence"


def test_a_renewal_that_has_not_begun_leaves_the_licence_before_it() -> None:
    renewed = licence(record_key="l", state="not_yet_valid", valid_from=dt.date(2026, 6, 1))
    older = licence(effective_from=dt.date(2023, 1, 1))
    assert decided(facts(older, renewed)).outcome == "exempt_by_licence"


def test_an_enterprise_has_one_registration() -> None:
    older = registration(record_key="o", effective_from=dt.date(2020, 1, 1))
    for state, told in (
        ("revoked", ("not_accepted", "stopped")),
        ("expired", ("must_bring", "expired")),
    ):
        newer = registration(record_key="n", state=state, effective_from=dt.date(2025, 1, 1))
        assert outcome(facts(older, newer), MATTER, "business-licence") == told


def test_one_licence_in_force_is_enough() -> None:
    old = licence(number="A-0", state="revoked", effective_from=ON + dt.timedelta(days=1))
    assert outcome(facts(old, licence()))[0] == "exempt_by_licence"
    assert outcome(facts(licence(), old))[0] == "exempt_by_licence"


def test_of_several_that_will_not_do_the_newest_tells_why() -> None:
    older = licence(state="expired", effective_from=dt.date(2020, 1, 1))
    newer = licence(number="A-2", state="suspended", effective_from=dt.date(2025, 1, 1))
    assert (
        outcome(facts(older, newer)) == outcome(facts(newer, older)) == ("not_accepted", "stopped")
    )


@pytest.mark.parametrize(
    ("scope", "expected"),
    [("建筑工程施工总承包三级", None), ("专业承包二级", "mismatch"), (None, "mismatch")],
)
def test_what_is_permitted_must_hold_a_word_of_the_scope(
    scope: str | None, expected: str | None
) -> None:
    known = facts(licence(name="建筑业企业资质证书", scope=scope))
    assert decided(known, "JS-3001", "general-contractor").reason == expected


def test_a_type_code_finds_a_licence_of_any_name() -> None:
    code = "11100000000013338W050"
    found = catalogue()
    evidence = found.evidence["work-safety-licence"].model_copy(update={"type_codes": [code]})
    own = found.model_copy(update={"evidence": {**found.evidence, "work-safety-licence": evidence}})
    known = facts(licence(name="安许证", type_code=code))
    [made] = [one for one in decide(own, MATTER, known) if one.material == PAPER]
    assert made.outcome == "exempt_by_licence"


# Its source


@pytest.mark.parametrize(
    ("complete", "reason"),
    [
        ({}, "source_incomplete"),
        ({HOUSING: NOW - dt.timedelta(days=7, seconds=1)}, "source_incomplete"),
        ({HOUSING: NOW - dt.timedelta(days=7)}, None),
    ],
    ids=["never said", "late", "just in time"],
)
def test_an_incomplete_source_exempts_from_nothing(
    complete: dict[Any, dt.datetime], reason: str | None
) -> None:
    assert decided(facts(licence(), complete=complete)).reason == reason


def test_nothing_on_file_is_an_answer_only_where_the_source_is_complete() -> None:
    assert outcome(facts()) == ("must_bring", "none_on_file")
    assert outcome(facts(complete={})) == ("must_bring", "source_incomplete")


def test_data_older_than_the_matter_allows_exempt_from_nothing() -> None:
    slow = {**CYCLES, "housing-demo": dt.timedelta(days=90)}
    for days, reason in ((10, None), (11, "too_old")):
        complete = {HOUSING: NOW - dt.timedelta(days=days)}
        assert decided(facts(licence(), complete=complete, cycles=slow)).reason == reason


def test_a_source_that_is_no_publisher_any_more_is_not_complete() -> None:
    gone = {id_: cycle for id_, cycle in CYCLES.items() if id_ != "housing-demo"}
    assert decided(facts(licence(), cycles=gone)).reason == "source_incomplete"


def test_a_stop_is_told_whatever_the_source() -> None:
    assert outcome(facts(licence(state="revoked"), complete={})) == ("not_accepted", "stopped")


def test_what_is_complete_in_the_future_is_not() -> None:
    complete = {HOUSING: NOW + dt.timedelta(seconds=1)}
    assert decided(facts(licence(), complete=complete)).reason == "source_incomplete"


def test_nobody_is_complete_for_a_day_to_come() -> None:
    """Which day it is, China says: at 16:00 UTC the next one has begun there."""
    tomorrow = ON + dt.timedelta(days=1)
    assert decided(facts(licence(), on=tomorrow)).reason == "source_incomplete"
    late = dt.datetime(2026, 5, 4, 16, tzinfo=dt.UTC)
    assert decided(facts(licence(), on=tomorrow, asked_at=late)).reason is None
    assert decided(facts(on=tomorrow), MATTER, "no-grave-penalty").reason == "source_incomplete"


# The department's rights


def test_without_the_right_nothing_is_looked_at() -> None:
    found = catalogue()
    housing = found.departments["housing"]
    poor = housing.purposes["qualification"].model_copy(update={"may_use": []})
    own = found.model_copy(
        update={
            "departments": {
                **found.departments,
                "housing": housing.model_copy(update={"purposes": {"qualification": poor}}),
            }
        }
    )
    made = {one.material: one for one in decide(own, MATTER, facts(licence(), registration()))}
    for paper in ("work-safety-licence", "business-licence", "no-grave-penalty"):
        one = made[paper]
        assert (one.outcome, one.reason) == ("must_bring", "no_right")
        assert (one.record, one.fields, one.through) == (None, None, None)


# A penalty that stops a licence (CF_NR_ZKDX)

NAMED = "安全生产许可证（A-1）"


@pytest.mark.parametrize(
    ("told", "stops"),
    [
        (penalty(licences_affected=NAMED, categories=["暂扣许可证件"]), True),
        (penalty(licences_affected=NAMED, categories=["吊销许可证件"]), True),
        (penalty(licences_affected=NAMED, categories=[]), True),
        (penalty(licences_affected="安全生产许可证"), True),
        (penalty(licences_affected="A-1"), True),
        (penalty(licences_affected="安全生产许可证（A-2）"), True),
        (penalty(licences_affected="燃气经营许可证（A-9）"), False),
        (penalty(licences_affected=None), False),
        (penalty(licences_affected="Ａ－１"), True),
        (penalty(licences_affected="安全生产许可证、建筑业企业资质证书（B-7）"), True),
        (penalty(licences_affected="示建许[2024] 5号"), True),
        (penalty(penalty_content="吊销安全生产许可证（A-1）"), True),
        (penalty(penalty_content="罚款；安全生产许可证（A-1）"), False),
        (unusable(penalty(licences_affected=NAMED), "withdrawn"), False),
        (unusable(penalty(licences_affected=NAMED), "annulled"), False),
        (unusable(penalty(licences_affected=NAMED), "conflicted"), True),
        (unusable(penalty(licences_affected=NAMED), "repaired"), True),
        (unusable(penalty(licences_affected=NAMED), "publication_ended"), True),
    ],
)
def test_a_penalty_that_names_a_licence_stops_it(told: Row, stops: bool) -> None:
    other = licence(name="建筑业企业资质证书", number="B-7")
    found = decided(facts(licence(document_number="示建许〔2024〕5号"), other, told))
    assert (found.reason == "stopped") is stops
    if stops:
        assert found.by == "示范市城市管理综合行政执法局"


def test_a_penalty_that_names_another_licence_of_the_same_kind_stops_that_one() -> None:
    other = licence(number="A-2", effective_from=dt.date(2020, 1, 1))
    named = penalty(licences_affected="安全生产许可证（A-2）")
    found = decided(facts(licence(), other, named))
    assert found.outcome == "exempt_by_licence"
    assert found.record is not None
    assert found.record["number"] == "A-1"


@pytest.mark.parametrize(
    ("categories", "last", "stops"),
    [
        (["暂扣许可证件"], ON, True),
        (["暂扣许可证件"], ON - dt.timedelta(days=1), False),
        (["暂扣许可证件"], None, True),
        (["吊销许可证件"], ON - dt.timedelta(days=1), True),
        (["暂扣许可证件", "降低资质等级"], ON - dt.timedelta(days=1), True),
        (["暂扣许可证件", "吊销许可证件"], ON - dt.timedelta(days=1), True),
        (["罚款"], ON - dt.timedelta(days=1), True),
    ],
)
def test_a_suspension_ends_with_its_last_day_and_a_revocation_never(
    categories: list[str], last: dt.date | None, stops: bool
) -> None:
    told = penalty(
        licences_affected=NAMED,
        categories=categories,
        effective_from=ON - dt.timedelta(days=90),
        valid_to=last,
    )
    assert (decided(facts(licence(), told)).reason == "stopped") is stops


def test_a_suspension_that_ends_before_it_was_decided_has_no_known_end() -> None:
    told = penalty(
        licences_affected=NAMED,
        categories=["暂扣许可证件"],
        effective_from=ON - dt.timedelta(days=30),
        valid_to=ON - dt.timedelta(days=400),
    )
    assert decided(facts(licence(), told)).reason == "stopped"


def test_a_suspension_that_contradicts_itself_does_not_end() -> None:
    told = penalty(licences_affected=NAMED, categories=["暂扣许可证件"])
    ended = unusable({**told, "valid_to": ON - dt.timedelta(days=1)}, "conflicted")
    assert decided(facts(licence(), ended)).reason == "stopped"


@pytest.mark.parametrize(
    "told",
    [
        penalty(licences_affected=f"营业执照（{SUBJECT}）", categories=["吊销许可证件"]),
        penalty(penalty_content="吊销营业执照"),
    ],
)
def test_a_revoked_business_licence_stops_the_registers_entry(told: Row) -> None:
    found = decided(facts(registration(), told), MATTER, "business-licence")
    assert (found.outcome, found.reason) == ("not_accepted", "stopped")


# What cannot be accepted


def test_what_was_revoked_by_a_document_of_its_own_is_told_with_it() -> None:
    revoking = licence(
        record_key="l",
        number="ａ—1",
        name="《安全生产许可证》",
        document_number="示建撤〔2026〕9号",
        state="revoked",
        effective_from=dt.date(2025, 3, 1),
        occurred_at=dt.datetime(2026, 5, 1, tzinfo=dt.UTC),
    )
    found = decided(facts(licence(effective_from=dt.date(2025, 3, 1)), revoking))
    assert (found.outcome, found.reason, found.state) == ("not_accepted", "stopped", "revoked")
    assert (found.since, found.document) == (dt.date(2026, 5, 1), "示建撤〔2026〕9号")
    assert found.by == "示范市住房和城乡建设局"
    said = why(found, catalogue(), contract.publishers())
    assert said.zh == (
        "安全生产许可证不予认可：自2026-05-01起由示范市住房和城乡建设局吊销（示建撤〔2026〕9号）。"
    )
    assert "revoked by 示范市住房和城乡建设局 since 2026-05-01" in said.en


def test_what_a_penalty_took_is_told_with_the_penalty() -> None:
    taken = penalty(
        penalty_content="暂扣安全生产许可证",
        document_number="示罚〔2026〕1号",
        effective_from=dt.date(2026, 4, 1),
    )
    found = decided(facts(licence(), taken))
    assert (found.outcome, found.state) == ("not_accepted", "suspended")
    assert (found.since, found.document) == (dt.date(2026, 4, 1), "示罚〔2026〕1号")


@pytest.mark.parametrize("state", ["suspended", "revoked", "cancelled"])
def test_a_state_is_told_with_the_day_that_its_source_gives(state: str) -> None:
    told = licence(
        state=state, standing_from=dt.date(2026, 3, 2), document_number="示许〔2023〕1号"
    )
    found = decided(facts(told))
    assert (found.outcome, found.state, found.since) == ("not_accepted", state, dt.date(2026, 3, 2))
    assert found.document is None  # its own granted it
    assert "自2026-03-02起" in why(found, catalogue(), contract.publishers()).zh


def test_what_was_annulled_is_told_with_its_day() -> None:
    annulled = unusable(licence(standing_from=dt.date(2026, 3, 2)), "annulled")
    assert decided(facts(annulled)).since == dt.date(2026, 3, 2)


def test_a_document_that_ends_a_licence_is_told_with_its_own_day() -> None:
    cancelling = licence(document_name="准予注销决定书", effective_from=dt.date(2026, 3, 2))
    found = decided(facts(cancelling))
    assert (found.state, found.since) == ("cancelled", dt.date(2026, 3, 2))


@pytest.mark.parametrize(
    ("remark", "state"),
    [
        ("该许可证已于2026年3月吊销", "revoked"),
        ("2026-03-01 被市局暂扣", "suspended"),
        ("已注销", "cancelled"),
        ("依法撤销", "annulled"),
        ("换发，原证已注销", None),
        ("注销原许可证A-0", None),
        ("因延续收回旧证", None),
        ("地址变更", None),
    ],
)
def test_a_remark_may_say_that_the_licence_has_ended(remark: str, state: str | None) -> None:
    found = decided(facts(licence(remarks=remark)))
    assert (found.outcome == "exempt_by_licence", found.state) == (state is None, state)


def test_a_long_remark_takes_no_long_time_to_read() -> None:
    for remark in ("自" * 20_000, "证件" * 10_000, "1" * 20_000, "于1" * 10_000):
        assert decided(facts(licence(remarks=remark))).outcome == "exempt_by_licence"


@pytest.mark.timeout(20)
@pytest.mark.parametrize("sign", ["建", "不", "原", "注销", "暂停建"])
def test_a_long_scope_takes_no_long_time_to_read(sign: str) -> None:
    assert not permits(sign * (20_000 // len(sign)), ["施工总承包"])


def test_a_day_yet_to_come_is_told_of_no_state() -> None:
    found = decided(facts(licence(state="revoked", standing_from=ON + dt.timedelta(days=1))))
    assert (found.state, found.since) == ("revoked", None)


def test_a_state_alone_tells_no_day() -> None:
    found = decided(facts(licence(state="revoked", document_number="示建许〔2023〕1号")))
    assert (found.outcome, found.since) == ("not_accepted", None)
    # The document may be the one that granted the licence.
    said = why(found, catalogue(), contract.publishers())
    assert said.en.endswith(
        "revoked by 示范市住房和城乡建设局; document on file: 示建许〔2023〕1号."
    )
    assert said.zh.endswith("由示范市住房和城乡建设局吊销；在案文书：示建许〔2023〕1号。")


def test_of_what_was_annulled_nothing_but_that_is_told() -> None:
    found = decided(facts(unusable(licence(document_number="示建许〔2023〕1号"), "annulled")))
    assert (found.outcome, found.state) == ("not_accepted", "annulled")
    assert (found.record, found.document) == (None, None)


@pytest.mark.parametrize(
    ("state", "day", "exempt"),
    [
        ("revoked", dt.date(2026, 3, 1), False),
        ("suspended", dt.date(2026, 3, 1), False),
        ("revoked", dt.date(2023, 1, 1), True),  # before the renewal
        ("cancelled", dt.date(2026, 3, 1), True),  # an old document, whenever a licence is renewed
    ],
)
def test_an_older_document_speaks_from_the_day_of_its_state(
    state: str, day: dt.date, exempt: bool
) -> None:
    old = licence(
        record_key="o", state=state, effective_from=dt.date(2022, 1, 1), standing_from=day
    )
    renewed = licence(record_key="r", effective_from=dt.date(2025, 1, 1))
    assert (decided(facts(old, renewed)).outcome == "exempt_by_licence") is exempt


def test_a_renewal_of_the_same_number_is_not_stopped_by_what_came_before_it() -> None:
    suspended = licence(record_key="s", state="suspended", effective_from=dt.date(2024, 1, 1))
    restored = licence(record_key="r", effective_from=dt.date(2025, 1, 1))
    assert decided(facts(suspended, restored)).outcome == "exempt_by_licence"


@pytest.mark.parametrize(
    "other",
    [
        {"number": "B-9", "state": "revoked"},
        {"number": None, "name": "燃气经营许可证", "state": "revoked"},
        {"publisher": "nmpa", "issuer": "x", "issuer_name": "别局", "number": None},
    ],
)
def test_the_loss_of_another_licence_stops_none(other: dict[str, Any]) -> None:
    lost = licence(record_key="l", **{"state": "revoked", **other})
    assert decided(facts(licence(), lost)).outcome == "exempt_by_licence"


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (penalty(fine_yuan=None, penalty_content="罚款人民币叁佰万元整"), "barred"),
        (penalty(fine_yuan=Decimal(300), penalty_content="罚 款人民币叁佰万元整"), "barred"),
        (penalty(fine_yuan=Decimal(5000), penalty_content="没收900万元，罚款伍仟元整"), None),
        (penalty(fine_yuan=None, penalty_content="罚款人民币伍仟元整"), None),
        (penalty(fine_yuan=None, penalty_content="罚款"), "barred"),
        (penalty(fine_yuan=None, categories=["警告"], penalty_content="警告"), None),
        (penalty(fine_yuan=None, categories=["没收"], penalty_content="没收900万元"), None),
        (penalty(fine_yuan=None, categories=["其他"], penalty_content="见决定书"), "barred"),
    ],
)
def test_a_fine_without_an_amount_is_read_or_may_be_any(told: Row, reason: str | None) -> None:
    assert decided(facts(told), MATTER, "no-grave-penalty").reason == reason


def test_a_grade_holds_by_the_newest_list_there_is() -> None:
    old = grade(period="2024")
    assert decided(facts(old), "SW-5001", "tax-grade").reason is None
    assert decided(facts(old, newest={TAX: 2024}), "SW-5001", "tax-grade").reason is None
    assert decided(facts(old, newest={TAX: 2025}), "SW-5001", "tax-grade").reason == "expired"
    to_come = grade(period=str(ON.year + 40))
    assert decided(facts(to_come), "SW-5001", "tax-grade").reason == "expired"


# Fields of a dataset


def test_the_registers_entry_stands_for_the_business_licence() -> None:
    found = decided(facts(registration(address="建设路1号")), MATTER, "business-licence")
    assert found.outcome == "exempt_by_data"
    assert found.fields is not None
    assert found.fields["address"] == "建设路1号"


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (registration(state="cancelled"), "stopped"),
        (registration(state="closed_temporarily"), "stopped"),
        (registration(state="expired"), "expired"),
        (unusable(registration(), "conflicted"), "conflicted"),
        (registration(objection="raised"), "objection"),
        (registration(name=None), "none_on_file"),
    ],
)
def test_an_entry_that_will_not_do_tells_why(told: Row, reason: str) -> None:
    found = decided(facts(told), MATTER, "business-licence")
    brought = "not_accepted" if told["state"] == "cancelled" else "must_bring"
    assert (found.outcome, found.reason, found.fields) == (brought, reason, None)


def grade(**told: Any) -> Row:
    usual = {
        "publisher": "heilongjiang-tax",
        "layout": "cn-tax-a-list",
        "kind": "grade",
        "grade": "A",
        "period": "2025",
        "state": "in_force",
    }
    return row("credit", **{**usual, **told})


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (grade(), None),
        (grade(period="2024"), None),
        (grade(period="2023"), "expired"),
        (grade(period=None), "expired"),
        (grade(period="去年"), "expired"),
        (grade(grade="B"), "none_on_file"),
        (grade(kind="listing"), "none_on_file"),
        (unusable(grade(), "withdrawn"), "none_on_file"),
        (unusable(grade(), "repaired"), "none_on_file"),
        (unusable(grade(), "publication_ended"), "none_on_file"),
        (unusable(grade(), "conflicted"), "conflicted"),
    ],
)
def test_a_grade_is_a_field_of_the_credit_records(told: Row, reason: str | None) -> None:
    assert decided(facts(told), "SW-5001", "tax-grade").reason == reason


# A credit check

GRAVE = penalty(categories=["责令停产停业", "罚款"], effective_from=dt.date(2025, 1, 1))


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (penalty(), None),
        (GRAVE, "barred"),
        (penalty(severity="serious"), "barred"),
        (penalty(severity="general"), None),
        ({**GRAVE, "effective_from": ON - dt.timedelta(days=1097)}, None),
        ({**GRAVE, "effective_from": ON - dt.timedelta(days=1096)}, "barred"),
        (penalty(categories=["暂扣或者吊销许可证、暂扣或者吊销执照"]), "barred"),
        (penalty(categories=["吊销营业执照"]), "barred"),
        (penalty(categories=["其他"], penalty_content="责令停产停业整顿"), "barred"),
        (penalty(categories=[], penalty_content=None), "barred"),
        (penalty(fine_yuan=Decimal(2_000_000)), "barred"),
        (penalty(fine_yuan=Decimal("1999999.99")), None),
        (unusable(penalty(), "conflicted"), "conflicted"),
        ({**GRAVE, "effective_from": None}, "barred"),
        ({**GRAVE, "kind": "listing"}, None),
        ({**GRAVE, "publisher": "heilongjiang-tax"}, None),
        ({**GRAVE, "objection": "raised"}, "objection"),
        (unusable(GRAVE, "conflicted"), "conflicted"),
        (unusable(GRAVE, "repaired"), None),
        (unusable(GRAVE, "withdrawn"), None),
        (unusable(GRAVE, "annulled"), None),
        (unusable(GRAVE, "publication_ended"), None),
    ],
)
def test_a_credit_check_answers_its_question_alone(told: Row, reason: str | None) -> None:
    found = decided(facts(told), MATTER, "no-grave-penalty")
    assert found.reason == reason
    assert found.outcome == ("exempt_by_data" if reason is None else "must_bring")
    assert (found.record, found.fields) == (None, None)


def test_a_credit_check_is_clean_only_on_a_complete_source() -> None:
    assert outcome(facts(complete={}), MATTER, "no-grave-penalty") == (
        "must_bring",
        "source_incomplete",
    )
    assert outcome(facts(GRAVE, complete={}), MATTER, "no-grave-penalty")[1] == "barred"


def test_a_bar_wins_over_an_objection_to_another_record() -> None:
    known = facts({**GRAVE, "objection": "raised"}, GRAVE)
    assert decided(known, MATTER, "no-grave-penalty").reason == "barred"


# Promise, later, own paper


def test_a_paper_that_may_be_promised_is_promised() -> None:
    found = decided(facts(), "JS-3003", "safety-rules")
    assert (found.outcome, found.evidence) == ("on_promise", "safety-rules-promise")


def test_a_promise_stands_in_where_data_are_lacking_and_not_where_they_speak_against() -> None:
    def of(known: Facts) -> tuple[str, str | None]:
        return outcome(known, "SP-2001", "domicile-proof")

    assert of(facts(registration())) == ("exempt_by_data", None)
    assert of(facts()) == ("on_promise", None)
    assert of(facts(registration(), complete={})) == ("on_promise", None)
    assert of(facts(registration(state="cancelled"))) == ("not_accepted", "stopped")
    assert of(facts(registration(objection="raised"))) == ("must_bring", "objection")
    assert of(facts(registration(address=None))) == ("on_promise", None)


def test_records_are_looked_at_before_a_promise_whatever_the_order() -> None:
    found = catalogue()
    turned = found.materials["domicile-proof"].model_copy(
        update={"replaced_by": ["premises-promise", "registered-address", "no-stop-of-business"]}
    )
    own = found.model_copy(update={"materials": {**found.materials, "domicile-proof": turned}})

    def of(known: Facts) -> tuple[str, str | None]:
        [made] = [one for one in decide(own, "SP-2001", known) if one.material == "domicile-proof"]
        return made.outcome, made.reason

    assert of(facts(registration(state="revoked"), GRAVE)) == ("not_accepted", "stopped")
    assert of(facts(GRAVE)) == ("must_bring", "barred")
    assert of(facts(complete={})) == ("on_promise", None)


def test_a_paper_that_may_follow_has_its_last_day() -> None:
    found = decided(facts(), "JS-3001", "funds")
    assert (found.outcome, found.reason, found.due) == (
        "may_follow",
        "own_paper",
        ON + dt.timedelta(days=10),
    )


def test_a_paper_that_may_follow_may_not_where_a_record_speaks_against_it() -> None:
    found = catalogue()
    alone = found.materials["domicile-proof"].model_copy(
        update={"replaced_by": ["registered-address"]}
    )
    own = found.model_copy(update={"materials": {**found.materials, "domicile-proof": alone}})

    def of(known: Facts) -> tuple[str, str | None]:
        [made] = [one for one in decide(own, "JT-4001", known) if one.material == "domicile-proof"]
        return made.outcome, made.reason

    assert of(facts()) == ("may_follow", "none_on_file")
    assert of(facts(registration(state="revoked"))) == ("not_accepted", "stopped")


def test_what_only_the_enterprise_has_must_be_brought() -> None:
    assert outcome(facts(), "JS-3001", "contract") == ("must_bring", "own_paper")


def test_what_no_department_shares_is_no_fault_of_the_enterprise() -> None:
    found = decided(facts(), "JS-3001", "land-approval")
    assert (found.outcome, found.reason) == ("must_bring", "source_incomplete")
    said = why(found, catalogue(), contract.publishers())
    assert "自然资源部门" in said.zh


def test_the_catalogues_own_words_are_told_as_they_are() -> None:
    found = catalogue()
    words = Words(en="Not shared {yet}.", zh="尚未{共享}。")
    land = found.materials["land-approval"].model_copy(update={"not_shared": words})
    own = found.model_copy(update={"materials": {**found.materials, "land-approval": land}})
    made = decided(facts(), "JS-3001", "land-approval")
    assert why(made, own, contract.publishers()) == words


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        ({"valid_to": dt.date(2027, 1, 1), "effective_to": dt.date(2026, 4, 1)}, "2026-04-01"),
        ({"valid_to": dt.date(2026, 4, 2)}, "2026-04-02"),
        ({"valid_to": None}, "term."),
    ],
)
def test_the_end_that_is_past_is_told(ends: dict[str, Any], told: str) -> None:
    made = decided(facts(licence(state="expired", **ends)))
    said = why(made, catalogue(), contract.publishers())
    assert told in said.en
    assert "2027" not in said.en + said.zh


def test_a_source_that_the_publishers_table_lacks_is_named() -> None:
    shipped = contract.publishers()
    for source in ("samr-demo", "housing-demo"):
        others = {id_: line for id_, line in shipped.publishers.items() if id_ != source}
        table = shipped.model_copy(update={"publishers": others})
        cycles = {id_: one.cycle for id_, one in others.items()}
        # What it stated while it was in the table holds no longer.
        every = [*decide(catalogue(), "JS-3001", facts(complete={}, cycles=cycles))]
        every += decide(catalogue(), "JS-3001", facts(complete=ALL, cycles=cycles))
        made = [one for one in every if one.source == source]
        assert len(made) > 1
        for one in made:
            assert (one.outcome, one.reason) == ("must_bring", "source_incomplete")
            said = why(one, catalogue(), table)
            assert f"The publishers' table has no {source}" in said.en
            assert source in said.zh
            assert "promised" not in said.en


def test_a_layout_that_its_source_does_not_send_is_named() -> None:
    shipped = contract.publishers()
    line = shipped.publishers["samr-demo"]
    fewer = {name: one for name, one in line.layouts.items() if name != "registration-list"}
    lines = shipped.publishers | {"samr-demo": line.model_copy(update={"layouts": fewer})}
    table = shipped.model_copy(update={"publishers": lines})
    made = [one for one in decide(catalogue(), "JS-3001", facts(complete={})) if one.source]
    said = [why(one, catalogue(), table) for one in made if one.source == "samr-demo"]
    assert said
    assert all("does not send the layout registration-list" in one.en for one in said)
    assert all("未登记目录" in one.zh and "registration-list" in one.zh for one in said)
    others = [why(one, catalogue(), table) for one in made if one.source == "housing-demo"]
    assert all("promised every 7 days" in one.en for one in others)


# The whole list


def test_every_paper_of_every_matter_is_decided_and_told_in_both_languages() -> None:
    rows = (licence(), registration(), penalty(licences_affected=NAMED), grade())
    for known in (facts(), facts(complete={}), facts(*rows), facts(*rows, complete={})):
        for code, matter in catalogue().matters.items():
            made = decide(catalogue(), code, known)
            assert [one.material for one in made] == [use.material for use in matter.materials]
            for one in made:
                said = why(one, catalogue(), contract.publishers())
                assert said.en
                assert said.zh
                assert "{" not in said.en + said.zh


def test_nothing_known_exempts_from_nothing() -> None:
    for complete in ({}, ALL):
        for code in catalogue().matters:
            for one in decide(catalogue(), code, facts(complete=complete)):
                checked = one.material.startswith("no-") and complete
                assert one.outcome not in EXEMPT or checked
