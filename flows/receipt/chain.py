"""The chain: each receipt holds the hash of the one before it, and the window's signature. Pure.

A receipt's text is JSON with sorted keys; its hash is the SHA-256 of that text, its signature
Ed25519 over it (RFC 8032). The first entry of a chain names the window's public key; a later one
may name a new key and is signed with the old one.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from flows.receipt.keys import fingerprint, public_text, signed_by

#: What the first entry of a chain has before it.
START: Final = "0" * 64
#: A sequence fits SQLite's and Delta's integers.
_DIGITS: Final = 18


@dataclass(frozen=True)
class Sealed:
    """One entry of a chain as it is kept; `text` is what was signed, byte for byte."""

    window: str
    sequence: int
    hash: str
    signature: str
    text: str

    @property
    def id(self) -> str:
        """Return the receipt's id."""
        return receipt_id(self.window, self.sequence)

    @property
    def body(self) -> dict[str, Any]:
        """Return the entry's own words."""
        found: dict[str, Any] = orjson.loads(self.text)
        return found


@dataclass(frozen=True)
class Link:
    """What the next entry needs to know: the last one's sequence and hash."""

    sequence: int
    hash: str


@dataclass(frozen=True)
class Flaw:
    """One thing wrong with a chain, at an entry's sequence."""

    sequence: int
    what: str


class Signer:
    """A window's key, and the fingerprint it is known by."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self.public = public_text(key)
        self.name = fingerprint(self.public)
        self.sign = key.sign


def receipt_id(window: str, sequence: int) -> str:
    """Return a receipt's id: the window's name and the number in its chain."""
    return f"{window}-{sequence}"


def window_and_sequence(id_: str) -> tuple[str, int] | None:
    """Return the parts of a receipt's id; None where it is none."""
    window, _, number = id_.rpartition("-")
    fits = window and number.isdecimal() and number.isascii() and len(number) <= _DIGITS
    return (window, int(number)) if fits else None


def seal(
    body: Mapping[str, Any], window: str, before: Link, key: Signer, at: dt.datetime
) -> Sealed:
    """Return the next entry of a chain: `body` in its place, with its time (UTC), signed."""
    sequence = before.sequence + 1
    placed = {
        **body,
        "window": window,
        "sequence": sequence,
        "previous": before.hash,
        "at": at.isoformat(),
        "key": key.name,
    }
    text = orjson.dumps(placed, option=orjson.OPT_SORT_KEYS)
    signature = key.sign(text).hex()
    return Sealed(window, sequence, digest(text), signature, text.decode())


def digest(text: bytes) -> str:
    """Return the SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text).hexdigest()


def key_body(public: str) -> dict[str, Any]:
    """Return the entry by which a window names the key of the entries after it.

    From then on its former key signs nothing.
    """
    return {"kind": "key", "public_key": public}


def flaws(
    entries: Iterable[Sealed], window: str, before: Link, public: str | None
) -> Iterator[Flaw]:
    """Find gaps, changes and false signatures in a run of entries, in the order of their sequence.

    `before`: the entry the run begins after; `public`: the window's public key (PEM) at that
    place, None at the start of the chain, whose first entry names its own.
    """
    for entry in entries:
        body = _body(entry)
        names_key = body.get("kind") == "key"
        if public is None and names_key:
            public = str(body.get("public_key"))
        if entry.sequence != before.sequence + 1:
            yield Flaw(entry.sequence, f"entries after {before.sequence} are missing")
        elif body.get("previous") != before.hash:
            yield Flaw(entry.sequence, "does not follow from the entry before it")
        if digest(entry.text.encode()) != entry.hash:
            yield Flaw(entry.sequence, "its text is not the one its hash was made of")
        if body.get("window") != window or body.get("sequence") != entry.sequence:
            yield Flaw(entry.sequence, "stands in a place that is not its own")
        if not signed_by(public or "", _bytes(entry.signature), entry.text.encode()):
            yield Flaw(entry.sequence, "was not signed by the window's key")
        elif names_key:
            public = str(body.get("public_key"))
        before = Link(entry.sequence, entry.hash)


def signers(entries: Iterable[Sealed], public: str | None) -> Iterator[tuple[Sealed, str]]:
    """Yield each entry of a run with the public key (PEM) that must have signed it.

    `public`: as for `flaws`.
    """
    for entry in entries:
        body = _body(entry)
        named = str(body.get("public_key")) if body.get("kind") == "key" else None
        yield entry, public or named or ""
        public = named or public


def _body(entry: Sealed) -> dict[str, Any]:
    try:
        found = orjson.loads(entry.text)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _bytes(signature: str) -> bytes:
    try:
        return bytes.fromhex(signature)
    except ValueError:
        return b""
