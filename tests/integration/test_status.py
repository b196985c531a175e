"""`mianti status`: whatever is down or damaged, the rest is told, with what is to be done."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from connectors.stack import Server, Stack, start_mark
from deploy.cli.main import cli
from tests.support.exchange import Department, Exchange

#: What runs is asked of the machine; where the lake lies makes no difference.
pytestmark = pytest.mark.parametrize("new_lake", ["directory"], indirect=True, scope="module")


def run(exchange: Exchange, *words: str, **env: str) -> Result:
    return CliRunner(env=exchange.environment | env).invoke(cli, words, prog_name="mianti")


def told(exchange: Exchange, **env: str) -> Any:
    done = run(exchange, "status", "--json", **env)
    return json.loads(done.stdout) | {"code": done.exit_code}


@pytest.fixture(scope="module")
def landed(make_exchange: Callable[[], Exchange]) -> Department:
    """A department whose two licences are landed and settled, and were never stated complete."""
    return landed_in(make_exchange())


@pytest.fixture
def exchange(landed: Department) -> Iterator[Exchange]:
    """Its exchange, of which each test starts other parts."""
    yield landed.exchange
    (landed.exchange.home / "stack.json").unlink(missing_ok=True)


def landed_in(exchange: Exchange) -> Department:
    department = exchange.department()
    department.publish([department.licence(1), department.licence(2)])
    exchange.ingest()
    return department


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address at which nothing listens for as long as the test runs."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{held.getsockname()[1]}"


class Answering:
    """A server on loopback that gives one answer."""

    def __init__(self, status: int, body: object) -> None:
        content = json.dumps(body).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                return

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def alive(address: str) -> Server:
    """A process that is certainly there: this one."""
    return Server(address=address, pid=os.getpid(), started=start_mark(os.getpid()))


def test_what_the_lake_holds_is_told_though_kafka_is_away(
    exchange: Exchange, landed: Department, nobody: str
) -> None:
    began = time.monotonic()
    found = told(exchange, KAFKA_BOOTSTRAP_SERVERS=nobody)
    assert time.monotonic() - began < 20  # a client alone waits half a minute for a broker
    licence = found["licence"]
    assert (found["code"], found["ok"]) == (2, False)
    assert (licence["lag"], licence["accepted"], licence["dataset_rows"]) == (None, 2, 2)
    assert landed.id in licence["complete_through"]
    assert found["running"]["kafka"]["well"] is False
    done = run(exchange, "status", KAFKA_BOOTSTRAP_SERVERS=nobody)
    assert "not known · 未知, accepted · 入库 2" in done.stdout
    assert nobody in done.stdout
    assert "Kafka does not answer" in done.stderr
    assert "Kafka 没有响应" in done.stderr


def test_each_part_that_is_down_is_told_with_what_starts_it(
    exchange: Exchange, landed: Department
) -> None:
    dead = Server(address="http://127.0.0.1:9", pid=2**22 + 1, started="0")
    Stack(window=dead, serve=dead, follow=dead, prefect=dead).write(exchange.home)
    found = told(exchange)
    states = {name: part["well"] for name, part in found["running"].items()}
    down = {"prefect": False, "serve": False, "follow": False, "window": False}
    assert states == {"kafka": True, "replica": None, **down}
    assert found["code"] == 1
    assert found["licence"]["accepted"] == 2
    tasks = [task["en"] for task in found["to_do"] if "`mianti up`" in task["en"]]
    assert len(tasks) == len(down)
    assert any(str(exchange.home / "log" / "window.log") in task for task in tasks)


@pytest.mark.parametrize(
    ("status", "body", "well"),
    [
        (200, {"status": "ok", "behind_seconds": 0.4}, True),
        (503, {"detail": "The data are old.", "detail_zh": "数据过旧。"}, False),
        (200, {"status": "receipts_not_shipped", "detail": "x", "detail_zh": "y"}, False),
    ],
)
def test_a_window_that_does_not_answer_as_it_should_is_told_in_its_own_words(
    exchange: Exchange, landed: Department, status: int, body: dict[str, Any], well: bool
) -> None:
    server = Answering(status, body)
    try:
        Stack(window=alive(server.address)).write(exchange.home)
        found = told(exchange)
    finally:
        server.close()
    assert found["running"]["window"]["address"] == server.address
    assert (found["running"]["window"]["well"], found["code"]) == (well, 0 if well else 1)
    assert well or {"en": body["detail"], "zh": body["detail_zh"]} in found["to_do"]


def test_a_prefect_that_hangs_is_not_taken_for_one_that_runs(
    exchange: Exchange, landed: Department, nobody: str
) -> None:
    Stack(prefect=alive(f"http://{nobody}/api")).write(exchange.home)
    found = told(exchange)
    assert (found["running"]["prefect"]["well"], found["code"]) == (False, 1)
    assert any("nothing that is scheduled runs" in task["en"] for task in found["to_do"])


@pytest.mark.parametrize("verb", ["status", "verify"])
def test_a_damaged_family_does_not_hide_the_others(
    make_exchange: Callable[[], Exchange], verb: str
) -> None:
    exchange = landed_in(make_exchange()).exchange
    for file in (Path(exchange.lake) / "log" / "licence").rglob("*.parquet"):
        file.write_bytes(file.read_bytes()[:100])
    done = run(exchange, verb)
    assert done.exit_code == 2
    assert "log/licence is damaged" in done.stderr
    assert "registration: " in done.stdout
    assert "credit: " in done.stdout
    found = json.loads(run(exchange, verb, "--json").stdout)
    families = found["families"] if verb == "verify" else found
    assert set(families) >= {"registration", "licence", "credit"}
    assert "damaged" in json.dumps(families["licence"])
    assert found["ok"] is False


def test_what_waits_and_who_is_late_or_never_complete_is_asked_for(
    make_exchange: Callable[[], Exchange],
) -> None:
    exchange = make_exchange()
    late = exchange.department("late", cycle="PT0.001S")
    late.publish([late.licence(1)])
    late.publish([late.licence(2, XK_JDRQ="nonsense")], "bad.csv")
    zone = exchange.home / "zone" / late.id / "cn-sgs-2018-licence"
    zone.mkdir(parents=True)
    (zone / "next.csv").write_text("x")
    exchange.ingest()
    found = told(exchange)
    assert found["code"] == 3
    assert found["waiting"] == {"refused": {late.id: 1}, "zone": {late.id: 1}}
    told_en = "\n".join(task["en"] for task in found["to_do"])
    assert f"licence/{late.id}: It has published nothing for longer than" in told_en
    assert f"`mianti refused list --publisher {late.id}`" in told_en
    assert "`mianti collect`" in told_en
    options = f"--publisher {late.id} --layout cn-sgs-2018-licence --complete-through"
    assert options in told_en
    assert all(task["zh"] for task in found["to_do"])
    [publisher] = found["licence"]["publishers"]
    assert (publisher["publisher"], publisher["late"]) == (late.id, True)

    listed = run(exchange, "refused", "list", "--publisher", late.id).stdout
    assert "bad_time" in listed
    assert "is not a date or time" in listed
    assert "不是有效的日期或时间" in listed


def test_times_are_the_machines_and_name_its_zone(
    exchange: Exchange, landed: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    landed.publish([landed.licence(9, XK_JDRQ="nonsense")], "bad-20260501.csv")
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    try:
        shown = run(exchange, "status").stdout
        shown += run(exchange, "refused", "list", "--publisher", landed.id).stdout
        path = landed.file([landed.licence(4)], "more-20260502.csv")
        sent = run(exchange, "publish", str(path), "--publisher", landed.id).stdout
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()
    assert shown.count("+05:45") >= 3
    assert "UTC" not in shown + sent
    assert "版次 2026-05-02 00:00+08:00" in sent  # a day of China's, wherever it is read
