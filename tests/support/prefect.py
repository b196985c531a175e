"""Prefect as any program may use it: its server's own API, and waiting for what it comes to."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import httpx

from connectors.settings import Settings, prefect_api
from deploy.local.prefect_password import password

SECONDS: Final = 240
ENDED: Final = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


@dataclass
class Prefect:
    """The server's own API, as any program may use it that has its password (`user:password`)."""

    api: str
    password: str

    def ask_for(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send one request under the API's address, whatever it is answered."""
        user, _, secret = self.password.partition(":")
        url, auth = f"{self.api}{path}", (user, secret)
        return httpx.request(method, url, auth=auth, timeout=60, trust_env=False, **more)

    def post(self, path: str, body: Any) -> Any:
        """Ask, and return the answer's JSON; a server that is busy (503) is asked again."""
        return self._answered("POST", path, json=body)

    def get(self, path: str) -> Any:
        """Return the answer's JSON; a server that is busy (503) is asked again."""
        return self._answered("GET", path)

    def _answered(self, method: str, path: str, **more: Any) -> Any:
        deadline = time.monotonic() + SECONDS
        while True:
            answer = self.ask_for(method, path, **more)
            busy = answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
            if not busy or time.monotonic() > deadline:
                answer.raise_for_status()
                return answer.json() if answer.content else None
            time.sleep(0.5)

    def deployment(self, name: str) -> str:
        """Return a deployment's id."""
        return str(self.get(f"/deployments/name/{name}/{name}")["id"])

    def ask(self, name: str, parameters: dict[str, Any]) -> str:
        """Ask for a run, as a person does in the UI; return its id."""
        body = {
            "parameters": parameters,
            "state": {"type": "SCHEDULED"},
            "idempotency_key": uuid4().hex,  # what a busy server is asked for twice is one run
        }
        path = f"/deployments/{self.deployment(name)}/create_flow_run"
        return str(self.post(path, body)["id"])

    def runs(self, name: str, *states: str) -> list[dict[str, Any]]:
        """Return the runs of a deployment that are in one of the states, the newest first."""
        body = {
            "deployments": {"name": {"any_": [name]}},
            "flow_runs": {"state": {"type": {"any_": list(states)}}},
            "sort": "EXPECTED_START_TIME_DESC",
        }
        return list(self.post("/flow_runs/filter", body))

    def ended(self, name: str, *ids: str) -> list[dict[str, Any]]:
        """Return runs once all of them have ended."""

        def those() -> list[dict[str, Any]]:
            return [run for run in self.runs(name, *ENDED) if run["id"] in ids]

        wait_for(lambda: len(those()) == len(ids), f"the runs of {name} to end")
        return those()

    def schedule(self, name: str, *, on: bool) -> None:
        """Switch a deployment's schedule on or off."""
        verb = "resume" if on else "pause"
        self.post(f"/deployments/{self.deployment(name)}/{verb}_deployment", {})

    def forget(self, name: str) -> None:
        """Delete a deployment, and what is scheduled of it."""
        self.ask_for("DELETE", f"/deployments/{self.deployment(name)}").raise_for_status()

    def limit(self, name: str, runs: int) -> None:
        """Let so many runs of a deployment be at work at once."""
        path = f"/deployments/{self.deployment(name)}"
        self.ask_for("PATCH", path, json={"concurrency_limit": runs}).raise_for_status()

    def artifact(self, key: str) -> dict[str, Any]:
        """Return the latest artifact under a key."""
        wanted = {"artifacts": {"key": {"any_": [key]}}}
        found: list[dict[str, Any]] = self.post("/artifacts/latest/filter", wanted)
        assert found, f"no artifact {key}"
        return found[0]

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the events of a name."""
        since = (dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)).isoformat()
        wanted = {"event": {"name": [name]}, "occurred": {"since": since}}
        return list(self.post("/events/filter", {"filter": wanted})["events"])

    def log(self, run: str) -> str:
        """Return what a run's log says so far."""
        body = {"logs": {"flow_run_id": {"any_": [run]}}, "sort": "TIMESTAMP_ASC"}
        return "\n".join(line["message"] for line in self.post("/logs/filter", body))

    def logged(self, run: str, text: str) -> None:
        """Wait until a run's log holds a text; the client sends it in batches, also after the end."""
        wait_for(lambda: text in self.log(run), f"the log to say {text!r}")


def of_home(settings: Settings) -> Prefect:
    """Return the Prefect that runs in a home."""
    known = password(settings.mianti_home)
    assert known is not None
    return Prefect(prefect_api(settings), known)


def wait_for(true: Callable[[], bool], what: str) -> None:
    """Return once something is true; fail after a time."""
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline, f"waited {SECONDS} s for {what}"
        time.sleep(0.2)


def rows_of(artifact: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the lines of a table artifact."""
    return list(json.loads(artifact["data"]))
