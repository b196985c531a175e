"""A message in quarantine may end what is still held in force: nothing is complete for its enterprise."""

from __future__ import annotations

import copy
import datetime as dt
from contextlib import closing
from typing import Any

import httpx
import pytest
import yaml

from connectors.settings import Settings
from flows.answer.ask import cycles, gather
from flows.answer.at_window import Gathering
from flows.complete import cycles as heard
from flows.ingest import ingest
from flows.quarantine import Chosen, discard, shown
from flows.receipt.verify import verify
from flows.redrive import redrive
from flows.replica import place, rebuild
from tests.support import kafka as raw
from tests.support.codes import uscc
from tests.support.exchange import Department
from tests.support.window import (
    LICENCE,
    SUBJECT,
    Window,
    follow,
    penalty,
    serving,
    shipped,
    token,
    told_by_all,
)

#: What is told does not depend on where the lake is: test_quarantine.py runs on both kinds.
pytestmark = pytest.mark.parametrize("new_lake", ["directory"], indirect=True)
OTHER = uscc(2)
EVERY = Chosen()
EXEMPT, INCOMPLETE = ("exempt_by_licence", None), ("must_bring", "source_incomplete")
STOPPED = ("not_accepted", "stopped")
FAMILY = "licence"


@pytest.fixture
def window(exchange: Any) -> Window:
    return Window(exchange)


def told(window: Window, subject: str = SUBJECT) -> tuple[str, Any]:
    return told_by_all(window, subject, "licence")


def strict(window: Window) -> Settings:
    """Return settings of a publishers' table that gives nobody the right to end a licence."""
    lines = {one.id: copy.deepcopy(one.line) for one in window.exchange.departments}
    for line in lines.values():
        line["families"][FAMILY]["facets"] = ["decision"]
    path = window.exchange.home / "strict.yaml"
    path.write_text(yaml.safe_dump({"publishers": lines}, allow_unicode=True), "utf-8")
    return window.exchange.settings_with(mianti_publishers=path)


def revoked_in_quarantine(window: Window) -> None:
    """Grant two licences; have the first one's revocation refused, and the statement behind it not."""
    food = window.food
    window.publish(food.licence(1), food.licence(2))
    assert (told(window), told(window, OTHER)) == (EXEMPT, EXEMPT)
    now = dt.datetime.now(dt.UTC)
    rows = [food.licence(1, XK_ZT="3"), food.licence(2)]
    food.publish(rows, "revoked.csv", layout=LICENCE, complete_through=now)
    ingest(strict(window), FAMILY)
    waits = shown(window.settings, FAMILY, EVERY, 10)
    assert waits["reason"].to_list() == ["facet_not_owned"]


def poison(window: Window, department: Department, key: bytes | None) -> None:
    raw.send(window.exchange.address, department.topic(), [(key, b"poison")], partition=0)
    window.exchange.ingest()


def test_a_revocation_in_quarantine_leaves_no_licence_in_force(window: Window) -> None:
    revoked_in_quarantine(window)
    assert told(window) == INCOMPLETE
    assert told(window, OTHER) == EXEMPT
    assert redrive(window.settings, FAMILY, EVERY).accepted == 1
    assert told(window) == STOPPED
    assert told(window, OTHER) == EXEMPT


def test_what_was_known_at_a_time_is_told_again_by_all(window: Window) -> None:
    times = [dt.datetime.now(dt.UTC)]
    revoked_in_quarantine(window)
    times.append(dt.datetime.now(dt.UTC))
    redrive(window.settings, FAMILY, EVERY)
    times.append(dt.datetime.now(dt.UTC))
    settings = window.settings
    follow(settings)
    granted = window.exchange.log().filter(verdict="accepted")["landed_at"].sort()[0]
    for known_at in [*times, granted]:
        there = gather(settings, SUBJECT, None, known_at)
        for _ in range(2):
            with closing(place(settings).open()) as replica:
                here = Gathering(replica, cycles(settings)).gather(SUBJECT, None, known_at).facts
            assert (here.complete, here.excepted) == (there.complete, there.excepted)
            with place(settings).alone():
                rebuild(settings)
    excepting = [gather(settings, SUBJECT, None, at).excepted for at in times]
    assert excepting == [set(), {(window.food.id, FAMILY)}, set()]
    before = window.told(known_at=granted)
    assert before["licence"] == EXEMPT


@pytest.mark.parametrize("key", [b"k", None, uscc(3).encode()[:-1]])
def test_a_message_that_does_not_say_of_whom_leaves_its_publisher_incomplete_for_all(
    window: Window, key: bytes | None
) -> None:
    window.publish(window.food.licence(1), window.food.licence(2))
    window.punish(penalty(window.police, 5, CF_XDR_SHXYM=uscc(5)))
    poison(window, window.food, key)
    assert (told(window), told(window, OTHER)) == (INCOMPLETE, INCOMPLETE)
    assert told_by_all(window, SUBJECT, "no-stop") == ("exempt_by_data", None)
    assert discard(window.settings, FAMILY, EVERY, by="Li Wei", why="noise") == 1
    assert (told(window), told(window, OTHER)) == (EXEMPT, EXEMPT)


def test_bytes_that_cannot_be_read_are_of_the_enterprise_of_their_key(window: Window) -> None:
    window.publish(window.food.licence(1), window.food.licence(2))
    poison(window, window.food, SUBJECT.encode())
    assert (told(window), told(window, OTHER)) == (INCOMPLETE, EXEMPT)


def test_an_event_under_the_key_of_another_may_be_of_either(window: Window) -> None:
    window.publish(window.food.licence(1), window.food.licence(2))
    [event, _] = window.food.events()
    sent = [(uscc(3).encode(), raw.encode(event, FAMILY))]
    raw.send(window.exchange.address, window.food.topic(), sent, partition=0)
    window.exchange.ingest()
    assert (told(window), told(window, OTHER)) == (INCOMPLETE, INCOMPLETE)


def test_a_receipt_given_meanwhile_verifies_after_it_was_redriven(window: Window) -> None:
    revoked_in_quarantine(window)
    settings = window.settings
    follow(settings)
    with serving(settings) as url:
        signed = {"Authorization": f"Bearer {token(settings)}"}
        body = {"subject": SUBJECT, "matter": "SP-1"}
        given = httpx.post(f"{url}/v1/ask", json=body, headers=signed, timeout=30).json()
        redrive(settings, FAMILY, EVERY)
        follow(settings)
        later = httpx.post(f"{url}/v1/ask", json=body, headers=signed, timeout=30).json()
    shipped(settings)
    papers = [
        {p["material"]: p for p in answer["answers"][0]["papers"]}["licence"]
        for answer in (given, later)
    ]
    assert [paper["reason"] for paper in papers] == ["source_incomplete", "stopped"]
    assert "未通过检查" in papers[0]["why"]["zh"]
    for answer in (given, later):
        assert verify(settings, answer["receipt"]["id"]).flaws == []


def test_redriving_does_not_make_a_silent_publisher_heard(window: Window) -> None:
    revoked_in_quarantine(window)
    before = heard(window.settings, FAMILY)
    redrive(window.settings, FAMILY, EVERY)
    assert heard(window.settings, FAMILY) == before
