"""A refused row may be the penalty or the revocation: nothing is complete for whom it is about."""

from __future__ import annotations

import datetime as dt
from typing import Any

import httpx
import pytest

from flows.answer.ask import as_json, ask, gather
from flows.publish import Outcome, finish, statement
from flows.publish.discard import Which, discard, listed
from flows.receipt.verify import verify
from tests.support.codes import uscc
from tests.support.exchange import Department, Exchange
from tests.support.window import (
    LICENCE,
    PENALTY,
    SUBJECT,
    Window,
    follow,
    parts_of,
    penalty,
    serving,
    shipped,
    token,
    told_by_all,
)

#: What is told does not depend on where the lake is: test_ask.py runs on both kinds.
pytestmark = pytest.mark.parametrize("new_lake", ["directory"], indirect=True)
OTHER = uscc(2)
INCOMPLETE, CLEAN = ("must_bring", "source_incomplete"), ("exempt_by_data", None)
STOP: dict[str, Any] = {"CF_CFLB": "责令停产停业"}


@pytest.fixture
def window(exchange: Exchange) -> Window:
    return Window(exchange)


def send(
    window: Window, dept: Department, layout: str, *rows: dict[str, Any], **options: Any
) -> Outcome:
    """Publish and land rows, stated complete until now unless told otherwise."""
    options = {"complete_through": dt.datetime.now(dt.UTC)} | options
    name = f"{len([*dept.folder.iterdir()])}.csv"
    done = dept.publish([*rows], name, layout=layout, **options)
    window.exchange.ingest("licence" if layout == LICENCE else "credit")
    return done


def punish(window: Window, *rows: dict[str, Any], **options: Any) -> Outcome:
    return send(window, window.police, PENALTY, *rows, **options)


def test_a_refused_penalty_is_no_clean_check_of_its_enterprise_alone(window: Window) -> None:
    bad = penalty(window.police, CF_JDRQ="2026-13-45", **STOP)
    done = punish(window, bad, penalty(window.police, 2, CF_XDR_SHXYM=OTHER))
    assert (done.refused, done.excepted, done.unreadable) == (1, 1, 0)
    assert told_by_all(window) == INCOMPLETE
    assert told_by_all(window, OTHER) == CLEAN
    settings = window.settings
    [answer] = [as_json(one, settings) for one in ask(settings, SUBJECT, "SP-1")]
    [paper] = [one for one in answer["papers"] if one["material"] == "no-stop"]
    assert "未通过检查" in paper["why"]["zh"]
    assert "refused" in paper["why"]["en"]
    mended = punish(window, penalty(window.police, **STOP))
    assert mended.excepted == 0
    assert told_by_all(window) == ("must_bring", "barred")


def test_of_rows_that_contradict_each_other_nobody_says_that_none_is_on_file(
    window: Window,
) -> None:
    two = [window.food.licence(1), window.food.licence(1, XK_NR="散装食品销售")]
    send(window, window.food, LICENCE, *two)
    assert told_by_all(window, SUBJECT, "licence") == INCOMPLETE
    assert told_by_all(window, OTHER, "licence") == ("must_bring", "none_on_file")
    send(window, window.food, LICENCE, window.food.licence(1))
    assert told_by_all(window, SUBJECT, "licence") == ("exempt_by_licence", None)


def test_a_refused_revocation_stops_the_licence_even_if_its_code_is_mistyped(
    window: Window,
) -> None:
    send(window, window.food, LICENCE, window.food.licence(1))
    assert told_by_all(window, SUBJECT, "licence") == ("exempt_by_licence", None)
    wrong = window.food.licence(1, XK_XDR_SHXYM="x", XK_ZT="3")
    done = send(window, window.food, LICENCE, wrong)
    # The holder of that number, and whoever has the name in the row.
    assert (done.excepted, done.unreadable, done.everyone) == (2, 1, 0)
    assert told_by_all(window, SUBJECT, "licence") == INCOMPLETE
    send(window, window.food, LICENCE, window.food.licence(1, XK_ZT="3"))
    assert told_by_all(window, SUBJECT, "licence") == ("not_accepted", "stopped")


