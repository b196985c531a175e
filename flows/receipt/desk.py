"""The desk: receipts written durably before their answers go out."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from connectors.receipts import Receipts, Row
from flows.receipt.chain import START, Link, Sealed, Signer, key_body, seal
from flows.receipt.keys import BadKey, ensure_key, fingerprint, make_key, public_text, read_key


class Desk:
    """Writes a window's chain. The caller holds its place (`connectors.receipts.answering`).

    For one thread at a time. Raises BadKey, and NotWritten where nothing can be written.
    """

    def __init__(self, folder: Path, window: str, *, begin: bool = True) -> None:
        self._window = window
        self._receipts = Receipts(folder)
        last = self._receipts.last()
        try:
            self._key = _key(folder, None if last is None else last[4])
        except BaseException:
            self._receipts.close()
            raise
        self._link = Link(0, START) if last is None else Link(last[0], last[2])
        self._placed = self._link
        if begin:
            self.begin()

    def begin(self) -> None:
        """Write the entry that names the window's key, if the chain has none yet. Raises NotWritten.

        A window whose chain was lost must not begin another: with `begin=False` the caller looks at
        what was shipped of it first.
        """
        if self._link.sequence == 0:
            self.write([key_body(self._key.public)])

    def write(self, bodies: Sequence[Mapping[str, Any]]) -> list[Sealed]:
        """Return the receipts of some answers, which are on the disk.

        Raises NotWritten, and then none is written: the disk may be full.
        """
        sealed = self.place(bodies)
        self.commit()
        return sealed

    def place(self, bodies: Sequence[Mapping[str, Any]]) -> list[Sealed]:
        """Return the receipts of some answers; they count once `commit` has returned."""
        link, sealed = self._link, []
        for body in bodies:
            one = seal(body, self._window, link, self._key, dt.datetime.now(dt.UTC))
            sealed.append(one)
            link = Link(one.sequence, one.hash)
        pairs = zip(bodies, sealed, strict=True)
        self._receipts.add([_row(body.get("subject"), one) for body, one in pairs])
        self._placed = link
        return sealed

    def commit(self) -> None:
        """Return when what was placed is on the disk, in one commit. Raises as `write` does."""
        self._receipts.commit()
        self._link = self._placed

    def close(self) -> None:
        """Close the file."""
        self._receipts.close()


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
        [told] = desk.write([key_body(new)])
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
