"""What one connection may cost a window: headers, half a request, and many connections at once."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from connectors.settings import Settings
from deploy.window import protocol
from tests.support.window import serving, token

MEGABYTES = 24
#: As an attacker would go on for ever.
ENDLESS = {
    "many headers": (b"GET /health HTTP/1.1\r\nHost: x\r\n", b"a:b\r\n" * 13_000),
    "a header's value": (b"GET /health HTTP/1.1\r\nHost: x\r\nX-A: ", b"a" * 65_536),
    "a header's name": (b"GET /health HTTP/1.1\r\nHost: x\r\n", b"a" * 65_536),
    "the address": (b"GET /", b"a" * 65_536),
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(mianti_home=tmp_path, mianti_window_rate="100000/second")


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    with serving(settings) as url:
        yield url


def connected(url: str) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=60)


def answer(line: socket.socket) -> bytes:
    """Return what comes until the other side closes."""
    told = b""
    try:
        while more := line.recv(65_536):
            told += more
    except ConnectionError:
        pass
    return told


def poured(line: socket.socket, more: bytes, pause: float = 0.0) -> int:
    """Send again and again until the other side has closed, or took all; return the bytes sent."""
    sent = 0
    try:
        while sent < MEGABYTES << 20:
            sent += line.send(more)
            time.sleep(pause)
    except ConnectionError:
        pass
    return sent


@pytest.mark.parametrize("kind", ENDLESS)
def test_headers_that_do_not_end_are_cut_off(url: str, kind: str) -> None:
    start, more = ENDLESS[kind]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with connected(url) as line:
        line.sendall(start)
        assert poured(line, more) < MEGABYTES << 20
    assert httpx.get(f"{url}/v1/me").status_code == 401
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 16 << 10, f"{grown} KiB more"


@pytest.mark.parametrize("size", [12_000, 20_000, 60_000])
def test_long_headers_are_refused_and_shorter_ones_are_not(url: str, size: int) -> None:
    headers = {"Authorization": f"Bearer {'A' * size}"}
    response = httpx.get(f"{url}/v1/me", headers=headers)
    assert response.status_code == (401 if size < protocol.HEADERS_LARGEST else 431)
    address = httpx.get(f"{url}/v1/subjects?q={'a' * size}")
    assert address.status_code == (401 if size < protocol.HEADERS_LARGEST else 431)


def test_headers_in_pieces_and_requests_in_one_piece_are_read(url: str, settings: Settings) -> None:
    request = b"GET /v1/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + (
        token(settings).encode() + b"\r\n"
    )
    with connected(url) as line:
        for byte in request + b"Connection: close\r\n\r\n":
            line.send(bytes([byte]))
        assert answer(line).startswith(b"HTTP/1.1 200")
    with connected(url) as line:
        line.sendall((request + b"\r\n") * 200 + request + b"Connection: close\r\n\r\n")
        assert answer(line).count(b"HTTP/1.1 200") == 201


@pytest.mark.parametrize(
    "half",
    [
        b"",
        b"GET /health",
        b"POST /v1/ask HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n",
        b"POST /v1/ask HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
        b"GET /v1/me HTTP/1.1\r\nHost: x\r\n\r\nGET /v1/me HTTP/1.1\r\nHost:",
    ],
)
def test_half_a_request_ends_in_time(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, half: bytes
) -> None:
    monkeypatch.setattr(protocol, "REQUEST_SECONDS", 0.3)
    with serving(settings) as url, connected(url) as line:
        began = time.monotonic()
        line.sendall(half)
        answer(line)
        assert time.monotonic() - began >= 0.25
        assert httpx.get(f"{url}/v1/me").status_code == 401


def test_a_trickle_does_not_keep_half_a_request(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "REQUEST_SECONDS", 0.3)
    with serving(settings) as url, connected(url) as line:
        line.sendall(b"POST /v1/ask HTTP/1.1\r\nHost: x\r\n")
        poured(line, b"X-A: 1\r\n", 0.02)


def test_half_requests_keep_nobody_else_out(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "CONNECTIONS", 20)
    with serving(settings) as url, ExitStack() as stack:
        lines = []
        for _ in range(60):
            lines.append(stack.enter_context(connected(url)))
            lines[-1].sendall(b"POST /v1/ask HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n")
        for _ in range(5):
            response = httpx.get(
                f"{url}/v1/me", headers={"Authorization": f"Bearer {token(settings)}"}
            )
            assert response.status_code == 200
        assert all(answer(line) == b"" for line in lines[:40]), "the oldest are closed"


def test_a_kept_connection_is_waited_for_anew(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its time is a request's own, not the connection's."""
    monkeypatch.setattr(protocol, "REQUEST_SECONDS", 1.0)
    headers = {"Authorization": f"Bearer {token(settings)}"}
    with serving(settings) as url, httpx.Client(base_url=url, headers=headers) as http:
        end = time.monotonic() + 2.5
        while time.monotonic() < end:
            response = http.get("/v1/me")
            assert response.status_code == 200
            time.sleep(0.1)
