"""Clerks who ask at a steady rate: `python -m tests.soak.ask JOB`, until SIGTERM.

A question is due at its time whether those before it were answered or not, and its latency counts
from then. What came of each is a line: of an answer its receipt, and what its receipt must say.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path
from typing import Any, Final

from tests.support.codes import uscc

_CLERKS: Final = 64
_PATIENCE: Final = 10.0
_HEAD: Final = ("receipt", "subject", "on", "known_at", "landed_through")
_KEPT: Final = ("material", "complete_through", "outcome", "reason", "source")


@dataclass(frozen=True)
class Job:
    """Whom to ask, how often, about how many enterprises, and where to write down what came."""

    host: str
    port: int
    token: str
    rate: float
    enterprises: int
    matter: str
    seed: int
    path: str


class Clerks:
    """Several that ask in turn, so that one who waits holds up no other."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._numbers, self._chance = count(), random.Random(job.seed)
        self._lock, self.stop = threading.Lock(), threading.Event()
        self._file = Path(job.path).open("a", encoding="utf-8")  # noqa: SIM115
        self._began = time.monotonic()

    def run(self) -> None:
        """Ask until told to stop."""
        clerks = [threading.Thread(target=self._ask_on) for _ in range(_CLERKS)]
        for clerk in clerks:
            clerk.start()
        for clerk in clerks:
            clerk.join()
        self._file.close()

    def _ask_on(self) -> None:
        http = HTTPConnection(self._job.host, self._job.port, timeout=_PATIENCE)
        while True:
            with self._lock:
                due = self._began + next(self._numbers) / self._job.rate
                subject = uscc(self._chance.randrange(1, self._job.enterprises + 1))
            if self.stop.wait(max(0.0, due - time.monotonic())):
                return
            came = self._ask(http, subject)
            ms = round((time.monotonic() - due) * 1000, 2)
            with self._lock:
                self._file.write(json.dumps({"t": time.time(), "ms": ms} | came) + "\n")
                self._file.flush()

    def _ask(self, http: HTTPConnection, subject: str) -> dict[str, Any]:
        body = json.dumps({"subject": subject, "matter": self._job.matter})
        headers = {
            "Authorization": f"Bearer {self._job.token}",
            "Content-Type": "application/json",
        }
        try:
            http.request("POST", "/v1/ask", body, headers)
            response = http.getresponse()
            told = response.read()
        except (OSError, HTTPException) as error:
            http.close()
            return {"error": type(error).__name__}
        if response.status != 200:
            return {"error": str(response.status)}
        return {"answer": kept(json.loads(told))}


def kept(answer: dict[str, Any]) -> dict[str, Any]:
    """Return of an answer its receipt and what its receipt must say."""
    head = {name: answer[name] for name in _HEAD}
    answers = [
        {
            "matter": one["matter"],
            "papers": [{name: paper[name] for name in _KEPT} for paper in one["papers"]],
        }
        for one in answer["answers"]
    ]
    return head | {"answers": answers}


def main(path: str) -> None:
    """Ask until SIGTERM."""
    clerks = Clerks(Job(**json.loads(Path(path).read_text("utf-8"))))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: clerks.stop.set())
    Path(f"{path}.at-work").write_text(str(os.getpid()))
    clerks.run()


if __name__ == "__main__":
    main(sys.argv[1])
