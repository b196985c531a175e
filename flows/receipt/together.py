"""Group commit: the receipts that one turn of an event loop asks for are written together.

A thread of their own took a fifth of a window's time: each step of SQLite gives up the interpreter
and waits for it again. One commit takes a third of a millisecond, and every answer waits for one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flows.receipt.chain import Sealed

Body = Mapping[str, Any]


class Together:
    """Gathers what is to be written, for the event loop it is used in."""

    def __init__(self, write: Callable[[Sequence[Body]], list[Sealed]]) -> None:
        self._write = write
        self._waiting: list[tuple[Body, asyncio.Future[Sealed]]] = []

    def give(self, body: Body) -> asyncio.Future[Sealed]:
        """Return the receipt to come of an answer; when it is there, it is on the disk."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._write_all)
        future: asyncio.Future[Sealed] = loop.create_future()
        self._waiting.append((body, future))
        return future

    def _write_all(self) -> None:
        # Whoever has gone meanwhile gets no receipt, and keeps nobody else from one.
        waiting = [one for one in self._waiting if not one[1].cancelled()]
        self._waiting = []
        if not waiting:
            return
        try:
            sealed = self._write([body for body, _ in waiting])
        except Exception as error:  # the disk is full: whoever waits is told, and gets no answer
            for _, future in waiting:
                future.set_exception(error)
            return
        for (_, future), one in zip(waiting, sealed, strict=True):
            future.set_result(one)