def test_a_column_that_nobody_reads_and_that_may_tell_of_an_ending_excepts(
    window: Window,
) -> None:
    rows = [window.food.licence(1), window.food.licence(2, XK_XDR_SHXYM=OTHER)]
    send(window, window.food, LICENCE, *rows)
    assert told_by_all(window, SUBJECT, "licence") == ("exempt_by_licence", None)
    ended = [rows[0] | {"注销日期": "2026-03-01"}, rows[1] | {"注销日期": ""}]
    done = send(window, window.food, LICENCE, *ended)
    assert (done.reasons, done.excepted) == ({"state_unread": 1}, 1)
    assert [one.column for one in done.unread_columns] == ["注销日期"]
    assert told_by_all(window, SUBJECT, "licence") == INCOMPLETE
    assert told_by_all(window, OTHER, "licence") == ("exempt_by_licence", None)
    # It is not the row that is wrong: without the column it says what it said.
    again = [row | {"BZ": "复核"} for row in rows]
    assert send(window, window.food, LICENCE, *again).excepted == 0
    assert told_by_all(window, SUBJECT, "licence") == ("exempt_by_licence", None)


def test_the_next_increment_lifts_nothing_that_it_does_not_mend(window: Window) -> None:
    bad = penalty(window.police, CF_JDRQ="x", **STOP)
    monday = [bad, penalty(window.police, 2)]
    punish(window, *monday)
    assert punish(window, penalty(window.police, 3)).excepted == 1
    assert told_by_all(window) == INCOMPLETE
    # The same file again, one that is older, and one that states nothing, change nothing either.
    assert punish(window, *monday).excepted == 1
    older = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    assert punish(window, penalty(window.police), edition=older).excepted == 1
    assert punish(window, penalty(window.police, 4), complete_through=None).excepted == 1
    assert told_by_all(window) == INCOMPLETE


def test_what_a_file_that_states_nothing_had_refused_counts_at_once(window: Window) -> None:
    punish(window, penalty(window.police, 2))
    assert told_by_all(window) == CLEAN
    punish(window, penalty(window.police, CF_JDRQ="x", **STOP), complete_through=None)
    assert told_by_all(window) == INCOMPLETE
    punish(window, penalty(window.police), complete_through=None)
    assert told_by_all(window) == CLEAN


def test_of_two_refused_rows_mending_one_is_not_enough(window: Window) -> None:
    bad = [penalty(window.police, number, CF_JDRQ="x") for number in (1, 2)]
    punish(window, *bad)
    assert punish(window, penalty(window.police, 1)).excepted == 1
    assert told_by_all(window) == INCOMPLETE
    assert punish(window, penalty(window.police, 2)).excepted == 0
    assert told_by_all(window) == CLEAN


def test_a_lost_ledger_still_excepts(window: Window) -> None:
    punish(window, penalty(window.police, CF_JDRQ="x", **STOP))
    window.police.lose_ledger()
    assert punish(window, penalty(window.police, 2, CF_XDR_SHXYM=OTHER)).excepted == 1
    assert told_by_all(window) == INCOMPLETE
    window.police.lose_ledger()
    # Which record it was is in no event: a row about the enterprise may be about another.
    assert punish(window, penalty(window.police, 3)).excepted == 1
    assert told_by_all(window) == INCOMPLETE
    settings = window.settings
    [entry] = listed(settings, window.police.id).iter_rows(named=True)
    assert (entry["subject"], entry["code"]) == (SUBJECT, "ledger_lost")
    assert discard(settings, window.police.id, Which(), by="Li Wei", why="mended") == 1
    window.exchange.ingest("credit")
    assert told_by_all(window) == CLEAN


