"""The object storage fails in the middle of a landing: what it said is never taken for what it did."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from connectors import store
from connectors.preflight import MARK, TRIED, require_safe
from tests.faults.processes import Done, again, mianti
from tests.faults.reliability import Fault
from tests.faults.scene import EVENTS, POISON, at_work
from tests.support import lake, s3_proxy
from tests.support.exchange import Exchange
from tests.support.s3_heedless import heedless
from tests.support.s3_proxy import Proxy

#: The clients wait for a minute and two: a test need not.
_IMPATIENT = (
    "connectors.store:TIMEOUT='3s'",
    "connectors.store:_CONFIG[read_timeout]=3",
)
_COMMIT, _DATA = r"/{}/licence/_delta_log/\d{{20}}\.json", r"/{}/licence/verdict=\w+/.*\.parquet"


@pytest.fixture(scope="module")
def proxy(bucket: str) -> Iterator[Proxy]:
    """A proxy before the bucket's server, for the process that is to suffer.

    Not for this one: the tables' engine keeps Python waiting while it reads, so that a proxy in
    Python's own threads would never answer it.
    """
    assert bucket
    _forget()
    with s3_proxy.before(os.environ["AWS_ENDPOINT_URL"]) as one:
        yield one
    _forget()


@pytest.fixture
def exchange(kafka: str, proxy: Proxy, bucket: str, tmp_path: Path) -> Iterator[Exchange]:
    """An exchange whose lake lies in the bucket."""
    made = Exchange(tmp_path, kafka, f"{bucket}/{uuid4().hex}")
    yield made
    proxy.faults = []
    made.close()


def _forget() -> None:
    """Do as a new process: one keeps its client and its verdict."""
    for kept in (store.s3, store._session, require_safe):
        kept.cache_clear()


def suffer(
    exchange: Exchange,
    proxy: Proxy,
    faults: list[s3_proxy.Fault],
    *,
    tuned: Sequence[str] = (),
) -> Done:
    """Run an ingest behind the proxy while it makes some faults, which must have been made."""
    # Trusted already: the race of a new server is not what is broken here.
    now = dt.datetime.now(dt.UTC).isoformat()
    mark = {"endpoint": proxy.endpoint, "at": now, "tried": TRIED}
    lake.put(f"{exchange.lake}/{MARK}", json.dumps(mark).encode())
    proxy.faults = faults
    behind = exchange.environment | {"AWS_ENDPOINT_URL": proxy.endpoint}
    ended = mianti(behind, "ingest", "licence", tuned=tuned)
    proxy.faults = []
    assert all(one.done for one in faults), f"the fault was never made: {ended.stderr}"
    return ended


def failing(make: Callable[[], list[s3_proxy.Fault]], what: str, how: str, name: str) -> Any:
    """Return a parameter: what the proxy does to the requests."""
    marked = pytest.mark.fault(f"object storage: {what}", how=f"proxy: {how}")
    return pytest.param(make, id=name, marks=marked)


def lost(status: int, path: str, *kinds: str) -> Callable[[], list[s3_proxy.Fault]]:
    return lambda: [
        s3_proxy.Fault("lose", "PUT", path.format(kind), status=status) for kind in kinds
    ]


def refused(status: int, times: int) -> Callable[[], list[s3_proxy.Fault]]:
    path = _COMMIT.format("log").replace(r"\d{20}\.json", "")
    return lambda: [s3_proxy.Fault("refuse", "GET|PUT|HEAD", path, times=times, status=status)]


def cut() -> list[s3_proxy.Fault]:
    return [
        s3_proxy.Fault("cut", "GET", r"/log/licence/verdict=accepted/.*\.parquet", times=2),
        s3_proxy.Fault("cut", "GET", r"/history/licence/bucket=\d+/.*\.parquet", times=2),
        s3_proxy.Fault("cut", "GET", _COMMIT.format("log"), times=2),
    ]


_LOG, _REST = ("log",), ("history", "datasets")
FAULTS = [
    failing(lost(500, _COMMIT, *_LOG), "a commit's answer is lost", "stored, 500", "lost-500"),
    failing(lost(503, _COMMIT, *_LOG), "a commit's answer is lost", "stored, 503", "lost-503"),
    failing(lost(0, _COMMIT, *_LOG), "a commit's answer is lost", "stored, hung up", "lost-drop"),
    failing(
        lost(500, _COMMIT, *_REST),
        "the answers to a settling's commits are lost",
        "stored, 500",
        "lost-settling",
    ),
    failing(lost(0, _DATA, *_LOG), "a data file's answer is lost", "stored, hung up", "lost-file"),
    failing(refused(503, 6), "a burst of 503", "6 answers of 503", "burst-503"),
    failing(refused(500, 6), "a burst of 500", "6 answers of 500", "burst-500"),
    failing(lambda: cut(), "reads are cut short", "half the body, hung up", "cut"),
]


@pytest.mark.parametrize("make", FAULTS)
def test_it_fails_once(
    exchange: Exchange,
    proxy: Proxy,
    fault: Fault,
    make: Callable[[], list[s3_proxy.Fault]],
) -> None:
    scene = at_work(exchange)
    ended = suffer(exchange, proxy, make())
    assert ended.returncode in (0, 2), ended.stderr
    again(exchange.environment, "ingest", "licence")
    fault.flowed = scene.whole()
    assert fault.flowed == EVENTS + POISON


@pytest.mark.fault("object storage: 403 in mid-run", how="proxy: 403 from the first commit on")
def test_it_lets_us_in_no_more(exchange: Exchange, proxy: Proxy, fault: Fault) -> None:
    scene = at_work(exchange)
    before = exchange.log().height
    path = _COMMIT.format("log")
    refusing = s3_proxy.Fault("refuse", "PUT", path, times=1_000, status=403)
    ended = suffer(exchange, proxy, [refusing])
    assert ended.returncode == 2
    assert "(AccessDenied)" in ended.stderr
    assert exchange.log().height == before
    again(exchange.environment, "ingest", "licence")
    fault.flowed = scene.whole()
    assert fault.flowed == EVENTS + POISON


def fills(what: str, name: str, path: str, status: int, code: str) -> Any:
    """Return a parameter: from which write on the bucket takes no more, and how its server says so."""
    how = f"proxy: {status} {code} for each such write"
    marked = pytest.mark.fault(f"object storage: the bucket is full {what}", how=how)
    full = s3_proxy.Fault("refuse", "PUT", path, times=1_000, status=status, code=code)
    return pytest.param(full, id=name, marks=marked)


@pytest.mark.parametrize(
    "full",
    [
        fills("at a data file", "data", _DATA.format("log"), 507, "XMinioStorageFull"),
        fills("at the batch's commit", "commit", _COMMIT.format("log"), 403, "QuotaExceeded"),
        fills("at a settling's commit", "settling", _COMMIT.format("datasets"), 507, "StorageFull"),
    ],
)
def test_it_takes_no_more(
    exchange: Exchange, proxy: Proxy, fault: Fault, full: s3_proxy.Fault
) -> None:
    scene = at_work(exchange)
    ended = suffer(exchange, proxy, [full])
    assert ended.returncode == 2
    english, chinese = ended.stderr.splitlines()
    assert f"The object storage takes no more ({full.code}): make room" in english
    assert "配额" in chinese
    again(exchange.environment, "ingest", "licence")
    fault.flowed = scene.whole()
    assert fault.flowed == EVENTS + POISON


@pytest.mark.fault(
    "object storage: its answers stall",
    how="proxy: no answer to a data file, a commit it has stored, and a read, until the client gives up",
)
def test_it_stalls(exchange: Exchange, proxy: Proxy, fault: Fault) -> None:
    scene = at_work(exchange)
    stalling = [
        s3_proxy.Fault("stall", "PUT", _DATA.format("log")),
        s3_proxy.Fault("stall", "PUT", _COMMIT.format("log")),
        s3_proxy.Fault("stall", "GET", r"/history/licence/bucket=\d+/.*\.parquet"),
    ]
    ended = suffer(exchange, proxy, stalling, tuned=_IMPATIENT)
    assert ended.returncode == 0, ended.stderr
    fault.flowed = scene.whole()
    assert fault.flowed == EVENTS + POISON


@pytest.mark.fault(
    "object storage: a server without `If-None-Match`",
    how="a server that puts whatever it is given",
)
def test_it_keeps_no_promise(exchange: Exchange, fault: Fault) -> None:
    scene = at_work(exchange)
    before = exchange.log().height
    with heedless() as endpoint:
        ended = mianti(exchange.environment | {"AWS_ENDPOINT_URL": endpoint}, "ingest", "licence")
    assert ended.returncode == 2
    assert "If-None-Match" in ended.stderr
    assert exchange.log().height == before
    again(exchange.environment, "ingest", "licence")
    fault.flowed = scene.whole()
    assert fault.flowed == EVENTS + POISON
