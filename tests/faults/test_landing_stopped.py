"""Landing stops, or Kafka does, while a window answers: it stops, too, and goes on by itself."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from click.testing import CliRunner

from connectors.stack import Server
from deploy.cli.at_window import demo_token
from deploy.cli.main import cli
from deploy.local.window import register_first
from tests.faults.broker import SOON, Broker
from tests.faults.processes import ROOT, running
from tests.faults.reliability import Fault
from tests.faults.scene import EVENTS, POISON, Scene, at_work
from tests.faults.test_clock import started
from tests.support.codes import uscc
from tests.support.exchange import Exchange
from tests.support.prefect import wait_for

#: Landing writes a heartbeat each 5 s.
_LIMIT: Final = 15
_ASKED: Final = {"subject": uscc(1), "matter": "SP-2001"}


@pytest.fixture
def scene(broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """An exchange on the broker that is stopped, whose window may be some seconds behind."""
    exchange = Exchange(tmp_path, broker.address, str(tmp_path / "lake"))
    made = at_work(exchange)
    own = {"MIANTI_WINDOW_BEHIND_SECONDS": str(_LIMIT), "PYTHONPATH": str(ROOT)}
    for name, value in (exchange.environment | own).items():
        monkeypatch.setenv(name, value)
    register_first(exchange.settings)  # as `mianti up` does: a key that is not is told, too
    yield made
    exchange.close()


class Clerk:
    """Somebody who asks a window, and looks at what it says of itself."""

    def __init__(self, exchange: Exchange, window: Server) -> None:
        token = demo_token(exchange.settings)
        self._http = httpx.Client(base_url=window.address, trust_env=False, timeout=30)
        self._http.headers["Authorization"] = f"Bearer {token}"
        self._environment = exchange.environment

    def is_answered(self) -> bool:
        """Whether it is answered; the window must say the same of itself."""
        answer = self._http.post("/v1/ask", json=_ASKED)
        assert answer.status_code in (200, 503), answer.text
        return answer.status_code == 200

    def sees(self, behind: bool) -> None:
        """Wait until every door says that the window is behind, or that it is not."""
        wait_for(lambda: self.is_answered() != behind, f"the window to be {behind=}")
        told: dict[str, Any] = self._http.get("/health").json()
        status = CliRunner(env=self._environment).invoke(cli, ["window", "status"])
        if behind:
            assert (told["status"], status.exit_code) == (503, 1), (told, status.output)
            assert told["type"].endswith(":behind")
            assert "landing" in told["detail"]
            assert "Kafka" in told["detail_zh"]
        else:
            assert (told["status"], status.exit_code) == ("ok", 0), (told, status.output)
            assert told["behind_seconds"] <= _LIMIT


def landing(exchange: Exchange) -> AbstractContextManager[subprocess.Popen[str]]:
    """Give a continuous landing; it is killed when the block ends."""
    command = ("-m", "tests.faults.killed_at", SOON, "--", "ingest", "--follow")
    return running(exchange.environment, *command)


@pytest.mark.timeout(600)
@pytest.mark.fault("landing killed while a window answers", how="SIGKILL, started again")
def test_landing_killed(scene: Scene, fault: Fault) -> None:
    exchange = scene.exchange
    with started(exchange) as (window, _):
        clerk = Clerk(exchange, window)
        with landing(exchange) as process:
            clerk.sees(behind=False)
            process.kill()
            process.wait()
            scene.publish(1, XK_ZT="3")  # a revocation that nobody lands
            clerk.sees(behind=True)
        with landing(exchange):
            clerk.sees(behind=False)
            assert revoked(exchange), "it answers again, and has not landed everything"
    exchange.ingest()
    fault.flowed = scene.whole()
    assert fault.flowed == EVENTS + POISON + 1


@pytest.mark.timeout(600)
@pytest.mark.fault("Kafka killed while a window answers", how="SIGKILL, started again")
def test_kafka_killed(scene: Scene, broker: Broker, fault: Fault) -> None:
    stopped_and_back(scene, fault, broker.kill, broker.start)


@pytest.mark.timeout(600)
@pytest.mark.fault("Kafka frozen while a window answers", how="SIGSTOP, SIGCONT")
def test_kafka_frozen(scene: Scene, broker: Broker, fault: Fault) -> None:
    stopped_and_back(scene, fault, broker.freeze, broker.thaw)


def stopped_and_back(
    scene: Scene, fault: Fault, stop: Callable[[], None], start: Callable[[], None]
) -> None:
    exchange = scene.exchange
    with started(exchange) as (window, _), landing(exchange) as process:
        clerk = Clerk(exchange, window)
        clerk.sees(behind=False)
        stop()
        try:
            clerk.sees(behind=True)
        finally:
            start()
        scene.publish(1, XK_ZT="3")
        wait_for(lambda: revoked(exchange), "the revocation to be landed")
        clerk.sees(behind=False)
        assert process.poll() is None
    exchange.ingest()
    fault.flowed = scene.whole()
    assert fault.flowed == EVENTS + POISON + 1


def revoked(exchange: Exchange) -> bool:
    """Whether the revocation is in the log."""
    return exchange.log().height == EVENTS + POISON + 1
