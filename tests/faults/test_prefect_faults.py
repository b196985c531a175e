"""Prefect fails: what it runs is whole all the same, and the next schedule works without an operator.

The server and the runner are real and are killed; each run is a process of its own, held at a point
of the product so that what fails does so in mid-run.
"""

from __future__ import annotations

import datetime as dt
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.settings import Settings
from deploy.local.ports import choose_port
from deploy.local.prefect_client import client_of
from flows.operator.watch import Watcher
from tests.faults.door import opened
from tests.faults.processes import again
from tests.faults.reliability import Fault
from tests.faults.scene import EVENTS, POISON, at_work
from tests.faults.scheduling import EACH, Scheduler, kill, kill_all, runner
from tests.support.exchange import Exchange
from tests.support.prefect import wait_for

pytestmark = pytest.mark.timeout(900)  # a server on a busy machine
_LANDING, _SETTLING = "connectors.lake:append:before:1", "connectors.lake:replace:before:1"


@pytest.fixture(scope="module")
def scheduler(new_home: Callable[[], Path]) -> Iterator[Scheduler]:
    """A Prefect server that is not started yet."""
    port = choose_port(None, None, "")
    made = Scheduler(Settings(mianti_home=new_home(), mianti_prefect_port=port))
    yield made
    made.kill()


@pytest.mark.fault(
    "Prefect's server is down when the runner starts", how="runner started, then the server"
)
def test_no_server_at_the_start(exchange: Exchange, scheduler: Scheduler, fault: Fault) -> None:
    scene = at_work(exchange)
    scheduler.kill()
    with runner(scheduler, exchange) as one:
        serving = one.start()
        one.says("Prefect does not answer")
        scheduler.start()
        wait_for(lambda: bool(one.landed()), "a scheduled run that lands")
        assert serving.alive
    fault.flowed = scene.whole()
    assert fault.flowed == EVENTS + POISON


def runner_killed(how: str, name: str) -> Any:
    """Return a parameter: whether the runner's run dies with it, or lives on."""
    marked = pytest.mark.fault(f"Prefect's runner killed while its run is Running: {name}", how=how)
    return pytest.param(name == "with its run", id=name.replace(" ", "-"), marks=marked)


@pytest.mark.parametrize(
    "both",
    [
        runner_killed("SIGKILL of its group; started again", "with its run"),
        runner_killed("SIGKILL of it alone; started again; the run let go last", "alone"),
    ],
)
def test_runner_killed(exchange: Exchange, scheduler: Scheduler, fault: Fault, both: bool) -> None:
    """The zombie is marked, its place is free; and one that lives on is too late for everything."""
    scheduler.start()
    prefect = scheduler.prefect
    scene = at_work(exchange)
    with opened() as door, runner(scheduler, exchange) as one:
        killed = one.start(EACH, door, _LANDING)
        visitor = door.arrived()
        (zombie,) = prefect.runs("ingest", "RUNNING")
        (kill_all if both else kill)(killed)
        wait_for(lambda: visitor.ended == both, "its run to share its fate")
        door.close()
        one.start()
        wait_for(lambda: bool(one.landed()), "the next scheduled run to land")
        (marked,) = prefect.ended("ingest", zombie["id"])
        assert marked["state"]["type"] == "CRASHED"
        assert "The process of this run was killed" in marked["state"]["message"]
        if not both:
            visitor.go()
            wait_for(lambda: visitor.ended, "the run that lived on to end")
    fault.flowed = scene.whole()
    assert fault.flowed == EVENTS + POISON


def looked(scheduler: Scheduler, exchange: Exchange) -> None:
    """Have the watch look twice, with no patience for a run that begins slowly."""
    watcher = Watcher(patience=dt.timedelta(0))
    with client_of(scheduler.settings, scheduler.address):
        for _ in range(2):
            watcher.look(exchange.settings, dt.datetime.now(dt.UTC))


@pytest.mark.fault(
    "the only place of a deployment held by a run in PENDING, and by none",
    how="a run begun by nobody; the place taken",
)
def test_place_held_in_vain(exchange: Exchange, scheduler: Scheduler, fault: Fault) -> None:
    """Every later run is cancelled, for ever, until the watch frees the place."""
    scheduler.start()
    prefect = scheduler.prefect
    scene = at_work(exchange)
    with runner(scheduler, exchange) as one:
        serving = one.start_and_wait(0)
        path = f"/deployments/{prefect.deployment('ingest')}"
        assert serving.pid is not None
        os.kill(serving.pid, signal.SIGSTOP)
        stuck = prefect.ask("ingest", {})
        begun = prefect.post(f"/flow_runs/{stuck}/set_state", {"state": {"type": "PENDING"}})
        assert begun["status"] == "ACCEPT"
        os.kill(serving.pid, signal.SIGCONT)
        (cancelled,) = prefect.ended("ingest", prefect.ask("ingest", {}))
        assert cancelled["state"]["type"] == "CANCELLED"

        looked(scheduler, exchange)

        (freed,) = prefect.ended("ingest", stuck)
        assert freed["state"]["type"] == "CRASHED"
        assert "held the only place" in freed["state"]["message"]
        (run,) = prefect.ended("ingest", prefect.ask("ingest", {}))
        assert run["state"]["type"] == "COMPLETED"

        limit = prefect.get(path)["global_concurrency_limit"]["name"]
        taken = {"active_slots": 1}
        prefect.ask_for("PATCH", f"/v2/concurrency_limits/{limit}", json=taken).raise_for_status()
        (cancelled,) = prefect.ended("ingest", prefect.ask("ingest", {}))
        assert cancelled["state"]["type"] == "CANCELLED"

        looked(scheduler, exchange)

        (run,) = prefect.ended("ingest", prefect.ask("ingest", {}))
        assert run["state"]["type"] == "COMPLETED"
    fault.flowed = scene.whole()
    assert fault.flowed == EVENTS + POISON


