"""What is refused or fails holds its enterprise for all that may stop it, until that is mended."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from connectors.errors import MiantiError
from connectors.ledger import open_ledger
from deploy.cli import publish as publish_verb
from deploy.cli import refused as refused_verb
from flows.collect import collect
from flows.publish import Outcome
from flows.publish.deliver import Delivery
from flows.publish.discard import Which, discard, listed
from tests.support.codes import uscc
from tests.support.exchange import Department, Exchange, write_csv
from tests.support.window import LICENCE, PENALTY, SUBJECT, Window, penalty, told_by_all

#: What is told does not depend on where the lake is.
pytestmark = pytest.mark.parametrize("new_lake", ["directory"], indirect=True)
OTHER = uscc(2)
INCOMPLETE, CLEAN = ("must_bring", "source_incomplete"), ("exempt_by_data", None)
EXEMPT, STOPPED = ("exempt_by_licence", None), ("not_accepted", "stopped")
NATIVE = "mianti-licence"


@pytest.fixture
def window(exchange: Exchange) -> Window:
    made = Window(exchange)
    made.publish(made.food.licence(1), made.food.licence(2))
    assert told(made) == told(made, OTHER) == EXEMPT
    return made


def told(window: Window, subject: str = SUBJECT) -> tuple[str, Any]:
    return told_by_all(window, subject, "licence")


def send(window: Window, *rows: dict[str, Any], name: str = "", **options: Any) -> Outcome:
    """Publish and land rows of the food department, stated complete until now unless told."""
    food = window.food
    options = {"layout": LICENCE, "complete_through": dt.datetime.now(dt.UTC)} | options
    done = food.publish([*rows], name or f"{len([*food.folder.iterdir()])}.csv", **options)
    window.exchange.ingest()
    return done


def revoked(window: Window, **changes: Any) -> dict[str, Any]:
    """Return the food department's own event that revokes the licence of the first enterprise."""
    event = {
        "event_type": "revoked",
        "issuer": window.food.code,
        "subject": SUBJECT,
        "record_key": window.food.key(1),
        "facet": "standing",
        "standing": {"state": "revoked"},
    }
    return event | changes


def test_a_refused_row_of_another_layout_holds_the_enterprise(window: Window) -> None:
    publisher = window.food.publisher
    wrong = revoked(window, standing={"state": "Revoked!"})
    assert publisher.publish_rows(NATIVE, [wrong]).excepted == 1
    window.exchange.ingest()
    assert (told(window), told(window, OTHER)) == (INCOMPLETE, EXEMPT)
    assert publisher.publish_rows(NATIVE, [revoked(window)]).excepted == 0
    window.exchange.ingest()
    assert (told(window), told(window, OTHER)) == (STOPPED, EXEMPT)


def test_a_refused_penalty_holds_the_licence(window: Window) -> None:
    window.punish(penalty(window.police, CF_JDRQ="2026-02-31", CF_NR="吊销食品经营许可证"))
    assert (told(window), told(window, OTHER)) == (INCOMPLETE, EXEMPT)
    window.punish(penalty(window.police))
    assert told(window) == EXEMPT


def test_a_publisher_that_speaks_for_the_same_organ_holds_its_records(exchange: Exchange) -> None:
    window = Window(exchange)
    issuers = {"facets": ["decision", "standing"], "issuers": [window.food.code]}
    families = {"licence": issuers}
    province = exchange.department("province", families=families)
    other = exchange.department("other")
    window.publish(window.food.licence(1), window.food.licence(2))

    def refuse(department: Department) -> None:
        wrong = window.food.licence(1, XK_ZT="吊销")
        assert department.publish([wrong], layout=LICENCE).excepted == 1
        exchange.ingest()

    refuse(other)
    assert told(window) == EXEMPT
    refuse(province)
    assert (told(window), told(window, OTHER)) == (INCOMPLETE, EXEMPT)


def test_what_is_held_does_not_wait_for_a_statement_of_completeness(window: Window) -> None:
    wrong = penalty(window.police, CF_JDRQ="x")
    window.police.publish([wrong], layout=PENALTY)
    window.exchange.ingest("credit")
    assert (told(window), told(window, OTHER)) == (INCOMPLETE, EXEMPT)


KEYLESS = {"XK_WSH": "", "XK_ZT": "3"}


