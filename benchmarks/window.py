"""The window: its replica's making, questions at a steady rate, and how soon an answer changes."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks.answering import MATTER, grow
from benchmarks.events import subjects
from benchmarks.record import Record
from benchmarks.server import deleted
from connectors.settings import Settings
from connectors.topics import ensure_topic, topic_name
from deploy.local.ports import choose_port, listens
from deploy.local.processes import python_module
from deploy.window.tokens import Caller, issue
from flows.publish import Publisher
from flows.replica import place, rebuild
from schemas import contract

TITLE = "The window"
RATE, SECONDS = 200, 60
#: Seconds of questions that do not count: the landing and the follower have just begun.
_WARMING = 10
#: So many licences are published one after the other, and each is asked for until it counts.
_ONE_BY_ONE = 40
_LOOKS = 20_000
_CASES = {"samr-demo": "registration", "housing-demo": "licence", "credit-demo": "credit"}


def measure(record: Record, address: str, folder: Path, count: int) -> None:
    """As many enterprises as there are events elsewhere, three versions each and a little more."""
    home = folder / "window"
    settings = Settings(
        mianti_home=home, kafka_bootstrap_servers=address, mianti_window_rate="100000/second"
    )
    grow(home, count, settled=False)
    built = _apart("rebuild", home)
    rate = record.note(f"replica of {built['events']:,.0f} versions", built)
    record.hold("replica rebuilt, versions a second", rate, 50_000)
    os.sync()  # the gigabytes just written would be brought to the disk while receipts are
    record.figures["bare look-ups"] = _looks(settings, count)
    record.figures["bare fsync"] = _fsyncs(home)
    record.figures["bare echo"] = _echo(settings, count)
    with deleted(settings), _running(settings, address) as url:
        _load(f"{url}/v1/ask", settings, count, _WARMING)
        asked = _load(f"{url}/v1/ask", settings, count)
        record.figures["questions"] = asked
        seen = _changes(settings, url)
    for name in ("bare look-ups", "bare fsync", "bare echo", "questions"):
        print(f"  {name}: {json.dumps(record.figures[name])}", flush=True)
    name = f"an answer at {RATE} a second, p99 in ms"
    record.hold(name, asked["p99"], 10, at_most=True)
    record.hold("questions not answered", asked["errors"], 0, at_most=True)
    record.figures["published to answer"] = seen
    record.hold("published to answer, p95 in s", seen["p95"], 2, at_most=True)
    shutil.rmtree(home)


def _apart(what: str, home: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.window", what, str(home)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def build(home: Path) -> dict[str, float]:
    """Rebuild the replica of a home; return the figures."""
    before, started = os.times(), time.monotonic()
    settings = Settings(mianti_home=home)
    with place(settings).alone():
        count = rebuild(settings)
    whole, after = time.monotonic() - started, os.times()
    status = Path("/proc/self/status").read_text("ascii")
    return {
        "events": count,
        "seconds": whole,
        "cpu_seconds": after.user + after.system - before.user - before.system,
        "peak_mb": int(status.partition("VmHWM:")[2].split()[0]) / 1024,
    }


def _looks(settings: Settings, count: int) -> dict[str, float]:
    """Return the milliseconds of one look into the index, the rows read and not decoded."""
    replica, codes, found = place(settings).open(), subjects(count), []
    for number in range(_LOOKS):
        started = time.perf_counter()
        replica.bodies(codes[(number * 7_919_417) % count])
        found.append((time.perf_counter() - started) * 1000)
    replica.close()
    return _shares(found)


def _fsyncs(home: Path) -> dict[str, float]:
    """Return the milliseconds of appending a receipt's bytes to a file on the disk."""
    found = []
    with (home / "fsync").open("wb") as file:
        for _ in range(500):
            started = time.perf_counter()
            file.write(b"x" * 2_000)
            file.flush()
            os.fsync(file.fileno())
            found.append((time.perf_counter() - started) * 1000)
    return _shares(found)


def _echo(settings: Settings, count: int) -> dict[str, float]:
    port = choose_port(None, None, "")
    with _process(python_module("benchmarks.echo", str(port)), settings, port):
        return _load(f"http://127.0.0.1:{port}/", settings, count)


