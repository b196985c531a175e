"""What waits, whose exemptions it stops, when an alarm is told; which runs are at work no more."""

from __future__ import annotations

import datetime as dt
import logging
import os
import subprocess
import time
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import polars as pl
import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from pydantic import SecretStr, ValidationError

from connectors.settings import Settings
from flows.complete import Cycle, Layouts
from flows.matters import Matter, quarantined, silent, whom
from flows.operator import waits, watch
from flows.operator.alarms import ENDED, RAISED, SURE, Raised, together
from flows.operator.families import words
from flows.operator.running import AtWork, is_gone, lost, process_mark, stands_still
from flows.operator.watch import Watcher
from tests.support.codes import uscc
from tests.support.receiver import receiver

NOON = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)
WEEK = 7 * DAY


def matter(about: str = "licence/a") -> Matter:
    return Matter("completeness", about, ("Why.", "原因。"), ("all", "全部"), ("do", "处理"))


def in_quarantine(*about: str | None) -> list[Matter]:
    topic, reason = "mianti.licence.housing-demo", "bad_frame"
    rows = pl.DataFrame(
        [(topic, reason, NOON, one) for one in about],
        schema={
            "topic": pl.String,
            "reason": pl.String,
            "landed_at": pl.Datetime("us", "UTC"),
            "about": pl.String,
        },
        orient="row",
    )
    return [*quarantined("licence", rows)]


def test_a_message_that_names_no_enterprise_stops_everyones_exemptions() -> None:
    (one,) = in_quarantine(uscc(1), None)
    assert (one.key, one.count) == ("quarantine/mianti.licence.housing-demo/bad_frame", 2)
    assert one.stops == ("every enterprise", "全部企业")
    (named,) = in_quarantine(uscc(1), uscc(1))
    assert named.stops == (uscc(1), uscc(1))


def test_of_many_enterprises_a_few_are_named_and_all_are_counted() -> None:
    codes = sorted(uscc(number) for number in range(5))
    english, chinese = whom([*codes, "name:0011"])
    assert english == f"{codes[0]}, {codes[1]}, {codes[2]}, 2 more, 1 known by name only"
    assert chinese.endswith("，另有 2 家，仅有名称的 1 家")


def told_of(layouts: Layouts, heard_at: dt.datetime | None = NOON - DAY) -> list[Matter]:
    """What waits of a publisher that sends two layouts and promises to publish each week."""
    return [*silent([Cycle("a", "credit", heard_at, WEEK, frozenset("xy"))], layouts, NOON)]


def test_a_layout_never_stated_complete_waits_though_another_of_its_publisher_was() -> None:
    (one,) = told_of({"a": {"x": NOON - DAY, "y": None}})
    assert (one.key, one.since) == ("completeness/credit/a/y", None)
    assert "never stated complete" in one.said[0]
    assert all("--publisher a --layout y --complete-through TIME`" in words for words in one.to_do)


def test_a_layout_stated_longer_ago_than_promised_waits_though_its_publisher_is_heard() -> None:
    (one,) = told_of({"a": {"x": NOON - WEEK, "y": NOON - WEEK - MINUTE}})
    assert (one.key, one.since) == ("completeness/credit/a/y", NOON - WEEK - MINUTE)
    assert "longer ago than the 7 days promised" in one.said[0]


def test_a_late_publisher_is_told_once_and_not_for_each_layout() -> None:
    silent_since = NOON - WEEK - MINUTE
    (one,) = told_of({"a": {"x": silent_since, "y": silent_since}}, heard_at=silent_since)
    assert one.key == "cycle/credit/a"
    never = told_of({"a": {"x": silent_since, "y": None}}, heard_at=silent_since)
    assert [one.key for one in never] == ["cycle/credit/a", "completeness/credit/a/y"]


def test_nothing_is_asked_of_a_publisher_never_heard_of_or_of_a_layout_it_sends_no_more() -> None:
    assert told_of({}, heard_at=None) == []
    assert told_of({"a": {"x": NOON, "old": None}, "gone": {"x": None}}) == []


