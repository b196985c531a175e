"""HTTP with bounds: uvicorn's own protocol has none for headers, half a request, or connections."""

from __future__ import annotations

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: The longest address and headers together (bytes); a token takes one or two thousand.
HEADERS_LARGEST: Final = 16 << 10
#: How long a whole request may take to arrive, counted from the connection or its first byte.
REQUEST_SECONDS: Final = 10.0
#: Open connections; beyond them the one that has kept half a request longest is closed.
CONNECTIONS: Final = 500
_TOO_LARGE: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class BoundedProtocol(HttpToolsProtocol):
    """One connection. A request that is too long, or takes too long to arrive, ends it."""

    #: When the request that has not arrived whole began (the loop's clock); None between requests.
    waiting_since: float | None = None
    _timer: asyncio.TimerHandle | None = None
    _in_headers = True
    #: Bytes of headers that have not ended yet; `deploy.window.guard` measures those that have.
    _unparsed = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request, and make room for it."""
        super().connection_made(transport)
        self._wait()
        if len(self.connections) > CONNECTIONS:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came; refuse headers that do not end."""
        if self.waiting_since is None:
            self._wait()
        unfinished = self._in_headers
        super().data_received(data)
        if unfinished and self._in_headers:
            self._unparsed += len(data)
            if self._unparsed > HEADERS_LARGEST and not self.transport.is_closing():
                self.transport.write(_TOO_LARGE)
                self.transport.close()

    def on_message_begin(self) -> None:
        """Count its headers from here."""
        super().on_message_begin()
        self._in_headers, self._unparsed = True, 0

    def on_headers_complete(self) -> None:
        """Leave the body to its own bound (`deploy.window.guard`)."""
        self._in_headers = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Wait no longer: the request is whole."""
        self._arrived()
        super().on_message_complete()

    def _wait(self) -> None:
        self.waiting_since = self.loop.time()
        self._timer = self.loop.call_later(REQUEST_SECONDS, self.transport.abort)

    def _arrived(self) -> None:
        self.waiting_since = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _make_room(self) -> None:
        """Close the connection that has waited longest for the rest of its request; else this one."""
        others = [one for one in self.connections if one is not self]
        waiting = [
            one
            for one in others
            if isinstance(one, BoundedProtocol) and one.waiting_since is not None
        ]
        longest = min(waiting, key=lambda one: one.waiting_since or 0.0, default=self)
        longest.connections.discard(longest)  # its loss is told later
        longest.transport.abort()
