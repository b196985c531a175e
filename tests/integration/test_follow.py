"""A landing that runs on: what is published is landed without anybody asking for it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from kafka import TopicPartition

from connectors import following, reading
from connectors.settings import Settings
from connectors.stack import Server, Stack, start_mark
from connectors.topics import ensure_topic
from deploy.local import kafka as local_kafka
from deploy.local.lifecycle import down, up
from flows import land as landing
from flows.follow import Ending, Standing, follow
from flows.land import Landed, land
from tests.support import kafka as raw
from tests.support.exchange import Department, Exchange
from tests.support.prefect import Prefect, of_home

MIANTI = "from deploy.cli.main import main; main()"
pytestmark = pytest.mark.timeout(300)


class Follower:
    """A follower at work in a thread, and what it has told."""

    def __init__(self, settings: Settings) -> None:
        self.standings: dict[str, Standing] = {}
        self.told: list[Landed] = []
        self.begun = threading.Event()
        self.ending = Ending()
        self.ended: list[Standing] = []
        self._thread = threading.Thread(target=self._run, args=(settings,), daemon=True)
        self._thread.start()

    def _run(self, settings: Settings) -> None:
        self.ended = follow(settings, self.ending, tell=self._tell, ready=self.begun.set)

    def _tell(self, standings: list[Standing], landed: list[Landed]) -> None:
        self.standings = {one.family: one for one in standings}
        self.told += landed

    def error(self, family: str) -> str:
        """Return why a family does not go on now; empty when it does."""
        return (self.standings[family].error if family in self.standings else None) or ""

    def end(self) -> None:
        """Tell it to end, and wait until it has."""
        self.ending.asked = True
        self._thread.join(90)
        assert not self._thread.is_alive()


@contextmanager
def follower(settings: Settings) -> Iterator[Follower]:
    """Follow for the length of a block."""
    made = Follower(settings)
    try:
        raw.until(made.begun.is_set)
        yield made
    finally:
        made.end()
    assert made.ended, "it ended by itself"


def landed(exchange: Exchange, department: Department, family: str = "licence") -> pl.DataFrame:
    """Return the rows of a department's topic in the log; none while there is no log."""
    try:
        log = exchange.log(family)
    except Exception:
        return pl.DataFrame(schema={"event_id": pl.Binary, "verdict": pl.String})
    return log.filter(pl.col("topic") == department.topic(family))


def publish(department: Department, numbers: range, name: str) -> None:
    department.publish([department.licence(n) for n in numbers], name)


def test_what_is_published_is_landed_with_no_one_asking(exchange: Exchange) -> None:
    department = exchange.department()
    publish(department, range(1, 4), "before.csv")
    with follower(exchange.settings) as one:
        raw.until(lambda: landed(exchange, department).height == 3)
        publish(department, range(4, 9), "after.csv")
        raw.until(lambda: landed(exchange, department).height == 8)
    assert sum(standing.accepted for standing in one.ended) == 8
    # At the end it has told all of it, each message once.
    assert sum(done.accepted for done in one.told) == 8
    exchange.ingest()
    assert exchange.dataset().height == 8
    exchange.verified()


def test_a_topic_made_while_it_follows_is_found(exchange: Exchange) -> None:
    department = exchange.department()
    with follower(exchange.settings):
        publish(department, range(1, 4), "first.csv")
        raw.until(lambda: landed(exchange, department).height == 3)


def test_a_topic_that_is_deleted_stops_nothing(exchange: Exchange) -> None:
    gone, stays = exchange.department("gone"), exchange.department("stays")
    publish(gone, range(1, 4), "gone.csv")
    with follower(exchange.settings) as one:
        raw.until(lambda: landed(exchange, gone).height == 3)
        raw.delete_topics(exchange.address, lambda topic: topic == gone.topic())
        publish(stays, range(4, 6), "stays.csv")
        raw.until(lambda: landed(exchange, stays).height == 2)
        raw.until(lambda: not one.error("licence"))


def test_what_is_quarantined_is_told_with_its_reasons(exchange: Exchange) -> None:
    department = exchange.department()
    ensure_topic(exchange.settings, department.topic())
    with follower(exchange.settings) as one:
        for _ in range(2):
            raw.send(exchange.address, department.topic(), [(b"k", b"poison")] * 2, partition=1)
        raw.until(lambda: landed(exchange, department).height == 4)
    reasons: dict[str, int] = {}
    for done in one.told:
        for reason, count in done.reasons.items():
            reasons[reason] = reasons.get(reason, 0) + count
    assert reasons == {"bad_frame": 4}
    assert sum(part.end - part.start for done in one.told for part in done.parts) == 4


