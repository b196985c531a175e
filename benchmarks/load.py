"""Questions at a steady rate from a process of its own: `python -m benchmarks.load URL TOKEN RATE SECONDS N`.

Open: a question is due at its time whether the ones before it were answered or not, and its
latency counts from then. `N` enterprises, in an order that jumps about. Prints JSON.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from urllib.parse import urlsplit

from benchmarks.answering import MATTER
from benchmarks.events import subjects

_CONNECTIONS = 16


class Load:
    """The connections, and what came of each question."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 0
        self._head = (
            f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        )
        self._free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = (
            asyncio.Queue()
        )
        self.seconds: list[float] = []
        self.errors = 0

    async def run(self, codes: list[str], rate: float, seconds: float) -> None:
        """Ask at a rate for some seconds."""
        for _ in range(_CONNECTIONS):
            await self._free.put(await asyncio.open_connection(self._host, self._port))
        started, asked = time.perf_counter(), []
        for number in range(int(rate * seconds)):
            due = started + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            code = codes[(number * 7_919_417) % len(codes)]
            asked.append(asyncio.create_task(self._ask(code, due)))
        await asyncio.gather(*asked)

    async def _ask(self, code: str, due: float) -> None:
        reader, writer = await self._free.get()
        body = json.dumps({"subject": code, "matter": MATTER})
        writer.write(f"{self._head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(head.lower().partition("content-length: ")[2].split("\r\n")[0])
        await reader.readexactly(length)
        self.seconds.append(time.perf_counter() - due)
        self.errors += not head.startswith("HTTP/1.1 200")
        await self._free.put((reader, writer))


def main(url: str, token: str, rate: float, seconds: float, enterprises: int) -> None:
    """Ask, and print how long it took."""
    load = Load(url, token)
    gc.disable()  # a pause of this process would count as one of the window's
    asyncio.run(load.run(subjects(enterprises), rate, seconds))
    found = sorted(load.seconds)
    told = {
        "asked": len(found),
        "errors": load.errors,
        **{f"p{share}": found[int(len(found) * share / 100)] * 1000 for share in (50, 95, 99)},
        "longest": found[-1] * 1000,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]))
