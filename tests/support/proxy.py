"""A reverse proxy that hands what lies below a path on to a server, and knows nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final
from urllib.parse import urlsplit

#: What belongs to one connection, and is not handed on.
_HOP: Final = ("connection", "content-length", "host", "keep-alive", "transfer-encoding")


@contextmanager
def below(path: str, url: str) -> Iterator[str]:
    """Serve `url` below a path (`/hall/`) of another address; give that address."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            if not self.path.startswith(path):
                self.send_error(404)
                return
            size = int(self.headers.get("Content-Length") or 0)
            inner = HTTPConnection(urlsplit(url).netloc, timeout=60)
            inner.request(
                self.command,
                self.path.removeprefix(path.rstrip("/")),
                self.rfile.read(size),
                {k: v for k, v in self.headers.items() if k.lower() not in _HOP},
            )
            response = inner.getresponse()
            body = response.read()
            inner.close()
            self.send_response(response.status)
            for name, value in response.getheaders():
                if name.lower() not in _HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{path}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