def test_an_alarm_is_told_once_each_day_and_when_it_ends(tmp_path: Path) -> None:
    file = tmp_path / "alarms.json"
    first, alarms = Raised.read(file).after([matter()], NOON)
    assert alarms == [], "what is over within a minute raises nothing"
    raised, alarms = first.after([matter()], NOON + SURE)
    ((name, payload),) = alarms
    assert (name, payload["alarm"]) == (RAISED, "completeness/licence/a")
    assert payload["en"] == "Why. To do: do. Stops the exemptions of: all."
    raised.write(file)

    after_a_start = Raised.read(file)
    for later, told in ((MINUTE, []), (DAY, [RAISED])):
        _, alarms = after_a_start.after([matter()], NOON + SURE + later)
        assert [name for name, _ in alarms] == told
    over, alarms = after_a_start.after([], NOON + DAY)
    assert alarms == [(ENDED, {"event": ENDED, "alarm": "completeness/licence/a"})]
    assert over.told == {}


def test_a_look_calls_the_webhook_once() -> None:
    first, _ = Raised().after([matter("licence/a"), matter("licence/b")], NOON)
    _, alarms = first.after([matter("licence/a"), matter("licence/b")], NOON + SURE)
    _, body = together([*alarms, (ENDED, {"event": ENDED, "alarm": "x"})])
    assert [one["about"] for one in body["raised"]] == ["licence/a", "licence/b"]
    assert body["ended"] == ["x"]


def test_the_page_says_whose_exemptions_are_stopped() -> None:
    (line,) = waits.rows([matter()])
    assert line["whose exemptions it stops · 影响哪些企业"] == "all · 全部"
    assert waits.description([], NOON).startswith("Nothing waits · 没有待处理事项")


def run(state: str, minutes: int, process: str | None = None) -> AtWork:
    return AtWork(state, state, NOON - minutes * MINUTE, process)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "began_last", "is_lost"),
    [
        (run("PENDING", 6), None, True),
        (run("PENDING", 4), None, False),
        (run("CANCELLING", 6), None, True),
        (run("RUNNING", 600, "alive"), NOON - 600 * MINUTE, False),
        (run("RUNNING", 6, "gone"), NOON - 6 * MINUTE, True),
        (run("RUNNING", 6, None), None, False),
        (run("RUNNING", 6, None), NOON - MINUTE, True),
    ],
)
def test_a_run_that_cannot_be_at_work_is_lost(
    one: AtWork, began_last: dt.datetime | None, is_lost: bool
) -> None:
    found = lost([one], began_last, NOON, gone=lambda process: process == "gone")
    assert bool(found) is is_lost


def test_a_process_is_known_by_more_than_its_number() -> None:
    other = subprocess.Popen(["sleep", "600"])
    mark = process_mark(other.pid)
    assert not is_gone(mark)
    other.kill()
    other.wait()
    assert is_gone(mark)
    assert not is_gone(process_mark(os.getpid()))
    assert is_gone(process_mark(os.getpid()) + "1"), "its number was given to another"
    assert not is_gone("elsewhere/1/1"), "nobody knows"
    assert not is_gone(None)


def test_a_deployment_stands_still_after_three_intervals_that_were_watched() -> None:
    def still(completed: int | None, watched: int) -> bool:
        at = None if completed is None else NOON - completed * MINUTE
        return stands_still(at, NOON - watched * MINUTE, MINUTE, NOON)

    assert still(4, 10)
    assert not still(3, 10)
    assert still(None, 4)
    assert not still(100, 2), "the machine was off"


@pytest.mark.parametrize(
    "address",
    [
        "ftp://x/y",
        "hooks.example/secret-part",
        "http://a b",
        "http://hooks.example:port/secret-part",
        "http://hooks.example:99999/secret-part",
        "http://[::1/secret-part",
        "http://:80/secret-part",
        "http://a..b/secret-part",
        f"http://{'a' * 64}.example/secret-part",
        "https://%zz/secret-part",
    ],
)
def test_the_webhook_is_an_address_and_never_repeated(tmp_path: Path, address: str) -> None:
    with pytest.raises(ValidationError) as wrong:
        Settings(mianti_home=tmp_path, mianti_alarm_webhook=SecretStr(address))
    assert "secret-part" not in str(wrong.value)