def test_a_publish_that_crashed_before_its_statement_is_not_forgotten(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    punish(window, penalty(window.police, 2))
    bad = [penalty(window.police, CF_JDRQ="x", **STOP), penalty(window.police, 3)]
    with monkeypatch.context() as crash:
        crash.setattr(finish, "state", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            punish(window, *bad, complete_through=None)
    assert punish(window, penalty(window.police, 4)).excepted == 1
    assert told_by_all(window) == INCOMPLETE


def test_an_old_file_sent_again_excepts_nobody(window: Window) -> None:
    old, new = (dt.datetime(2026, month, 1, tzinfo=dt.UTC) for month in (1, 2))
    first = [penalty(window.police, CF_NR="旧"), penalty(window.police, 2, CF_JDRQ="x")]
    assert punish(window, *first, edition=old).excepted == 1
    mended = [penalty(window.police, CF_NR="新"), penalty(window.police, 2)]
    assert punish(window, *mended, edition=new).excepted == 0
    done = punish(window, *first, edition=old)
    assert (done.reasons, done.excepted) == ({"bad_date": 1, "bad_time": 1, "older_edition": 1}, 0)
    assert told_by_all(window) == CLEAN


@pytest.mark.parametrize("wrong", [{"CF_NR": "旧"}, {"CF_JDRQ": "x"}], ids=["older", "unread"])
def test_an_older_row_that_says_otherwise_waits_for_a_newer_edition(
    window: Window, wrong: dict[str, Any]
) -> None:
    old, new, newer = (dt.datetime(2026, month, 1, tzinfo=dt.UTC) for month in (1, 2, 3))
    punish(window, penalty(window.police, CF_NR="新"), edition=new)
    assert punish(window, penalty(window.police, **wrong), edition=old).excepted == 1
    assert told_by_all(window) == INCOMPLETE
    # What contradicts it is no news when it is sent again.
    assert punish(window, penalty(window.police, CF_NR="新"), edition=new).excepted == 1
    assert punish(window, penalty(window.police, CF_NR="新"), edition=newer).excepted == 0
    assert told_by_all(window) == CLEAN


def test_two_files_of_one_edition_that_disagree_wait_for_a_newer_one(window: Window) -> None:
    day, next_day = (dt.datetime(2026, 1, day, tzinfo=dt.UTC) for day in (1, 2))
    first, second = penalty(window.police, CF_NR="甲"), penalty(window.police, CF_NR="乙")
    punish(window, first, edition=day)
    done = punish(window, second, edition=day)
    assert (done.reasons, done.excepted) == ({"contradictory_published": 1}, 1)
    assert punish(window, first, edition=day).excepted == 1
    assert told_by_all(window) == INCOMPLETE
    assert punish(window, second, edition=next_day).excepted == 0
    assert told_by_all(window) == CLEAN


def test_a_record_that_was_taken_back_is_not_waited_for(window: Window) -> None:
    punish(window, penalty(window.police, **STOP))
    key = f"{window.police.code}/示罚〔2026〕1号"
    window.police.publisher.withdraw(key, "issued by mistake")
    window.exchange.ingest("credit")
    done = punish(window, penalty(window.police, CF_NR="新"))
    assert (done.reasons, done.excepted) == ({"withdrawn": 1}, 0)
    assert punish(window, penalty(window.police, CF_JDRQ="x")).excepted == 0
    assert told_by_all(window) == CLEAN


def test_a_row_without_a_code_holds_the_enterprises_of_its_name(window: Window) -> None:
    good = window.food.licence(1), window.food.licence(3, XK_XDR_MC="示范运输有限公司")
    send(window, window.food, LICENCE, *good)
    bad = penalty(window.police, CF_XDR_SHXYM="91X", CF_XDR_MC="示范企业１有限公司 ")
    done = punish(window, bad, penalty(window.police, 2, CF_XDR_SHXYM=OTHER))
    assert (done.refused, done.excepted, done.unreadable, done.everyone) == (1, 1, 1, 0)
    assert told_by_all(window) == INCOMPLETE
    assert told_by_all(window, SUBJECT, "licence") == INCOMPLETE
    assert told_by_all(window, uscc(3)) == CLEAN
    assert told_by_all(window, uscc(3), "licence") == ("exempt_by_licence", None)
    assert told_by_all(window, uscc(5)) == INCOMPLETE  # whose name nobody knows
    assert punish(window, bad | {"CF_XDR_SHXYM": uscc(7)}).excepted == 0
    assert told_by_all(window, SUBJECT, "licence") == ("exempt_by_licence", None)


def test_a_row_without_a_code_and_a_name_may_be_about_anyone(window: Window) -> None:
    bad = penalty(window.police, CF_XDR_SHXYM="0" * 17 + "X", CF_XDR_MC="/")
    done = punish(window, bad, penalty(window.police, 2, CF_XDR_SHXYM=OTHER))
    assert (done.refused, done.excepted, done.unreadable, done.everyone) == (1, 0, 1, 1)
    assert told_by_all(window) == INCOMPLETE
    assert told_by_all(window, uscc(5)) == INCOMPLETE
    assert punish(window, bad | {"CF_XDR_SHXYM": OTHER}).everyone == 0
    assert told_by_all(window) == CLEAN


def test_beyond_the_most_nothing_is_complete_until_they_are_mended(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statement, "MOST_EXCEPTED", 2)
    three = [penalty(window.police, n, CF_XDR_SHXYM=uscc(n)) for n in (1, 2, 3)]
    punish(window, penalty(window.police, 4, CF_XDR_SHXYM=uscc(4)))
    assert told_by_all(window, uscc(4)) == CLEAN
    assert punish(window, *[one | {"CF_JDRQ": "x"} for one in three]).excepted == 3
    assert told_by_all(window, uscc(4)) == INCOMPLETE
    assert punish(window, *three).excepted == 0
    assert told_by_all(window, uscc(4)) == CLEAN


def test_the_events_of_a_program_are_waited_for_facet_by_facet(window: Window) -> None:
    food, now = window.food, dt.datetime.now(dt.UTC)
    parts = parts_of(food, window.police)
    parts["evidence"]["licence"]["sources"] = {food.id: ["mianti-licence"]}
    window.write(parts)

    def said(event: dict[str, Any]) -> Outcome:
        done = food.publisher.publish_rows("mianti-licence", [event], complete_through=now)
        window.exchange.ingest()
        return done

    good = food.native(1)
    revoked = good | {"facet": "standing", "event_type": "revoked", "decision": None}
    raised = revoked | {"facet": "objection", "event_type": "objection_stated"}
    assert said(good).excepted == 0
    assert said(revoked | {"standing": {"state": "gone"}}).excepted == 1
    assert said(raised | {"objection": {"state": "none"}}).excepted == 1
    assert gather(window.settings, SUBJECT, None, None).excepted == {(food.id, "licence")}
    assert said(revoked | {"standing": {"state": "revoked"}}).excepted == 0
    assert gather(window.settings, SUBJECT, None, None).excepted == set()


def test_a_receipt_of_an_excepted_enterprise_verifies(window: Window) -> None:
    punish(window, penalty(window.police, CF_JDRQ="x", **STOP))
    follow(window.settings)
    with serving(window.settings) as url:
        signed = {"Authorization": f"Bearer {token(window.settings)}"}
        body = {"subject": SUBJECT, "matter": "SP-1"}
        given = httpx.post(f"{url}/v1/ask", json=body, headers=signed, timeout=30).json()
    punish(window, penalty(window.police))
    shipped(window.settings)
    proof = verify(window.settings, given["receipt"]["id"])
    assert (proof.flaws, proof.decided_again) == ([], True)
    [paper] = [p for p in given["answers"][0]["papers"] if p["material"] == "no-stop"]
    assert paper["reason"] == "source_incomplete"
    assert "未通过检查" in paper["why"]["zh"]
