"""A real schema registry (Apicurio, in memory), and a stand-in before it that changes some answers."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx

from deploy.local.ports import HOST, choose_port
from deploy.local.prerequisites import UTF8, java, maven
from tests.support.kafka import SCHEMAS, until

APICURIO: Final = "io.apicurio:apicurio-registry-app:2.6.13.Final:tar.gz:all"
_ROOT: Final = "/apis/ccompat/v7"
# Ends the server when this process has ended, however it did; says its process id.
_GUARD: Final = """
import subprocess, sys
server = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=sys.stderr)
print(server.pid, flush=True)
try:
    sys.stdin.buffer.read()
finally:
    server.kill()
    server.wait()
"""


def fetch(tools: Path) -> Path:
    """Have Maven bring the registry into a folder, unless it is there; return its own folder."""
    place = tools / "apicurio-2.6.13"
    if not place.exists():
        part = place.with_name(f"{place.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        told = [f"-Dartifact={APICURIO}", f"-DoutputDirectory={part}"]
        command = [maven(), "-q", "-B", "dependency:unpack", *told]
        # In a folder of its own: where it marks what it has unpacked, it does not unpack it again.
        env = {**os.environ, **UTF8}
        subprocess.run(command, cwd=part, env=env, check=True, timeout=600)
        part.rename(place)
    return place


@dataclass
class Registry:
    """A registry that runs; `pid` is the server's own."""

    program: Path
    folder: Path
    port: int = field(default_factory=lambda: choose_port(None, None, ""))
    pid: int = 0
    _guard: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the root of its Confluent API."""
        return f"http://{HOST}:{self.port}{_ROOT}"

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        [jar] = self.program.glob("*-runner.jar")
        log = self.folder / "registry.log"
        options = [f"-Dquarkus.http.host={HOST}", f"-Dquarkus.http.port={self.port}"]
        run = [java(), "-Xmx400m", "-XX:TieredStopAtLevel=1", *options, "-jar", str(jar)]
        with log.open("ab") as errors:
            self._guard = subprocess.Popen(
                [sys.executable, "-c", _GUARD, *run],
                cwd=self.folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        assert self._guard.stdout is not None
        self.pid = int(self._guard.stdout.readline())
        for _ in range(4):  # it starts in six seconds; a busy machine takes its time
            try:
                until(self._answers)
            except AssertionError:
                continue
            return
        raise AssertionError(log.read_text("utf-8", "replace")[-3000:])

    def kill(self) -> None:
        """Kill it, by its process id."""
        os.kill(self.pid, signal.SIGKILL)
        until(lambda: not self._answers())

    def freeze(self) -> None:
        """Let it stand still, with its connections open."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def close(self) -> None:
        """End it."""
        if self._guard is not None:
            self._guard.communicate()

    def post(self, subject: str, schema: str) -> int:
        """Register a schema as anyone may; return its id."""
        told = {"schema": schema}
        url = f"{self.url}/subjects/{subject}/versions"
        answer = httpx.post(url, json=told, timeout=60, trust_env=False)
        return int(answer.raise_for_status().json()["id"])

    def next_id(self) -> int:
        """Return the id that the next schema will get: that after a schema nobody knows."""
        name = f"Stranger{uuid4().hex}"
        return self.post(name, json.dumps({"type": "record", "name": name, "fields": []})) + 1

    def _answers(self) -> bool:
        try:
            url = f"{self.url}/subjects"
            return httpx.get(url, timeout=5, trust_env=False).is_success
        except httpx.HTTPError:
            return False


@contextmanager
def running(program: Path, folder: Path) -> Iterator[Registry]:
    """Run an empty registry."""
    one = Registry(program, folder)
    one.start()
    try:
        yield one
    finally:
        one.close()


def text(family: str, **changes: Any) -> str:
    """Return a family's event schema as its file holds it, some of it changed."""
    path = max((SCHEMAS / "events").glob(f"{family}.v*.avsc"))
    return json.dumps(json.loads(path.read_text("utf-8")) | changes, ensure_ascii=False)


#: A status and what is said with it; None hangs up without a word.
Answer = tuple[int, bytes] | None
#: What the real one says of what it does not have.
NONE: Final[Answer] = (404, b'{"error_code":40403,"message":"none"}')


@dataclass
class StandIn:
    """Answers in a registry's place: what it is told to by path, and else what the real one says."""

    url: str = ""
    says: dict[str, Answer] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    logins: set[str | None] = field(default_factory=set)

    def schema(self, schema_id: int, schema: str) -> None:
        """Say that an id has a schema."""
        told = json.dumps({"schema": schema}).encode()
        self.says[f"/schemas/ids/{schema_id}"] = (200, told)

    def number(self, subject: str, schema_id: int) -> None:
        """Say that a subject's schema has an id."""
        self.says[f"/subjects/{subject}"] = (200, b'{"id":%d}' % schema_id)


@contextmanager
def stand_in(real: str | None = None) -> Iterator[StandIn]:
    """Run a stand-in, before the real registry at an address, or before none."""
    told = StandIn()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve(None)

        def do_POST(self) -> None:
            self._serve(self.rfile.read(int(self.headers["Content-Length"])))

        def _serve(self, body: bytes | None) -> None:
            path = self.path.removeprefix(_ROOT)
            bare = path.partition("?")[0]
            told.asked[bare] += 1
            told.logins.add(self.headers["Authorization"])
            answer = told.says[bare] if bare in told.says else _real(real, path, body)
            if answer is None:
                self.close_connection = True
                return
            self.send_response_only(answer[0])
            self.send_header("Content-Length", str(len(answer[1])))
            self.end_headers()
            self.wfile.write(answer[1])

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    front = ThreadingHTTPServer((HOST, 0), Handler)
    front.daemon_threads = True
    told.url = f"http://{HOST}:{front.server_port}{_ROOT}"
    thread = threading.Thread(target=front.serve_forever, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        front.shutdown()
        front.server_close()
        thread.join()


def _real(real: str | None, path: str, body: bytes | None) -> Answer:
    if real is None:
        return NONE
    method = "GET" if body is None else "POST"
    headers = {"Content-Type": "application/json"}
    answer = httpx.request(
        method, f"{real}{path}", content=body, headers=headers, timeout=60, trust_env=False
    )
    return answer.status_code, answer.content