def test_a_row_without_a_key_is_not_mended_by_another_of_its_enterprise(window: Window) -> None:
    food = window.food
    assert send(window, food.licence(1, **KEYLESS)).excepted == 1
    road = {"XK_WSH": "示许〔2026〕77号", "XK_XKZS": "道路运输经营许可证", "XK_XKBH": "DL77"}
    assert send(window, food.licence(1, **road)).excepted == 1
    assert send(window, food.licence(1)).excepted == 1
    assert told(window) == INCOMPLETE
    assert send(window, food.licence(1, XK_ZT="3")).excepted == 0
    assert told(window) == STOPPED


def test_the_same_row_again_waits_once_and_is_discarded_once(window: Window) -> None:
    food, settings = window.food, window.settings
    for _ in range(2):
        assert send(window, food.licence(1, **KEYLESS)).excepted == 1
    [entry] = listed(settings, food.id).iter_rows(named=True)
    assert (entry["layout"], entry["code"], entry["row"]) == (LICENCE, "missing", 1)
    assert discard(settings, food.id, Which(number=1), by="Li Wei", why="no entry") == 0
    asked = Which(number=entry["number"])
    assert discard(settings, food.id, asked, by="Li Wei", why="a test row") == 1
    window.exchange.ingest()
    assert told(window) == EXEMPT
    assert send(window, food.licence(1, **KEYLESS)).excepted == 0
    assert told(window) == EXEMPT
    assert send(window, food.licence(1, **KEYLESS, XK_NR="别的")).excepted == 1


def test_a_number_in_the_list_stays_that_of_its_entry(window: Window) -> None:
    food, settings = window.food, window.settings
    send(window, *(food.licence(n, XK_ZT="77") for n in (1, 2, 3)))
    numbers = {row["subject"]: row["number"] for row in listed(settings, food.id).to_dicts()}
    for subject in (SUBJECT, OTHER):
        chosen = Which(number=numbers[subject])
        assert discard(settings, food.id, chosen, by="Li Wei", why="a test row") == 1
    [left] = listed(settings, food.id).to_dicts()
    assert (left["subject"], left["number"]) == (uscc(3), numbers[uscc(3)])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace(b"XK_ZT", b"???"),
        lambda text: text[:40],
        lambda text: b"PK\x03\x04" + bytes(40),
        lambda text: b"\xff\xfe\x00" * 9,
        lambda _: b"",
    ],
    ids=["header", "cut", "xlsx", "encoding", "empty"],
)
def test_a_file_that_fails_whole_holds_everyone_until_it_is_published(
    window: Window, spoil: Callable[[bytes], bytes]
) -> None:
    food = window.food
    path = food.file([food.licence(1, XK_ZT="3")], "2-20260102.csv")
    whole = path.read_bytes()
    path.write_bytes(spoil(whole))
    with pytest.raises(MiantiError) as failed:
        food.publisher.publish_file(path, dry_run=True)
    assert told(window) == EXEMPT
    with pytest.raises(MiantiError) as failed:
        food.publisher.publish_file(path)
    discarding = f"mianti refused discard --publisher {food.id} --file {path.name} --by "
    assert discarding in failed.value.__notes__[0]
    window.exchange.ingest()
    assert (told(window), told(window, OTHER)) == (INCOMPLETE, INCOMPLETE)
    done = send(window, food.licence(3))
    assert (done.excepted, done.everyone, [*done.held.values()]) == (0, 1, [1])
    assert told(window) == INCOMPLETE
    path.write_bytes(whole)
    now = dt.datetime.now(dt.UTC)
    food.publisher.publish_file(path, layout=LICENCE, edition=now, complete_through=now)
    window.exchange.ingest()
    window.exchange.ingest("credit")
    assert (told(window), told(window, OTHER)) == (STOPPED, EXEMPT)
    assert listed(window.settings, food.id).is_empty()


def test_a_file_of_the_drop_zone_that_fails_holds_everyone(window: Window) -> None:
    food = window.food
    zone = window.exchange.home / "zone"
    settings = window.exchange.settings_with(mianti_zone=str(zone))
    folder = zone / food.id / LICENCE
    folder.mkdir(parents=True)
    path = write_csv(folder / "a.csv", [{"甲": "1", "乙": "2"}])
    later = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5)
    [receipt] = collect(settings, later).receipts
    assert not path.exists()
    told_held = receipt.as_json()["held"]
    assert LICENCE in told_held["en"]
    assert "免提交" in told_held["zh"]
    window.exchange.ingest()
    assert told(window) == INCOMPLETE
    assert discard(settings, food.id, Which(file="a.csv"), by="Li Wei", why="no list") == 1
    window.exchange.ingest()
    assert told(window) == EXEMPT


