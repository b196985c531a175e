"""Group commit: who comes while a commit is under way shares the next one.

Answers are made while the disk writes: only the commit itself is in a thread of its own, for SQLite
gives up the interpreter at each of its steps and then waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from flows.receipt.chain import Sealed
from flows.receipt.desk import Desk

_Waiting = tuple[Mapping[str, Any], asyncio.Future[Sealed]]


class Together:
    """Gathers what is to be written, for the event loop it is used in."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._disk: Final = ThreadPoolExecutor(1, "receipts")
        self._waiting: list[_Waiting] = []
        self._writing: asyncio.Task[None] | None = None

    def give(self, body: Mapping[str, Any]) -> asyncio.Future[Sealed]:
        """Return the receipt to come of an answer; when it is there, it is on the disk."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Sealed] = loop.create_future()
        self._waiting.append((body, future))
        if self._writing is None:
            self._writing = loop.create_task(self._write_all())
        return future

    def close(self) -> None:
        """Wait for a commit that is under way."""
        self._disk.shutdown()

    async def _write_all(self) -> None:
        try:
            while waiting := self._taken():
                await self._write(waiting)
        finally:
            self._writing = None

    def _taken(self) -> list[_Waiting]:
        """Whoever has gone meanwhile gets no receipt, and keeps nobody else from one."""
        waiting, self._waiting = self._waiting, []
        return [one for one in waiting if not one[1].cancelled()]

    async def _write(self, waiting: list[_Waiting]) -> None:
        try:
            sealed = self._desk.place([body for body, _ in waiting])
            await asyncio.get_running_loop().run_in_executor(self._disk, self._desk.commit)
        except Exception as error:  # the disk is full: whoever waits is told, and gets no answer
            for _, future in waiting:
                if not future.cancelled():
                    future.set_exception(error)
            return
        for (_, future), one in zip(waiting, sealed, strict=True):
            if not future.cancelled():
                future.set_result(one)