@pytest.mark.fault(
    "a run in RUNNING whose process is gone, and Prefect's server started anew",
    how=f"SIGKILL of the runner's group and of the server, `{_LANDING}`; the watch looks",
)
def test_running_in_vain(exchange: Exchange, scheduler: Scheduler, fault: Fault) -> None:
    """The lease by which Prefect would free the place is forgotten with the server."""
    scheduler.start()
    prefect = scheduler.prefect
    scene = at_work(exchange)
    with opened() as door, runner(scheduler, exchange) as one:
        killed = one.start(EACH, door, _LANDING)
        visitor = door.arrived()
        (zombie,) = prefect.runs("ingest", "RUNNING")
        kill_all(killed)
        wait_for(lambda: visitor.ended, "its run to share its fate")
        door.close()
        scheduler.kill()
        scheduler.start()
        path = f"/deployments/{prefect.deployment('ingest')}"
        assert prefect.get(path)["global_concurrency_limit"]["active_slots"] == 1

        looked(scheduler, exchange)

        (freed,) = prefect.ended("ingest", zombie["id"])
        assert freed["state"]["type"] == "CRASHED"
        assert "held the only place" in freed["state"]["message"]
        assert prefect.get(path)["global_concurrency_limit"]["active_slots"] == 0
        one.start()
        wait_for(lambda: bool(one.landed()), "the next scheduled run to land")
    fault.flowed = scene.whole()
    assert fault.flowed == EVENTS + POISON


@pytest.mark.fault("Prefect's server killed in mid-run", how=f"SIGKILL and start, `{_LANDING}`")
def test_server_killed(exchange: Exchange, scheduler: Scheduler, fault: Fault) -> None:
    """The run lands while there is no server, and says so when there is one."""
    scheduler.start()
    prefect = scheduler.prefect
    scene = at_work(exchange)
    with opened() as door, runner(scheduler, exchange) as one:
        serving = one.start(EACH, door, _LANDING)
        visitor = door.arrived()
        (held,) = prefect.runs("ingest", "RUNNING")
        scheduler.kill()
        door.close()
        visitor.go()
        wait_for(lambda: exchange.log().height == EVENTS + POISON, "the run to land")
        scheduler.start()
        (run,) = prefect.ended("ingest", held["id"])
        assert run["state"]["type"] == "COMPLETED"
        scene.publish(*range(51, 71))
        wait_for(lambda: bool(one.landed(but=held["id"])), "the next scheduled run to land")
        assert serving.alive
    fault.flowed = scene.whole()
    assert fault.flowed == EVENTS + POISON + 20


@pytest.mark.fault(
    "Prefect's server away until run and runner give it up",
    how=f"SIGKILL, `{_LANDING}`; later start",
)
def test_server_away_for_long(exchange: Exchange, scheduler: Scheduler, fault: Fault) -> None:
    """The run cannot say how it ended, and is marked; the runner waits and serves again."""
    scheduler.start()
    prefect = scheduler.prefect
    scene = at_work(exchange)
    with (
        opened() as door,
        # What takes minutes of waiting otherwise: a request that fails is not sent again.
        runner(scheduler, exchange, PREFECT_CLIENT_MAX_RETRIES="0") as one,
    ):
        serving = one.start(EACH, door, _LANDING)
        visitor = door.arrived()
        (held,) = prefect.runs("ingest", "RUNNING")
        scheduler.kill()
        door.close()
        visitor.go()
        one.says("Prefect does not answer")
        wait_for(lambda: visitor.ended, "the run to end")
        scene.publish(*range(51, 71))
        scheduler.start()
        wait_for(lambda: bool(one.landed()), "the next scheduled run to land")
        (run,) = prefect.ended("ingest", held["id"])
        assert run["state"]["type"] == "CRASHED"
        assert serving.alive
    fault.flowed = scene.whole()
    assert fault.flowed == EVENTS + POISON + 20


@pytest.mark.fault(
    "three runs of one deployment at once, Prefect's limit raised",
    how=f"all held, `{_LANDING}`, then `{_SETTLING}`",
)
def test_runs_at_once(exchange: Exchange, scheduler: Scheduler, fault: Fault) -> None:
    scheduler.start()
    prefect = scheduler.prefect
    scene = at_work(exchange)
    with opened() as door, runner(scheduler, exchange) as one:
        one.start_and_wait(0, door, _LANDING, _SETTLING)
        prefect.limit("ingest", 3)
        asked = [prefect.ask("ingest", {}) for _ in range(3)]
        for point in ("append:before:1", "replace:before:1"):
            visitors = [door.arrived() for _ in asked]
            assert {visitor.point for visitor in visitors} == {point}
            for visitor in visitors:
                visitor.go()
        runs = prefect.ended("ingest", *asked)
    states = [run["state"]["type"] for run in runs]
    assert "COMPLETED" in states
    assert all(clean(run) for run in runs), runs
    again(exchange.environment, "ingest", "licence")
    fault.flowed = scene.whole()
    assert fault.flowed == EVENTS + POISON


def clean(run: dict[str, Any]) -> bool:
    """Whether a run has done its work, or has said in a sentence that another was first."""
    if run["state"]["type"] == "COMPLETED":
        return True
    told = "Other runs kept writing to the same table" in run["state"]["message"]
    return run["state"]["type"] == "FAILED" and told