def test_a_family_that_fails_stops_no_other_and_is_tried_again(exchange: Exchange) -> None:
    department = exchange.department()
    publish(department, range(1, 4), "before.csv")
    place = TopicPartition(department.topic(), 2)
    sent = raw.send(exchange.address, place.topic, [(b"k", b"poison")] * 3, partition=2)
    with raw.admin(exchange.address) as client:
        client.delete_records({place: sent[-1][1]})

    def accepted() -> int:
        return landed(exchange, department).filter(verdict="accepted").height

    with follower(exchange.settings) as one:
        raw.until(lambda: "are gone" in one.error("licence"))
        rows = [
            department.native(1, facet="decision", event_type="penalised")
            | {"decision": {"kind": "penalty", "fine_yuan": "12.30"}}
        ]
        department.publisher.publish_rows("mianti-credit", rows)
        raw.until(lambda: landed(exchange, department, "credit").height == 1)
        assert not one.error("credit")
        assert landed(exchange, department).is_empty()

        land(exchange.settings, "licence", accept_gap=True)  # an operator takes the loss
        left = accepted()

        raw.until(lambda: not one.error("licence"))
        publish(department, range(4, 6), "after.csv")
        raw.until(lambda: accepted() == left + 2)


def test_following_and_ingesting_at_once_land_everything_once(exchange: Exchange) -> None:
    department = exchange.department()
    stop = threading.Event()
    failures: list[Exception] = []

    def ingesting() -> None:
        while not stop.is_set():
            try:
                exchange.ingest()
            except Exception as error:
                failures.append(error)

    publish(department, range(1, 30), "0.csv")
    with follower(exchange.settings):
        other = threading.Thread(target=ingesting)
        other.start()
        try:
            for number in range(1, 8):
                publish(department, range(number * 30, number * 30 + 29), f"{number}.csv")
            raw.until(lambda: landed(exchange, department).height >= 8 * 29)
        finally:
            stop.set()
            other.join()
    assert failures == []
    log = landed(exchange, department)
    assert log.height == log["event_id"].n_unique() == 8 * 29
    exchange.ingest()
    exchange.verified()