def test_a_file_that_fails_while_kafka_is_away_is_stated_by_the_next_run(window: Window) -> None:
    food = window.food
    away = window.exchange.settings_with(kafka_bootstrap_servers="127.0.0.1:1")
    path = write_csv(food.folder / "bad.csv", [{"甲": "1"}])
    with pytest.raises(MiantiError):
        type(food.publisher)(food.id, away).publish_file(path, layout=LICENCE)
    assert told(window) == EXEMPT
    send(window, food.licence(3))
    assert told(window) == INCOMPLETE


def fail(window: Window, name: str, layout: str | None = LICENCE) -> Path:
    """Publish a file of the food department that fails whole."""
    path = write_csv(window.food.folder / name, [{"甲": "1", "乙": "2"}])
    with pytest.raises(MiantiError):
        window.food.publisher.publish_file(path, layout=layout)
    window.exchange.ingest()
    window.exchange.ingest("credit")
    return path


def test_a_file_of_the_same_name_in_another_layout_does_not_mend_a_failed_one(
    window: Window,
) -> None:
    food = window.food
    fail(window, "20260601.csv", PENALTY)
    assert told(window) == INCOMPLETE
    send(window, food.licence(3), name="20260601.csv")
    window.exchange.ingest("credit")
    assert told(window) == INCOMPLETE
    own: dict[str, Any] = {"CF_CFJG": food.name, "CF_CFJGDM": food.code, "CF_XDR_SHXYM": OTHER}
    food.publish([penalty(food, **own)], "20260601.csv", layout=PENALTY)
    window.exchange.ingest("credit")
    assert told(window) == EXEMPT


def test_a_file_of_an_unknown_layout_is_mended_by_its_name_in_any(window: Window) -> None:
    fail(window, "a.csv", layout=None)
    assert {*listed(window.settings, window.food.id)["layout"]} > {LICENCE, PENALTY}
    send(window, window.food.licence(3), name="a.csv")
    window.exchange.ingest("credit")
    assert listed(window.settings, window.food.id).is_empty()
    assert told(window) == EXEMPT


@pytest.mark.parametrize("number", [1, 3], ids=["an earlier file again", "a later file"])
def test_a_name_that_each_file_has_does_not_mend_a_failed_one(window: Window, number: int) -> None:
    food = window.food
    send(window, food.licence(1), name="data.csv")
    fail(window, "data.csv")
    send(window, food.licence(number), name="data.csv")
    assert told(window) == INCOMPLETE
    [entry] = listed(window.settings, food.id).iter_rows(named=True)
    assert (entry["file"], entry["code"]) == ("data.csv", "NotRecognised")
    fail(window, "data.csv")
    assert listed(window.settings, food.id).height == 1
    assert discard(window.settings, food.id, Which(file="data.csv"), by="Li Wei", why="sent") == 1
    window.exchange.ingest()
    assert told(window) == EXEMPT


def test_a_file_sent_again_does_not_mend_what_another_of_its_day_left(exchange: Exchange) -> None:
    window = Window(exchange)
    food = window.food
    first = [food.licence(1), food.licence(2)]
    send(window, *first, name="a-20260501.csv")
    wrong = food.licence(1, XK_ZT="吊销")
    assert send(window, wrong, name="b-20260501.csv").excepted == 1
    assert send(window, *first, name="a-20260501.csv").excepted == 1
    assert told(window) == INCOMPLETE
    assert send(window, food.licence(1), name="b-mended-20260501.csv").excepted == 0
    assert told(window) == EXEMPT


def test_an_old_file_that_was_cut_short_holds_whom_its_refused_rows_are_about(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException): ...

    def die(*_: Any) -> None:
        raise Killed

    window = Window(exchange)
    food = window.food
    send(window, food.licence(1), food.licence(2), name="c-20260601.csv")
    rows = [food.licence(1, XK_ZT="吊销"), food.licence(5)]
    with monkeypatch.context() as killed:
        killed.setattr(Delivery, "_advance", die)
        with pytest.raises(Killed):
            food.publish(rows, "b-20260501.csv", layout=LICENCE)
    assert send(window, *rows, name="b-20260501.csv").excepted == 1
    assert told(window) == INCOMPLETE
    assert send(window, food.licence(1), name="d-20260701.csv").excepted == 0
    assert send(window, *rows, name="b-20260501.csv").excepted == 0
    assert told(window) == EXEMPT