def _load(url: str, settings: Settings, count: int, seconds: float = SECONDS) -> dict[str, float]:
    """Ask from another process."""
    arguments = [url, _token(settings), str(RATE), str(seconds), str(count)]
    done = subprocess.run(
        python_module("benchmarks.load", *arguments), stdout=subprocess.PIPE, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _token(settings: Settings) -> str:
    return issue(settings, Caller("bench", ("housing",)), dt.timedelta(hours=1))


@contextmanager
def _running(settings: Settings, address: str) -> Iterator[str]:
    """Run a window, its follower, and a landing that runs on."""
    for publisher, family in _CASES.items():
        ensure_topic(settings, topic_name(family, publisher))
    port = choose_port(None, None, "")
    follow = [str(Path(sys.executable).parent / "mianti"), "ingest", "--follow"]
    with (
        _process(python_module("flows.follow_window"), settings, None),
        _process(python_module("deploy.window.app"), settings, port),
        _process(follow, settings, None),
    ):
        url = f"http://127.0.0.1:{port}"
        while httpx.get(f"{url}/health").status_code != 200:
            time.sleep(0.1)
        yield url


@contextmanager
def _process(command: list[str], settings: Settings, port: int | None) -> Iterator[None]:
    """Run a process, until it listens where it is to, and end it."""
    env = os.environ | {
        "MIANTI_HOME": str(settings.mianti_home),
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers or "",
        "MIANTI_WINDOW_RATE": settings.mianti_window_rate,
        **({"MIANTI_WINDOW_PORT": str(port)} if port else {}),
    }
    with subprocess.Popen(command, env=env) as process:
        try:
            while port is not None and not listens(f"127.0.0.1:{port}"):
                if process.poll() is not None:
                    raise RuntimeError(f"{command} ended")
                time.sleep(0.05)
            yield
        finally:
            process.terminate()


def _changes(settings: Settings, url: str) -> dict[str, float]:
    """Publish a licence, ask until it need not be brought, and so on; return the seconds."""
    publisher, line = Publisher("housing-demo", settings), contract.publishers(None).publishers
    headers = {"Authorization": f"Bearer {_token(settings)}"}
    found = []
    with httpx.Client(headers=headers, timeout=60) as http:
        for number, code in enumerate(subjects(_ONE_BY_ONE + 1)):
            row = _row(code, number, line["housing-demo"].name.zh, line["housing-demo"].code)
            publisher.publish_rows("cn-sgs-2018-licence", [row])
            started = time.perf_counter()
            while not _shown(http, url, code, f"NEW{number:06}"):
                time.sleep(0.02)
            found.append(time.perf_counter() - started)
    return _shares(found[1:])  # the first waits for the followers to begin


def _row(code: str, number: int, department: str, department_code: str) -> dict[str, str]:
    return {
        "XK_XDR_MC": f"示范企业{number}有限公司",
        "XK_XDR_LB": "法人及非法人组织",
        "XK_XDR_SHXYM": code,
        "XK_WSH": f"新许〔2026〕{number}号",
        "XK_XKLB": "普通",
        "XK_XKZS": "安全生产许可证",
        "XK_XKBH": f"NEW{number:06}",
        "XK_NR": "建筑施工",
        "XK_JDRQ": "2026-11-01",
        "XK_YXQZ": "2026-11-01",
        "XK_YXQZI": "2031-01-05",
        "XK_XKJG": department,
        "XK_XKJGDM": department_code,
        "XK_ZT": "1",
    }


def _shown(http: httpx.Client, url: str, code: str, number: str) -> bool:
    """Return whether the answer rests on the licence of a number."""
    told: dict[str, Any] = http.post(
        f"{url}/v1/ask", json={"subject": code, "matter": MATTER}
    ).json()
    papers = told["answers"][0]["papers"]
    return any((one["record"] or {}).get("number") == number for one in papers)


def _shares(found: list[float]) -> dict[str, float]:
    found = sorted(found)
    shares = {f"p{share}": found[int(len(found) * share / 100)] for share in (50, 95, 99)}
    return {**shares, "mean": statistics.fmean(found), "longest": found[-1]}


if __name__ == "__main__":
    print(json.dumps(build(Path(sys.argv[2]))))
