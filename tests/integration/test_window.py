"""The window as a clerk's system meets it: real HTTP, a real replica, a receipt for every answer."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from connectors.receipts import Receipts
from deploy.cli.main import cli
from deploy.window.tokens import Caller
from flows.catalogue import catalogue
from flows.figures import saved, still_asked
from flows.operator.papers import asked_rows, decided_since
from flows.receipt import continuity
from flows.receipt.verify import verify
from flows.replica import place
from schemas import contract
from tests.support.codes import uscc
from tests.support.exchange import Exchange
from tests.support.window import (
    SUBJECT,
    Window,
    follow,
    penalty,
    serving,
    shipped,
    token,
)


@pytest.fixture
def window(exchange: Exchange) -> Window:
    return Window(exchange)


class Clerk:
    """Somebody with a token at a window that answers."""

    def __init__(self, window: Window, url: str, caller: Caller | None = None) -> None:
        signed = token(window.settings) if caller is None else token(window.settings, caller)
        headers = {"Authorization": f"Bearer {signed}"}
        self.http = httpx.Client(base_url=url, headers=headers, timeout=30)
        self.window = window

    def ask(self, **more: Any) -> httpx.Response:
        return self.http.post("/v1/ask", json={"subject": SUBJECT, "matter": "SP-1", **more})

    def told(self, **more: Any) -> dict[str, tuple[str, str | None]]:
        follow(self.window.settings)
        response = self.ask(**more)
        assert response.status_code == 200, response.text
        [answer] = response.json()["answers"]
        return {one["material"]: (one["outcome"], one["reason"]) for one in answer["papers"]}


@pytest.fixture
def clerk(window: Window) -> Iterator[Clerk]:
    window.publish(window.food.licence(2))
    follow(window.settings)
    with serving(window.settings) as url:
        made = Clerk(window, url)
        yield made
        made.http.close()


def test_an_answer_follows_what_was_published_a_moment_ago(clerk: Clerk, window: Window) -> None:
    assert clerk.told()["licence"] == ("must_bring", "none_on_file")
    window.publish(window.food.licence(1))
    assert clerk.told() == window.told()
    assert clerk.told()["licence"] == ("exempt_by_licence", None)
    window.punish(penalty(window.police, CF_NR_ZKDX="食品经营许可证（JY000001）", CF_CFLB="吊销"))
    assert clerk.told() == window.told()
    [answer] = clerk.ask().json()["answers"]
    paper = answer["papers"][0]
    assert (paper["outcome"], paper["reason"]) == ("not_accepted", "stopped")
    assert paper["stopped"] == {
        "state": "revoked",
        "state_words": {"en": "revoked", "zh": "吊销"},
        "since": "2026-02-01",
        "by": window.police.name,
        "document": "示罚〔2026〕1号",
    }
    for told in (window.police.name, "2026-02-01", "示罚〔2026〕1号"):
        assert told in paper["why"]["zh"]
        assert told in paper["why"]["en"]
    assert window.police.name in paper["why"]["zh"]


def test_what_was_known_then_is_told_by_the_replica_as_by_the_lake(
    clerk: Clerk, window: Window
) -> None:
    window.publish(window.food.licence(1))
    then = dt.datetime.now(dt.UTC)
    window.publish(window.food.licence(1, XK_ZT="3"))
    assert clerk.told()["licence"] == ("not_accepted", "stopped")
    assert clerk.told(known_at=then.isoformat()) == window.told(known_at=then)
    before = then.replace(year=2020)  # when nobody had stated anything
    assert clerk.told(known_at=before.isoformat()) == window.told(known_at=before)
    assert clerk.told(known_at=before.isoformat())["licence"] == ("must_bring", "source_incomplete")
    assert clerk.told(on="2020-01-01") == window.told(on=dt.date(2020, 1, 1))


def test_every_answer_has_a_receipt_that_verifies_now_and_once_shipped(
    clerk: Clerk, window: Window
) -> None:
    window.publish(window.food.licence(1))
    clerk.told()
    receipts = [clerk.ask().json()["receipt"]["id"] for _ in range(3)]
    window.publish(window.food.licence(1, XK_ZT="3"))
    window.exchange.ingest()
    assert shipped(window.settings) >= 4
    receipts.append(clerk.ask().json()["receipt"]["id"])
    proofs = [verify(window.settings, one) for one in receipts]
    assert [proof.flaws for proof in proofs] == [[], [], [], []]
    assert [proof.anchored for proof in proofs] == [True, True, True, False]
    assert all(proof.decided_again for proof in proofs)
    [licence, *_] = proofs[0].body["answers"][0]["papers"]
    assert licence["outcome"] == "exempt_by_licence"


def test_no_right_is_refused_and_recorded(clerk: Clerk, window: Window) -> None:
    url = str(clerk.http.base_url)
    for caller in (Caller("c1", ("other",)), Caller("c2", ("d",), ("other",)), Caller("c3")):
        other = Clerk(window, url, caller)
        refused = other.ask()
        assert refused.status_code == 403
        assert refused.headers["content-type"] == "application/problem+json"
        assert other.http.get("/v1/matters").json() == {"matters": [], "bundles": []}
    uses = clerk.http.get("/v1/uses", params={"subject": SUBJECT}).json()["uses"]
    assert [(one["kind"], one["matters"][0]["code"]) for one in uses] == [("refusal", "SP-1")] * 3
    assert all(verify(window.settings, one["receipt"]).flaws == [] for one in uses)


@pytest.mark.parametrize("sent", [None, "Bearer x", "Bearer a.b.c", "Basic YTpi"])
def test_nobody_is_let_in_without_a_token(clerk: Clerk, sent: str | None) -> None:
    headers = {} if sent is None else {"Authorization": sent}
    response = httpx.post(f"{clerk.http.base_url}/v1/ask".replace("//v1", "/v1"), headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"


def test_an_unknown_enterprise_has_the_shape_of_one_with_nothing_on_file(clerk: Clerk) -> None:
    known, unknown = (clerk.ask(subject=code).json() for code in (SUBJECT, uscc(987)))
    for told in (known, unknown):
        told["subject"] = told["receipt"] = told["known_at"] = None
        told["notice"]["subject"] = None
    assert known == unknown


def test_a_window_that_is_behind_answers_with_503(window: Window) -> None:
    window.publish(window.food.licence(1))
    follow(window.settings)
    late = window.settings.model_copy(update={"mianti_window_behind_seconds": 60})
    with serving(late) as url:
        clerk = Clerk(window, url)
        assert clerk.ask().status_code == 200
        replica = place(late).open()
        hour = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
        for family in replica.positions():
            replica.seen(family, hour)
        replica.close()
        refused = clerk.ask()
        assert (refused.status_code, clerk.http.get("/health").status_code) == (503, 503)
        assert refused.json()["type"].endswith("behind")
        follow(late)
        assert clerk.ask().status_code == 200


def test_without_a_replica_nothing_is_answered(window: Window) -> None:
    with serving(window.settings) as url:
        clerk = Clerk(window, url)
        refused = clerk.ask()
        assert refused.status_code == 503
        assert "rebuild" in refused.json()["detail"]
        follow(window.settings)
        window.publish(window.food.licence(1))
        follow(window.settings)
        assert clerk.ask().status_code == 200


def test_the_receipts_of_an_enterprise_are_its_own_to_see(clerk: Clerk, window: Window) -> None:
    id_ = clerk.ask().json()["receipt"]["id"]
    url = str(clerk.http.base_url)
    itself, another = Clerk(window, url, Caller("e", (), None, SUBJECT)), uscc(5)
    assert itself.http.get("/v1/uses", params={"subject": SUBJECT}).status_code == 200
    assert itself.http.get("/v1/uses", params={"subject": another}).status_code == 403
    assert itself.http.get(f"/v1/receipts/{id_}").json()["body"]["subject"] == SUBJECT
    assert itself.http.get("/v1/subjects", params={"q": "示范"}).status_code == 403
    stranger = Clerk(window, url, Caller("e", (), None, another))
    assert stranger.http.get(f"/v1/receipts/{id_}").status_code == 404


def test_a_receipt_is_for_clerks_who_might_have_asked(clerk: Clerk, window: Window) -> None:
    id_ = clerk.ask().json()["receipt"]["id"]
    url = str(clerk.http.base_url)
    for caller, status in ((Caller("a", ("d",), ("p",)), 200), (Caller("b", ("d",), ("q",)), 404)):
        assert Clerk(window, url, caller).http.get(f"/v1/receipts/{id_}").status_code == status


@pytest.mark.parametrize(
    "asked",
    [
        {"on": "9999-12-31"},
        {"on": "0001-01-01"},
        {"known_at": "0001-01-01T00:00+23:59"},
        {"known_at": "2999-01-01T00:00Z"},
        {"subject": "1" * 18},
        {"more": 1},
    ],
)
def test_what_cannot_be_asked_is_told(clerk: Clerk, asked: dict[str, Any]) -> None:
    assert clerk.ask(**asked).status_code == 422


def test_no_input_is_too_large_or_too_long(clerk: Clerk) -> None:
    large = clerk.ask(subject="1" * 20_000)
    assert (large.status_code, large.json()["type"]) == (413, "urn:mianti:problem:too-large")
    for number in ("9" * 21, "9" * 5_000):
        assert clerk.http.get(f"/v1/receipts/window-1-{number}").status_code == 404


def test_too_many_questions_are_slowed_down(window: Window) -> None:
    window.publish(window.food.licence(1))
    follow(window.settings)
    settings = window.settings.model_copy(update={"mianti_window_rate": "3/hour"})
    with serving(settings) as url:
        clerk = Clerk(window, url)
        assert [clerk.ask().status_code for _ in range(5)] == [200, 200, 200, 429, 429]
        assert clerk.ask().headers["retry-after"]


def test_what_windows_saved_is_counted_from_their_shipped_receipts(
    clerk: Clerk, window: Window
) -> None:
    before = dt.datetime.now(dt.UTC)
    window.publish(window.food.licence(1))
    clerk.told()
    clerk.told()
    Clerk(window, str(clerk.http.base_url), Caller("c1", ("other",))).ask()
    assert decided_since(window.settings, before).is_empty()
    assert shipped(window.settings) == 4, "a key, two answers, a refusal"
    assert shipped(window.settings) == 0
    found = catalogue(window.settings.mianti_catalogue)
    decided = decided_since(window.settings, before)
    [row] = saved(decided, found).to_dicts()
    assert (row["matter"], row["department"]) == ("SP-1", "d")
    assert (row["asked"], row["exempt"], row["to_bring"]) == (6, 2, 4)
    [asked] = still_asked(decided).to_dicts()
    assert (asked["material"], asked["reason"], asked["times"]) == (
        "no-stop",
        "source_incomplete",
        2,
    )
    table = contract.publishers(window.settings.mianti_publishers)
    [told] = asked_rows(still_asked(decided), found, table)
    assert window.police.name in str(told["source · 数据源"])
    assert decided_since(window.settings, dt.datetime.now(dt.UTC)).is_empty()


def test_a_department_that_has_gone_silent_is_not_nothing_on_file(window: Window) -> None:
    window.food.line["cycle"] = "PT20S"
    window.publish(window.food.licence(1))
    follow(window.settings)
    often = window.settings.model_copy(update={"mianti_window_rate": "100000/second"})
    with serving(often) as url:
        clerk = Clerk(window, url)
        told = [clerk.told()["licence"]]
        while told[-1] != ("must_bring", "source_incomplete"):  # time alone, and no event
            assert told[-1] == ("exempt_by_licence", None)
            told.append(clerk.told()["licence"])
        assert clerk.told(subject=uscc(77))["licence"] == ("must_bring", "source_incomplete")


@pytest.mark.parametrize("kept", ["some", "none"])
def test_a_window_started_on_a_cut_chain_answers_nothing(
    exchange: Exchange, window: Window, kept: str
) -> None:
    window.publish(window.food.licence(1))
    follow(window.settings)
    with serving(window.settings) as url:
        for _ in range(3):
            assert Clerk(window, url).ask().status_code == 200
    assert shipped(window.settings) == 4
    if kept == "none":
        for path in window.settings.mianti_window.glob("receipts.db*"):
            path.unlink()
    else:
        with closing(sqlite3.connect(window.settings.mianti_window / "receipts.db")) as database:
            database.execute("DELETE FROM receipts WHERE sequence > 2")
            database.commit()
    with serving(window.settings) as url:
        clerk = Clerk(window, url)
        stranger = Clerk(window, url, Caller("c1", ("other",)))
        uses = {"subject": SUBJECT}
        for response in (
            clerk.ask(),
            stranger.ask(),
            clerk.http.get("/v1/uses", params=uses),
            clerk.http.get("/health"),
        ):
            assert response.status_code == 503, response.text
            assert response.json()["type"].endswith("unable")
            assert "MIANTI_WINDOW_NAME" in response.json()["detail"]
    told = CliRunner(env=exchange.environment).invoke(cli, ["window", "status"], prog_name="mianti")
    assert told.exit_code == 1, told.output
    assert "MIANTI_WINDOW_NAME" in told.stderr
    with closing(Receipts(window.settings.mianti_window)) as receipts:
        last = receipts.last()
    assert (last[0] if last else 0) == (2 if kept == "some" else 0), "no number is given out twice"


def test_receipts_that_are_not_shipped_for_long_are_told(
    clerk: Clerk, window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk.ask()
    assert clerk.http.get("/health").json()["status"] == "ok"
    monkeypatch.setattr(continuity, "UNSHIPPED_SECONDS", 0.0)
    told = clerk.http.get("/health").json()
    assert told["status"] == "receipts_not_shipped"
    assert "MIANTI_EVIDENCE" in told["detail"]
    assert told["unshipped_seconds"] > 0
    assert "mianti_window_unshipped_seconds" in clerk.http.get("/metrics").text
    run = CliRunner(env=window.exchange.environment)
    late = run.invoke(cli, ["window", "status"], prog_name="mianti")
    assert late.exit_code == 1, late.output
    assert "MIANTI_EVIDENCE" in late.stderr
    shipped(window.settings)
    assert clerk.http.get("/health").json()["status"] == "ok"
    well = run.invoke(cli, ["window", "status"], prog_name="mianti")
    assert well.exit_code == 0, well.output
