"""A window's process, and clerks who ask it all at once and keep what they were told."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, Thread
from typing import Any, Final

import httpx

from connectors.settings import Settings
from deploy.local.ports import HOST, choose_port
from flows.receipt.register import is_registered, register
from flows.receipt.verify import verify
from tests.faults.processes import running
from tests.oracle.delta import Table
from tests.oracle.receipts import Places, examine_receipts
from tests.oracle.report import Report
from tests.support.codes import uscc
from tests.support.window import token

#: How many ask at once.
CLERKS: Final = 4
_PATIENCE: Final = 120.0
_NOBODYS: Final = "nobody was given"


@dataclass
class Asked:
    """What clerks were told: whole answers, problems, and how many questions got neither."""

    answers: list[dict[str, Any]] = field(default_factory=list)
    problems: list[httpx.Response] = field(default_factory=list)
    broken: int = 0
    _lock: Lock = field(default_factory=Lock)

    def note(self, response: httpx.Response) -> None:
        """Keep what came in full."""
        with self._lock:
            if response.status_code == 200:
                self.answers.append(response.json())
            else:
                self.problems.append(response)

    def ask(
        self, url: str, settings: Settings, times: int, then: Callable[[], object] = lambda: None
    ) -> None:
        """Have each clerk ask some times, or until the window is gone; `then` after each answer."""
        signed = {"Authorization": f"Bearer {token(settings)}"}

        def clerk(number: int) -> None:
            with httpx.Client(base_url=url, headers=signed, timeout=_PATIENCE) as http:
                for _ in range(times):
                    body = {"subject": uscc(number), "matter": "SP-1"}
                    try:
                        self.note(http.post("/v1/ask", json=body))
                    except httpx.TransportError:
                        with self._lock:
                            self.broken += 1
                        return
                    then()

        threads = [Thread(target=clerk, args=(number,)) for number in range(1, CLERKS + 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


@contextmanager
def window_at_work(
    settings: Settings, *points: str, entry: Sequence[str] = ("window", "serve", "--port")
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a window that dies at some points; give its process, and its URL once it answers."""
    if not is_registered(settings):
        register(settings)
    port = choose_port(None, None, "")
    told = ("-m", "tests.faults.killed_at", *points, "--", *entry, str(port))
    with running(environment(settings), *told) as process:
        url = f"http://{HOST}:{port}"
        _wait(process, url)
        yield process, url


def environment(settings: Settings) -> dict[str, str]:
    """Return settings as a process is told them."""
    return {
        name.upper(): str(value)
        for name, value in settings.model_dump(exclude_none=True).items()
        if not name.endswith("_port")
    }


def _wait(process: subprocess.Popen[str], url: str) -> None:
    end = time.monotonic() + _PATIENCE
    while True:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "the window does not answer"
        try:
            httpx.get(f"{url}/health", timeout=_PATIENCE)
        except httpx.TransportError:
            time.sleep(0.02)
        else:
            return


def proven(settings: Settings, asked: Asked) -> Report:
    """Assert that each answer has its receipt and the chain no flaw; return what was counted.

    What was written and never told does no harm: it is nobody's answer, and there may be as many
    as questions that were never answered.
    """
    window, report = settings.mianti_window_name, Report()
    lake = Path(settings.mianti_lake)
    shipped = Table(lake / "window" / "receipts")
    places = Places(window, settings.mianti_window, shipped, Path(settings.mianti_evidence))
    entries = examine_receipts(places, asked.answers, report)
    harmless = [fault for fault in report.faults if fault.endswith(_NOBODYS)]
    assert [fault for fault in report.faults if fault not in harmless] == []
    assert len(harmless) <= asked.broken
    assert verify(settings, f"{window}-{len(entries)}").flaws == []
    return report
