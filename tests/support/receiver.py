"""A receiver of webhooks on this machine: what it was sent, in order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass
class Receiver:
    """Where it listens, with a secret in the address; the bodies it was sent."""

    address: str = ""
    secret: str = "only-the-receiver-knows"
    bodies: list[dict[str, Any]] = field(default_factory=list)

    @property
    def raised(self) -> dict[str, dict[str, Any]]:
        """Return the alarms that were raised, by their names."""
        return {one["alarm"]: one for body in self.bodies for one in body["raised"]}

    @property
    def ended(self) -> set[str]:
        """Return the names of the alarms that ended."""
        return {name for body in self.bodies for name in body["ended"]}


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Give a receiver that listens for the length of a block."""
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            known = self.path == f"/{made.secret}"
            if known and self.headers["Content-Type"] == "application/json":
                made.bodies.append(json.loads(body))
            self.send_response(204 if known else 404)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.address = f"http://127.0.0.1:{server.server_address[1]}/{made.secret}"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