def test_a_landing_that_has_enough_leaves_the_rest_to_the_next(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    department = exchange.department()
    publish(department, range(1, 60), "file.csv")

    def in_halves(client: Any, start: Any, ends: Any, **rest: Any) -> Iterator[reading.Batch]:
        middle = {part: (start[part] + end + 1) // 2 for part, end in ends.items()}
        yield from reading.read(client, start, middle, **rest)
        yield from reading.read(client, middle, ends, **rest)

    with monkeypatch.context() as small:
        small.setattr(landing, "read", in_halves)
        first = land(exchange.settings, "licence", enough=lambda: True)
    assert first.commits == 1
    assert 0 < first.accepted < 59
    assert land(exchange.settings, "licence").accepted == 59 - first.accepted
    exchange.ingest()
    exchange.verified()


def test_a_kafka_that_goes_and_comes_back_is_followed_again(
    new_home: Callable[[], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    home = Settings(mianti_home=new_home())
    server = local_kafka.launch(home, None)
    started = [server]
    try:
        local_kafka.wait(home, server)
        exchange = Exchange(tmp_path, server.address, str(tmp_path / "lake"))
        department = exchange.department()
        publish(department, range(1, 4), "before.csv")
        with follower(exchange.settings) as one:
            raw.until(lambda: landed(exchange, department).height == 3)
            kill(server.pid)
            # A client gives up after half a minute, and the next try may pause as long.
            long_until(lambda: all("Kafka" in one.error(f) for f in ("licence", "credit")))

            started.append(local_kafka.launch(home, server))

            local_kafka.wait(home, started[-1])
            publish(department, range(4, 6), "after.csv")
            long_until(lambda: landed(exchange, department).height == 5)
    finally:
        for each in started:
            if each.alive:
                kill(each.pid)
        down(home)


def kill(pid: int | None) -> None:
    assert pid is not None
    os.killpg(pid, signal.SIGKILL)
    raw.until(lambda: start_mark(pid) is None)


@pytest.mark.parametrize(
    "prefect", [{}, {"PREFECT_API_URL": "http://127.0.0.1:9/api"}], ids=["none known", "away"]
)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_follows_without_a_prefect_and_ends_clean(
    exchange: Exchange, prefect: dict[str, str], number: signal.Signals
) -> None:
    department = exchange.department()
    publish(department, range(1, 4), "before.csv")
    with command(exchange, prefect) as process:
        raw.until(lambda: following.follows(exchange.home, process.pid))
        raw.until(lambda: landed(exchange, department).height == 3)
        second = run(exchange, prefect)
        assert second.returncode == 2
        assert f"Process {process.pid} follows already" in second.stderr
        publish(department, range(4, 6), "after.csv")
        raw.until(lambda: landed(exchange, department).height == 5)
        process.send_signal(number)
        assert process.wait(60) == 0
    assert not following.follows(exchange.home, process.pid)
    exchange.ingest()
    exchange.verified()


@pytest.mark.parametrize("other", [["licence"], ["--accept-gap"], ["--json"]])
def test_what_does_not_go_with_following_is_refused(exchange: Exchange, other: list[str]) -> None:
    ended = run(exchange, {}, *other)
    assert ended.returncode == 2
    assert "--follow lands every family" in ended.stderr
    assert "--follow 对全部类别" in ended.stderr


@pytest.mark.timeout(600)
def test_its_state_is_in_prefect_which_may_die_and_stops_nothing(
    new_home: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("KAFKA_BOOTSTRAP_SERVERS", "PREFECT_API_URL"):
        monkeypatch.delenv(variable, raising=False)
    home = new_home()
    # Only what runs on is to land here: the table of the deployments is served, but not due.
    monkeypatch.setenv("PREFECT_RUNNER_POLL_FREQUENCY", "3600")
    exchange = Exchange(home, "", str(home / "lake"))
    department = exchange.department()
    monkeypatch.setenv("MIANTI_PUBLISHERS", exchange.environment["MIANTI_PUBLISHERS"])
    settings = Settings(mianti_home=home)
    try:
        stack = up(settings)
        assert stack.kafka is not None
        exchange.address = stack.kafka.address
        prefect = of_home(settings)
        (first,) = runs(prefect)
        assert first["state"]["type"] == "RUNNING"
        publish(department, range(1, 4), "first.csv")
        raw.send(exchange.address, department.topic(), [(b"k", b"poison")] * 2, partition=1)
        long_until(lambda: landed(exchange, department).height == 5)
        long_until(lambda: total(table(prefect), "accepted") == 3)
        long_until(lambda: total(table(prefect), "quarantined") == 2)
        assert runs(prefect)[0]["name"] == "follow: 3 accepted, 2 quarantined"
        long_until(lambda: bool(artifacts(prefect, "quarantine-licence")))

        kill(of(stack, "follow").pid)
        stack = up(settings)

        long_until(
            lambda: [run["state"]["type"] for run in runs(prefect)] == ["RUNNING", "CRASHED"]
        )
        down_one(stack, "follow")
        assert [run["state"]["type"] for run in runs(prefect)] == ["COMPLETED", "CRASHED"]

        stack = up(settings)
        kill(of(stack, "prefect").pid)
        publish(department, range(4, 6), "second.csv")
        long_until(lambda: landed(exchange, department).height == 7)
        assert of(stack, "follow").alive
    finally:
        ended = down(settings)
    assert not of(ended, "follow").alive
    assert not following.follows(home, of(stack, "follow").pid)


def long_until(true: Callable[[], bool]) -> None:
    """Wait for what takes its time on a busy machine."""
    end = time.monotonic() + 150
    while not true():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.2)


def of(stack: Stack, name: str) -> Server:
    server = getattr(stack, name)
    assert isinstance(server, Server)
    return server


def down_one(stack: Stack, name: str) -> None:
    pid = of(stack, name).pid
    assert pid is not None
    os.kill(pid, signal.SIGTERM)
    long_until(lambda: start_mark(pid) is None)


def ask(prefect: Prefect, path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    answer = prefect.ask_for("POST", path, json=body)
    return list(answer.json()) if answer.is_success else []  # a busy server is asked again


def runs(prefect: Prefect) -> list[dict[str, Any]]:
    """Return the runs of the flow, the newest first."""
    body = {"flows": {"name": {"any_": ["follow"]}}, "sort": "START_TIME_DESC"}
    return ask(prefect, "/flow_runs/filter", body)


def artifacts(prefect: Prefect, key: str) -> list[dict[str, Any]]:
    return ask(prefect, "/artifacts/latest/filter", {"artifacts": {"key": {"any_": [key]}}})


def table(prefect: Prefect) -> list[dict[str, Any]]:
    return [row for one in artifacts(prefect, "follow") for row in json.loads(one["data"])]


def total(rows: list[dict[str, Any]], column: str) -> int:
    return sum(row[column] for row in rows)


def arguments(exchange: Exchange, prefect: dict[str, str], *more: str) -> dict[str, Any]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return {
        "args": [sys.executable, "-c", MIANTI, "ingest", "--follow", *more],
        "env": {**plain, **exchange.environment, **prefect},
    }


def run(exchange: Exchange, prefect: dict[str, str], *more: str) -> Any:
    told = arguments(exchange, prefect, *more)
    return subprocess.run(**told, capture_output=True, text=True, check=False, timeout=60)


@contextmanager
def command(exchange: Exchange, prefect: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(**arguments(exchange, prefect))
    try:
        yield process
    finally:
        process.kill()
        process.wait()
