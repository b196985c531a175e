"""What fills a form: evidence that may be relied on and used, with its source beside each field."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest

from flows.answer.decide import _SHOWN, decide
from flows.answer.facts import Facts, Row
from flows.answer.form import Filled, as_json, prefill
from flows.catalogue import catalogue
from flows.fold import whole_columns
from schemas import contract
from schemas.avro import dataset_columns
from schemas.catalogue.grammar import LICENCE_COLUMNS, Catalogue, FormField
from schemas.dialect import Words

ON = dt.date(2026, 5, 4)
NOW = dt.datetime(2026, 5, 4, 2, tzinfo=dt.UTC)
THEN = NOW - dt.timedelta(days=1)
HOUSING, REGISTER = ("housing-demo", "cn-sgs-2018-licence"), ("samr-demo", "registration-list")
PENALTIES = ("credit-demo", "cn-sgs-2018-penalty")
ALL = dict.fromkeys((HOUSING, REGISTER, PENALTIES), THEN)
CYCLES = {id_: one.cycle for id_, one in contract.publishers().publishers.items()}
SUBJECT = "91990100MA01RXEY0J"
#: A form with the work safety licence in it.
MATTER = "JS-3002"


def row(family: str, **told: Any) -> Row:
    empty = dict.fromkeys(whole_columns(family).names())
    return {**empty, "record_key": "k", "usable": "yes", "effective_from": ON, **told}


def licence(**told: Any) -> Row:
    usual = {
        "publisher": "housing-demo",
        "layout": "cn-sgs-2018-licence",
        "record_key": "l",
        "issuer": "11990100000000123K",
        "issuer_name": "示范市住房和城乡建设局",
        "name": "安全生产许可证",
        "number": "A-1",
        "scope": "建筑施工",
        "state": "in_force",
        "valid_to": dt.date(2027, 1, 1),
        "decision_event_id": "d",
        "standing_event_id": "s",
        "remarks": "not for a form",
    }
    return row("licence", **{**usual, **told})


def registration(**told: Any) -> Row:
    usual = {
        "publisher": "samr-demo",
        "layout": "registration-list",
        "record_key": "r",
        "subject": SUBJECT,
        "name": "示范企业有限公司",
        "entity_type": "有限责任公司",
        "address": "建设路1号",
        "business_scope": "房屋建筑",
        "established_on": dt.date(2015, 3, 2),
        "registrar": "示范市市场监督管理局",
        "state": "in_business",
        "decision_event_id": "e",
    }
    return row("registration", **{**usual, **told})


def facts(*rows: Row, complete: dict[Any, dt.datetime] | None = None) -> Facts:
    by: dict[str, list[Row]] = {"registration": [], "licence": [], "credit": []}
    for one in rows:
        family = "credit" if "kind" in one else "licence" if "type_code" in one else "registration"
        by[family].append(one)
    return Facts(ON, NOW, by, ALL if complete is None else complete, CYCLES)


def form(known: Facts, matter: str = MATTER, of: Catalogue | None = None) -> dict[str, Filled]:
    return {one.id: one for one in prefill(of or catalogue(), matter, SUBJECT, known)}


def with_form(*fields: FormField) -> Catalogue:
    found = catalogue()
    matter = found.matters[MATTER].model_copy(update={"form": "own"})
    return found.model_copy(
        update={"forms": {"own": [*fields]}, "matters": {**found.matters, MATTER: matter}}
    )


def field(*origins: str) -> FormField:
    return FormField.model_validate(
        {"id": "f", "name": {"en": "f", "zh": "字"}, "from": [*origins]}
    )


# What fills a field


def test_each_field_has_the_record_it_was_taken_from_beside_it() -> None:
    found = form(facts(licence(), registration()))
    number = found["safety_number"]
    assert (number.value, number.reason) == ("A-1", None)
    assert (number.evidence, number.source) == ("work-safety-licence", "housing-demo")
    assert (number.record_key, number.events, number.through) == ("l", ("d", "s"), THEN)
    assert found["safety_valid_to"].value == dt.date(2027, 1, 1)
    domicile = found["domicile"]
    assert (domicile.value, domicile.source) == ("建设路1号", "samr-demo")
    assert (domicile.record_key, domicile.events) == ("r", ("e",))


def test_the_subjects_own_code_fills_itself_whatever_is_known() -> None:
    for known in (facts(), facts(complete={})):
        code = form(known)["code"]
        assert (code.value, code.evidence, code.reason) == (SUBJECT, None, None)


def test_a_matter_without_a_form_has_no_fields() -> None:
    found = catalogue()
    bare = found.matters[MATTER].model_copy(update={"form": None})
    own = found.model_copy(update={"matters": {**found.matters, MATTER: bare}})
    assert prefill(own, MATTER, SUBJECT, facts(licence())) == []


def test_the_next_best_source_fills_where_the_best_does_not() -> None:
    certificate = licence(
        name="建筑业企业资质证书", subject_name="示范企业", record_key="q", number="Q-1"
    )
    assert form(facts(certificate, registration(name="示范企业")))["name"].source == "samr-demo"
    assert form(facts(certificate))["name"].source == "housing-demo"
    assert form(facts(certificate))["name"].value == "示范企业"


def test_an_empty_column_of_a_good_record_is_filled_from_the_next_best() -> None:
    found = form(facts(licence(issuer_name=None)))["safety_issuer"]
    assert found.value == "11990100000000123K"


# What does not


@pytest.mark.parametrize(
    ("told", "complete", "reason"),
    [
        ((), ALL, "none_on_file"),
        ((), {}, "source_incomplete"),
        ((licence(),), {}, "source_incomplete"),
        ((licence(),), {HOUSING: NOW - dt.timedelta(days=8)}, "source_incomplete"),
        ((licence(state="suspended"),), ALL, "stopped"),
        ((licence(state="expired", valid_to=dt.date(2026, 4, 1)),), ALL, "expired"),
        ((licence(objection="raised"),), ALL, "objection"),
        ((licence(usable="no", unusable_reason="conflicted"),), ALL, "conflicted"),
        ((licence(subject_name="另一家"), registration()), ALL, "mismatch"),
        ((licence(scope=None),), ALL, "none_on_file"),
    ],
)
def test_what_may_not_be_relied_on_fills_no_field_and_says_why(
    told: tuple[Row, ...], complete: dict[Any, dt.datetime], reason: str
) -> None:
    found = form(facts(*told, complete=complete))["safety_scope"]
    assert (found.value, found.reason) == (None, reason)
    assert (found.record_key, found.events) == (None, ())
    assert found.source == "housing-demo"


def test_what_the_purpose_may_not_use_fills_no_field() -> None:
    found = catalogue()
    housing = found.departments["housing"]
    purpose = housing.purposes["qualification"].model_copy(
        update={"may_use": ["business-licence", "building-qualification"]}
    )
    purposes = {**housing.purposes, "qualification": purpose}
    departments = {
        **found.departments,
        "housing": housing.model_copy(update={"purposes": purposes}),
    }
    own = found.model_copy(update={"departments": departments})
    made = form(facts(licence(), registration()), of=own)
    assert (made["safety_number"].value, made["safety_number"].reason) == (None, "no_right")
    assert made["name"].value == "示范企业有限公司"


def test_a_credit_check_a_promise_and_other_columns_give_a_form_nothing() -> None:
    """The check of the catalogue finds these; a catalogue that was not checked gives none either."""
    origins = ["no-grave-penalty.subject", "premises-promise.text", "work-safety-licence.remarks"]
    for reference in origins:
        own = with_form(field(reference))
        made = form(facts(licence(), registration()), of=own)
        assert made["f"].value is None
        assert made["f"].reason is not None


def test_what_speaks_against_is_told_before_what_is_lacking() -> None:
    own = with_form(field("building-qualification.number", "work-safety-licence.number"))
    found = form(facts(licence(state="revoked")), of=own)["f"]
    assert (found.reason, found.evidence) == ("stopped", "work-safety-licence")


def test_a_licence_gives_a_form_no_more_than_an_answer_shows() -> None:
    assert set(LICENCE_COLUMNS) <= set(_SHOWN)
    assert set(LICENCE_COLUMNS) <= set(dataset_columns("licence").names())


# The shipped forms


def test_a_field_is_filled_wherever_its_paper_need_not_be_brought() -> None:
    """The form and the list of papers rest on one judgement: they never tell two things."""
    rows = [
        licence(name=name, number=name, scope="建筑工程施工总承包一级")
        for name in (
            "安全生产许可证",
            "建筑业企业资质证书",
            "燃气经营许可证",
            "房地产开发企业资质证书",
        )
    ]
    for known in (facts(), facts(*rows, registration()), facts(*rows, complete={})):
        for code, matter in catalogue().matters.items():
            assert matter.form is not None
            decided = {one.evidence: one for one in decide(catalogue(), code, known)}
            for one in prefill(catalogue(), code, SUBJECT, known):
                same = decided.get(one.evidence)
                if one.evidence is not None and same is not None and same.outcome != "on_promise":
                    assert one.reason == same.reason
                    assert one.through == same.through


# As JSON


def test_a_form_is_told_in_both_languages_with_its_reasons() -> None:
    table = contract.publishers()
    for known in (
        facts(licence(), registration()),
        facts(complete={}),
        facts(licence(state="expired")),
    ):
        for code in catalogue().matters:
            told = as_json(prefill(catalogue(), code, SUBJECT, known), catalogue(), table)
            assert json.loads(json.dumps(told)) == told
            for one in told:
                assert {*one["name"]} == {"en", "zh"}
                assert (one["value"] is None) == (one["reason"] is not None)
                assert (one["why"] is None) == (one["reason"] is None)
                if one["why"] is not None:
                    assert "{" not in one["why"]["en"] + one["why"]["zh"]
    [filled] = [
        one
        for one in as_json(
            prefill(catalogue(), MATTER, SUBJECT, facts(licence())), catalogue(), table
        )
        if one["id"] == "safety_valid_to"
    ]
    assert filled["value"] == "2027-01-01"
    assert filled["source_name"] == table.publishers["housing-demo"].name.model_dump()
    assert filled["complete_through"] == THEN.isoformat()


def test_the_end_of_a_term_that_is_past_is_told() -> None:
    known = facts(licence(state="expired", valid_to=dt.date(2026, 4, 1)))
    told = as_json(prefill(catalogue(), MATTER, SUBJECT, known), catalogue(), contract.publishers())
    [number] = [one for one in told if one["id"] == "safety_number"]
    assert "2026-04-01" in number["why"]["zh"]
    assert "A-1" not in json.dumps(number)


def test_an_amount_stays_exact() -> None:
    name = Words(en="Capital", zh="注册资本")
    [told] = as_json(
        [Filled("c", name, Decimal("10000000.10"))], catalogue(), contract.publishers()
    )
    assert told["value"] == "10000000.10"
