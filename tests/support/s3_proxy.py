"""A proxy before an S3 server that loses answers, cuts, stalls and refuses, as a test tells it."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Literal
from urllib.parse import unquote, urlsplit

#: `lose`: the server does it, and the answer is an error of `status`, or nothing (0). `refuse`: the
#: server never hears of it. `cut`: half of the body comes, then the connection ends. `stall`: the
#: server does it, and no answer comes for as long as whoever asked has patience.
Act = Literal["lose", "refuse", "cut", "stall"]
#: The codes of errors, as S3 has them.
_CODES: Final = {403: "AccessDenied", 500: "InternalError", 503: "SlowDown", 507: "StorageFull"}
_HOP: Final = {"connection", "keep-alive", "transfer-encoding", "expect", "content-length"}


@dataclass
class Fault:
    """What is done to the next requests of a kind: `times` of them, by method and path."""

    act: Act
    method: str
    path: str
    times: int = 1
    status: int = 500
    code: str | None = None
    done: int = 0

    def meets(self, method: str, path: str) -> bool:
        """Whether a request is meant."""
        wanted = re.fullmatch(self.method, method) and re.search(self.path, unquote(path))
        return bool(wanted) and self.done < self.times


@dataclass
class Proxy:
    """A running proxy; `faults` may be set at any time."""

    endpoint: str
    faults: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fault(self, method: str, path: str) -> Fault | None:
        """Return what is to be done to a request; counted as done."""
        with self._lock:
            for one in self.faults:
                if one.meets(method, path):
                    one.done += 1
                    return one
        return None


@contextmanager
def before(server: str) -> Iterator[Proxy]:
    """Run a proxy before the S3 server at an address."""

    class Handler(_Handler):
        upstream = urlsplit(server).netloc

    front = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    front.daemon_threads = True
    Handler.proxy = proxy = Proxy(f"http://127.0.0.1:{front.server_port}")
    thread = threading.Thread(target=front.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        front.shutdown()
        front.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream: str
    proxy: Proxy

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.proxy.fault(self.command, self.path)
        if fault is not None and fault.act == "refuse":
            self._error(fault)
            return
        status, headers, content = self._forward(body)
        if fault is None:
            self._answer(status, headers, content, len(content))
        elif fault.act == "cut":
            self._answer(status, headers, content[: len(content) // 2], len(content))
            self._hang_up()
        elif fault.act == "stall":
            self.connection.recv(1)  # until the other side hangs up
            self._hang_up()
        else:
            assert status < 300, f"nothing to lose: the server itself said {status}"
            self._error(fault)

    def do_GET(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def _forward(self, body: bytes) -> tuple[int, HTTPMessage, bytes]:
        server = HTTPConnection(self.upstream, timeout=60)
        try:
            server.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in _HOP:  # the host stays as it was signed
                    server.putheader(name, value)
            if body or self.command in ("PUT", "POST"):
                server.putheader("Content-Length", str(len(body)))
            server.endheaders(body)
            answer = server.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            server.close()

    def _answer(self, status: int, headers: HTTPMessage, content: bytes, length: int) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in _HOP:
                self.send_header(name, value)
        told = headers.get("Content-Length") if self.command == "HEAD" else str(length)
        if told is not None and status != 204:
            self.send_header("Content-Length", told)
        with suppress(ConnectionError):  # whoever asked has had enough
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

    def _error(self, fault: Fault) -> None:
        """Answer with an error as S3 has them; a status of 0 hangs up without a word."""
        if not fault.status:
            self._hang_up()
            return
        code = fault.code or _CODES[fault.status]
        content = f"<Error><Code>{code}</Code></Error>".encode()
        self.send_response_only(fault.status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""