def test_a_number_means_one_row_whatever_was_discarded_or_came_since(window: Window) -> None:
    food, settings = window.food, window.settings
    send(window, *(food.licence(n, XK_ZT="吊销") for n in (1, 2, 3)))
    first, second, third = listed(settings, food.id)["number"]
    signed = {"by": "Li Wei", "why": "a test row"}
    assert discard(settings, food.id, Which(number=first), **signed) == 1
    assert [*listed(settings, food.id)["number"]] == [second, third]
    assert discard(settings, food.id, Which(number=first), **signed) == 0
    assert send(window, food.licence(2, XK_ZT="吊销", XK_NR="别的")).excepted == 2
    assert discard(settings, food.id, Which(number=second), **signed) == 0
    assert listed(settings, food.id).height == 2


def test_a_discard_that_was_cut_short_is_stated_by_the_next(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    food, settings = window.food, window.settings
    send(window, food.licence(1, XK_ZT="吊销"))
    signed = {"by": "Li Wei", "why": "a test row"}
    with monkeypatch.context() as cut:
        cut.setattr("flows.publish.discard.state_now", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            discard(settings, food.id, Which(layout=LICENCE), **signed)
    assert discard(settings, food.id, Which(layout=LICENCE), **signed) == 0
    window.exchange.ingest()
    assert told(window) == EXEMPT


def test_a_path_without_a_file_holds_nobody(window: Window, tmp_path: Path) -> None:
    with pytest.raises((MiantiError, OSError)):
        window.food.publisher.publish_file(tmp_path / "none.csv")
    assert listed(window.settings, window.food.id).is_empty()


def test_a_file_mostly_about_nobody_known_is_not_complete(window: Window) -> None:
    unnamed = {"CF_XDR_MC": "/"}
    nobody = [
        penalty(window.police, n, CF_XDR_SHXYM=f"{n}", CF_NR=f"罚款{n}000元", **unnamed)
        for n in (1, 2)
    ]
    done = window.police.publish(
        [*nobody, penalty(window.police, 3)],
        layout=PENALTY,
        complete_through=dt.datetime.now(dt.UTC),
    )
    assert (done.unreadable, done.everyone, len(done.not_complete)) == (2, 2, 1)
    window.exchange.ingest("credit")
    settings = window.settings
    discard(settings, window.police.id, Which(layout=PENALTY), by="Li Wei", why="persons")
    window.exchange.ingest("credit")
    assert told_by_all(window, OTHER) == INCOMPLETE
    assert told(window, OTHER) == EXEMPT


def test_the_verb_lists_and_discards_and_a_held_publish_ends_with_three(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    food = window.food
    send(window, food.licence(1, XK_ZT="吊销"), name="revoked.csv")
    for name, value in window.exchange.environment.items():
        monkeypatch.setenv(name, value)
    clean = food.file([food.licence(3)], "clean.csv")
    run = CliRunner().invoke
    done = run(publish_verb.command, [str(clean), "--publisher", food.id, "--layout", LICENCE])
    assert done.exit_code == 3
    assert "1 enterprises" in done.output
    assert "unknown_code" in done.output
    asked = run(refused_verb.command, ["list", "--publisher", food.id, "--json"])
    [entry] = json.loads(asked.output)
    assert (entry["subject"], entry["file"], entry["row"]) == (SUBJECT, "revoked.csv", 1)
    assert entry["record_key"] == food.key(1)
    shown = run(refused_verb.command, ["list", "--publisher", food.id])
    assert SUBJECT in shown.output
    signed = ["--by", "Li Wei", "--why", "a test row"]
    nothing = run(refused_verb.command, ["discard", "--publisher", food.id, *signed])
    assert nothing.exit_code == 2
    none = ["discard", "--publisher", food.id, "--number", "1", *signed]
    assert "No entry matches" in run(refused_verb.command, none).output
    chosen = ["discard", "--publisher", food.id, "--file", "revoked.csv", *signed, "--json"]
    assert json.loads(run(refused_verb.command, chosen).output) == {"discarded": 1}
    again = run(publish_verb.command, [str(clean), "--publisher", food.id, "--layout", LICENCE])
    assert again.exit_code == 0
    window.exchange.ingest()
    assert told(window) == EXEMPT
    with open_ledger(window.settings.mianti_ledger, food.id, "licence") as ledger:
        assert ledger.discarded(LICENCE)["subject"].to_list() == [SUBJECT]
