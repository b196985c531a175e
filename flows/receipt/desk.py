"""The desk: receipts written durably before their answers go out, those that wait together at once."""

from __future__ import annotations

import datetime as dt
import os
import queue
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import orjson

from connectors.receipts import Receipts, Row
from flows.receipt.chain import START, Link, Sealed, Signer, key_body, seal
from flows.receipt.keys import BadKey, ensure_key, fingerprint, make_key, public_text, read_key

#: Receipts in one commit at most.
_TOGETHER: Final = 512
Waiting = tuple[Mapping[str, Any], Future[Sealed]]


class Desk:
    """Writes a window's chain. The caller holds its place (`connectors.receipts.answering`).

    Raises BadKey.
    """

    def __init__(self, folder: Path, window: str) -> None:
        self._window = window
        self._receipts = Receipts(folder)
        last = self._receipts.last()
        try:
            self._key = _key(folder, None if last is None else last[4])
        except BaseException:
            self._receipts.close()
            raise
        self._waiting: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._link = Link(0, START) if last is None else Link(last[0], last[2])
        if last is None:
            self._write([key_body(self._key.public)])
        self._writer = threading.Thread(target=self._run, name="receipts", daemon=True)
        self._writer.start()

    def give(self, body: Mapping[str, Any]) -> Future[Sealed]:
        """Return the receipt to come of an answer; when it is there, it is on the disk."""
        future: Future[Sealed] = Future()
        self._waiting.put((body, future))
        return future

    def close(self) -> None:
        """Write what waits, and close the file."""
        self._waiting.put(None)
        self._writer.join()
        self._receipts.close()

    def _run(self) -> None:
        while (first := self._waiting.get()) is not None:
            together, more = [first], True
            while more and len(together) < _TOGETHER:
                try:
                    one = self._waiting.get_nowait()
                except queue.Empty:
                    break
                if one is None:
                    self._waiting.put(None)
                    more = False
                else:
                    together.append(one)
            # Whoever has gone meanwhile gets no receipt, and keeps nobody else from one.
            self._answer([one for one in together if one[1].set_running_or_notify_cancel()])

    def _answer(self, together: list[Waiting]) -> None:
        if not together:
            return
        try:
            sealed = self._write([body for body, _ in together])
        except Exception as error:  # the disk is full: whoever waits is told, and gets no answer
            for _, future in together:
                future.set_exception(error)
            return
        for (_, future), one in zip(together, sealed, strict=True):
            future.set_result(one)

    def _write(self, bodies: list[Mapping[str, Any]]) -> list[Sealed]:
        link, sealed = self._link, []
        for body in bodies:
            one = seal(body, self._window, link, self._key, dt.datetime.now(dt.UTC))
            sealed.append(one)
            link = Link(one.sequence, one.hash)
        pairs = zip(bodies, sealed, strict=True)
        self._receipts.add([_row(body.get("subject"), one) for body, one in pairs])
        self._link = link
        return sealed


def key_file(folder: Path) -> Path:
    """Return where a window's key lies."""
    return folder / "key.pem"


def change_key(folder: Path, window: str) -> str:
    """Give a window a new key; return its fingerprint. The old one signs that it follows.

    The old key stays beside it under its fingerprint. The caller holds the window's place.
    """
    desk = Desk(folder, window)  # which finishes a change that was cut short
    try:
        new_file(folder).unlink(missing_ok=True)
        new = public_text(make_key(new_file(folder)))
        told = desk.give(key_body(new)).result()
    finally:
        desk.close()
    _finish_change(folder, told.text)
    return fingerprint(new)


def new_file(folder: Path) -> Path:
    """Return where a new key lies until the chain has named it."""
    return folder / "key.pem.new"


def _key(folder: Path, last: str | None) -> Signer:
    """Return the key of a window; it must be the one that its chain has named. Raises BadKey."""
    if last is None:
        return Signer(ensure_key(key_file(folder)))
    _finish_change(folder, last)
    body = orjson.loads(last)
    named = fingerprint(body["public_key"]) if body["kind"] == "key" else body["key"]
    try:
        found = Signer(read_key(key_file(folder)))
    except FileNotFoundError:
        found = None
    if found is None or found.name != named:
        raise BadKey(
            f"{key_file(folder)} is not the key that this window's receipts are signed with "
            f"({named}): put it back, or give the window a new name and an empty directory "
            "(MIANTI_WINDOW_NAME, MIANTI_WINDOW).",
            f"{key_file(folder)} 不是本窗口回执所用的签名密钥（{named}）：请恢复该密钥，或为窗口设置新的名称和空目录"
            "（MIANTI_WINDOW_NAME、MIANTI_WINDOW）。",
        )
    return found


def _finish_change(folder: Path, last: str) -> None:
    """Put a new key in its place once the chain's last entry has named it; a crash may lie between."""
    named = orjson.loads(last).get("public_key")
    try:
        new = public_text(read_key(new_file(folder)))
    except FileNotFoundError:
        return
    if named == new:
        old = fingerprint(public_text(read_key(key_file(folder))))
        with suppress(FileExistsError):
            os.link(key_file(folder), folder / f"key-{old}.pem")
        new_file(folder).replace(key_file(folder))


def _row(subject: str | None, sealed: Sealed) -> Row:
    return sealed.sequence, subject, sealed.hash, sealed.signature, sealed.text
