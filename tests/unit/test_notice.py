"""One notice of what is still to be brought: each paper once, the strictest decision counts."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from flows.answer.decide import EXEMPT, Decision, decide
from flows.answer.facts import Facts
from flows.answer.notice import Notice, Paper, as_json, notice
from flows.catalogue import catalogue
from schemas import contract

ON = dt.date(2026, 5, 4)
NOW = dt.datetime(2026, 5, 4, 2, tzinfo=dt.UTC)
SUBJECT = "91990100MA01RXEY0J"
#: A paper with evidence, a promise among it.
PAPER = "domicile-proof"
A, B = "SP-2001", "JT-4001"
EXEMPTED: dict[str, Any] = {
    "outcome": "exempt_by_data",
    "evidence": "registered-address",
    "record": {"issuer_name": "示范市市场监督管理局"},
    "source": "samr-demo",
    "through": NOW,
}
PROMISED: dict[str, Any] = {"outcome": "on_promise", "evidence": "premises-promise"}
LATER: dict[str, Any] = {
    "outcome": "may_follow",
    "reason": "source_incomplete",
    "evidence": "registered-address",
    "source": "samr-demo",
    "due": ON + dt.timedelta(days=10),
}
BROUGHT: dict[str, Any] = {
    "outcome": "must_bring",
    "reason": "no_right",
    "evidence": "registered-address",
}
AGAINST = {**BROUGHT, "reason": "stopped", "by": "示范市市场监督管理局"}


def decision(told: dict[str, Any], **changes: Any) -> Decision:
    return Decision(**{"material": PAPER, "necessity": "required", **told, **changes})


def noticed(decided: dict[str, list[Decision]]) -> Notice:
    return notice(catalogue(), contract.publishers(), SUBJECT, ON, decided)


def papers(made: Notice) -> list[Paper]:
    return [*made.to_bring, *made.may_follow, *made.to_promise, *made.not_needed]


def the_paper(*of: Decision) -> Paper:
    made = noticed({code: [one] for code, one in zip((A, B, "SP-2002"), of, strict=False)})
    [found] = papers(made)
    return found


def facts() -> Facts:
    return Facts(ON, NOW, {}, {}, {})


def test_of_different_decisions_about_one_paper_the_strictest_counts() -> None:
    order = [BROUGHT, LATER, PROMISED, EXEMPTED]
    for strict, lax in itertools.combinations(order, 2):
        for of in ((strict, lax), (lax, strict)):
            assert the_paper(*map(decision, of)).outcome == strict["outcome"]


def test_a_paper_names_the_matters_that_ask_for_it() -> None:
    assert the_paper(decision(BROUGHT), decision(EXEMPTED)).matters == (A,)
    assert the_paper(decision(PROMISED), decision(BROUGHT)).matters == (A, B)
    assert the_paper(decision(EXEMPTED), decision(EXEMPTED)).matters == (A, B)


def test_a_paper_that_a_matter_lists_twice_stands_once() -> None:
    made = noticed({A: [decision(BROUGHT), decision(PROMISED)], B: [decision(PROMISED)]})
    [found] = papers(made)
    assert (found.matters, found.outcome) == ((A, B), "must_bring")


def test_the_earliest_of_several_days_counts() -> None:
    later = decision(LATER, due=ON + dt.timedelta(days=15))
    found = the_paper(later, decision(LATER))
    assert found.due == ON + dt.timedelta(days=10)
    assert "2026-05-14" in found.why.zh


def test_what_speaks_against_the_enterprise_is_told_before_what_is_lacking() -> None:
    for of in ((BROUGHT, AGAINST), (AGAINST, BROUGHT)):
        assert "示范市市场监督管理局" in the_paper(*map(decision, of)).why.zh


def test_a_paper_is_optional_only_where_no_matter_needs_it() -> None:
    voluntary = decision(BROUGHT, necessity="optional")
    assert the_paper(voluntary, decision(EXEMPTED)).optional
    assert the_paper(voluntary).optional
    assert not the_paper(voluntary, decision(BROUGHT)).optional
    needed = the_paper(voluntary, decision(LATER))
    assert (needed.outcome, needed.optional) == ("may_follow", False)


def test_a_promise_has_its_text() -> None:
    promise = the_paper(decision(PROMISED)).promise
    assert promise is not None
    assert "合法使用权" in promise.zh
    assert the_paper(decision(BROUGHT), decision(PROMISED)).promise is None


def test_a_notice_says_to_whom_for_what_by_whom_and_within_how_many_days() -> None:
    made = noticed({"JS-3001": [], "ZB-6001": []})
    assert (made.subject, made.on) == (SUBJECT, ON)
    permit, bid = made.matters
    assert (permit.code, permit.name.zh) == ("JS-3001", "建筑工程施工许可证核发")
    assert (permit.department.zh, permit.department_code) == (
        "示范市住房和城乡建设局",
        "11990100000000123K",
    )
    assert (permit.legal_days, permit.promised_days) == (7, 3)
    assert (bid.legal_days, bid.promised_days) == (None, None)


def test_a_bundle_asks_for_each_paper_once() -> None:
    codes = catalogue().bundles["start-building"].matters
    made = noticed({code: decide(catalogue(), code, facts()) for code in codes})
    listed = [one.material for one in papers(made)]
    assert len(listed) == len(set(listed))
    [licence] = [one for one in papers(made) if one.material == "business-licence"]
    assert licence.matters == tuple(codes)
    assert [one.material for one in made.may_follow] == ["injury-insurance", "funds"]
    assert [one.material for one in made.to_promise] == ["safety-rules"]


OUTCOMES = st.sampled_from([BROUGHT, AGAINST, LATER, PROMISED, EXEMPTED])
NEED = st.sampled_from(["required", "optional", "may_follow", "on_promise"])
DECISIONS = st.builds(
    lambda told, need, paper: decision(told, necessity=need, material=paper),
    OUTCOMES,
    NEED,
    st.sampled_from([PAPER, "business-licence", "contract"]),
)


@given(st.dictionaries(st.sampled_from([*catalogue().matters]), st.lists(DECISIONS), min_size=1))
def test_no_paper_is_lost_none_stands_twice_and_nothing_asked_is_let_off(
    decided: dict[str, list[Decision]],
) -> None:
    made = noticed(decided)
    listed = [one.material for one in papers(made)]
    everything = [one for of in decided.values() for one in of]
    assert len(listed) == len(set(listed))
    assert {*listed} == {one.material for one in everything}
    for one in made.not_needed:
        assert all(of.outcome in EXEMPT for of in everything if of.material == one.material)
    required = {
        of.material
        for of in everything
        if of.outcome == "must_bring" and of.necessity != "optional"
    }
    assert {one.material for one in made.to_bring if not one.optional} == required
    for one in papers(made):
        assert one.why.en
        assert one.why.zh
        assert (one.due is not None) == (one.outcome == "may_follow")
        assert (one.promise is not None) == (one.outcome == "on_promise")
    told = as_json(made)
    assert json.loads(json.dumps(told)) == told


def test_as_json_has_both_languages_and_plain_days() -> None:
    told = as_json(
        noticed({A: [decision(LATER)], B: [decision(PROMISED, material="premises-use")]})
    )
    assert (told["subject"], told["on"]) == (SUBJECT, "2026-05-04")
    [follows], [promise] = told["may_follow"], told["to_promise"]
    assert follows["due"] == "2026-05-14"
    assert follows["matters"] == [A]
    assert follows["outcome_words"]["zh"] == "容缺后补"
    assert {*promise["promise"]} == {*promise["why"]} == {*promise["name"]} == {"en", "zh"}
    assert told["matters"][0]["department"]["zh"] == "示范市市场监督管理局"
