"""The served deployments of the local stack: a schedule fires, not only a run asked for by hand.

Prefect's server can look healthy and never make a scheduled run (with SQLAlchemy 2.1 it does).
"""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.settings import Settings
from deploy.local.lifecycle import down, up

# Stands in for flows.deployments: what is tested is the stack that serves it.
DEPLOYMENTS = """
from datetime import timedelta
from pathlib import Path
from prefect import flow, serve

@flow
def tick(path: str) -> None:
    Path(path).write_text("ran")

if __name__ == "__main__":
    each = timedelta(seconds=5)
    ran = str(Path(__file__).parents[1] / "ran.txt")
    served = tick.to_deployment("tick", interval=each, parameters={"path": ran})
    serve(served, pause_on_shutdown=False)
"""
# Stands in for the landing that runs on: there is no Kafka here.
FOLLOW = """
import time
from connectors.following import alone
from connectors.settings import read_settings

with alone(read_settings().mianti_home) as mark:
    mark.ready()
    time.sleep(3600)
"""
SECONDS = 300

pytestmark = pytest.mark.timeout(900)


def test_a_schedule_fires_and_a_killed_server_of_deployments_is_replaced(
    new_home: Callable[[], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Before the real one, wherever processes start.
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "__init__.py").touch()
    (tmp_path / "flows" / "deployments.py").write_text(DEPLOYMENTS)
    (tmp_path / "flows" / "operator").mkdir()
    (tmp_path / "flows" / "operator" / "__init__.py").touch()
    (tmp_path / "flows" / "operator" / "follow.py").write_text(FOLLOW)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{Path(__file__).parents[2]}")
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    settings = Settings(mianti_home=new_home(), kafka_bootstrap_servers="127.0.0.1:9")
    try:
        first = up(settings)
        assert first.kafka is None
        assert first.serve is not None
        assert first.serve.pid is not None
        wait_for(tmp_path / "ran.txt")

        # `up` returns only when the new one has asked Prefect for work.
        os.killpg(first.serve.pid, signal.SIGKILL)
        while first.serve.alive:
            time.sleep(0.05)
        second = up(settings)
        assert second.serve is not None
        assert second.serve.pid != first.serve.pid
        assert second.prefect == first.prefect
    finally:
        stopped = down(settings)
    assert stopped.serve is not None
    assert not stopped.serve.alive
    assert stopped.follow is not None
    assert not stopped.follow.alive


def wait_for(file: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while not file.exists():
        assert time.monotonic() < deadline, f"no scheduled run within {SECONDS} s"
        time.sleep(0.2)