def looks(settings: Settings, times: int) -> None:
    """Have the watch look while Prefect does not answer."""
    watcher = Watcher()
    away = {PREFECT_API_URL: "http://127.0.0.1:9/api", PREFECT_CLIENT_MAX_RETRIES: 0}
    with temporary_settings(away):
        for _ in range(times):
            watcher.look(settings, NOON)


def test_where_prefect_is_away_the_watch_calls_the_webhook_itself_once(tmp_path: Path) -> None:
    with receiver() as hook:
        settings = Settings(mianti_home=tmp_path, mianti_alarm_webhook=SecretStr(hook.address))
        looks(settings, 2)
        assert hook.bodies == [], "it may be back at once"
        looks(settings, 5)
    assert [[one["alarm"] for one in body["raised"]] for body in hook.bodies] == [["watch"]]


def test_a_webhook_that_fails_is_told_without_its_address(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with receiver() as hook:
        settings = Settings(
            mianti_home=tmp_path, mianti_alarm_webhook=SecretStr(f"{hook.address}-wrong")
        )
        with caplog.at_level(logging.INFO):
            looks(settings, 3)
    assert "MIANTI_ALARM_WEBHOOK could not be called: HTTPStatusError" in caplog.text
    ours = [line.getMessage() for line in caplog.records if line.name.startswith("flows")]
    assert not any(hook.secret in line for line in ours)


@pytest.mark.parametrize(
    "address",
    ["http://[::1]:8080/x?y=z", "https://user:word@hooks.example./a_b", "http://10.0.0.1"],
)
def test_any_address_that_can_be_called_is_taken(tmp_path: Path, address: str) -> None:
    taken = Settings(mianti_home=tmp_path, mianti_alarm_webhook=SecretStr(address))
    assert taken.mianti_alarm_webhook == SecretStr(address)


def test_what_the_webhook_did_not_take_is_told_again_and_its_end_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiver() as hook:
        right = Settings(mianti_home=tmp_path, mianti_alarm_webhook=SecretStr(hook.address))
        wrong = right.model_copy(
            update={"mianti_alarm_webhook": SecretStr(f"{hook.address}-wrong")}
        )
        watcher = Watcher()
        away = {PREFECT_API_URL: "http://127.0.0.1:9/api", PREFECT_CLIENT_MAX_RETRIES: 0}
        with temporary_settings(away):
            for settings in (wrong, wrong, wrong, right, right):
                watcher.look(settings, NOON)
        assert [[one["alarm"] for one in body["raised"]] for body in hook.bodies] == [["watch"]]
        monkeypatch.setattr(watcher, "_runs", lambda now: [])
        monkeypatch.setattr(watcher, "_tell", lambda *given: None)
        for _ in range(2):
            watcher.look(right, NOON)
    assert [body["ended"] for body in hook.bodies] == [[], ["watch"]]


def test_a_webhook_that_hangs_holds_no_look_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    over = Event()

    def dribbling(*given: Any, **more: Any) -> Any:
        over.wait()
        raise httpx.ReadTimeout("")

    monkeypatch.setattr(httpx, "post", dribbling)
    monkeypatch.setattr(watch, "_PATIENCE", 0.01)
    settings = Settings(mianti_home=tmp_path, mianti_alarm_webhook=SecretStr("http://h/secret"))
    looks(settings, 3)
    assert "did not answer in time" in caplog.text
    over.set()


def test_the_watch_outlives_settings_that_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The file of the home is being edited, and a look fails in a way that nobody foresaw."""
    monkeypatch.setenv("MIANTI_HOME", str(tmp_path))
    looked: list[Settings] = []

    class Enough(BaseException):
        pass

    def look(self: Watcher, settings: Settings, now: dt.datetime) -> None:
        looked.append(settings)
        (tmp_path / "settings.toml").write_text("MIANTI_WINDOW_PORT = [")
        assert "ValueError" in words(ValueError("nobody foresaw it"))
        if len(looked) == 2:
            raise Enough

    monkeypatch.setattr(Watcher, "look", look)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    with pytest.raises(Enough):
        watch._watch()
    assert looked[1] == looked[0]
    assert "settings it had" in caplog.text
