"""The window's receipts: an unbroken, signed chain, the same everywhere it was put, and all of it.

By `docs/window.md`: a receipt's hash is the SHA-256 of its text, `previous` the hash of the one
before it, the signature Ed25519 over the text by the key that the chain has named. What
answers rest on is `resting.py`'s.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tests.oracle.delta import Row, Table
from tests.oracle.report import Report

_START = "0" * 64
_TOLD = ("outcome", "reason", "source")


@dataclass(frozen=True)
class Places:
    """Where a window's receipts are: its own directory, the shipped table, the evidence."""

    window: str
    own: Path
    shipped: Table
    evidence: Path


@dataclass(frozen=True)
class Entry:
    """One entry of a chain as it is kept."""

    sequence: int
    subject: str | None
    hash: str
    signature: str
    text: str

    @property
    def body(self) -> Row:
        """Return what it says; nothing where it is no JSON object."""
        try:
            found = json.loads(self.text)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


def examine_receipts(places: Places, answers: list[Row], report: Report) -> list[Row]:
    """Note what is wrong with a window's receipts; return what they say.

    `answers`: every answer a client was given, as it came.
    """
    with closing(sqlite3.connect(places.own / "receipts.db")) as database:
        query = "SELECT sequence, subject, hash, signature, text FROM receipts ORDER BY sequence"
        entries = [Entry(*row) for row in database.execute(query)]
    chain = {one.sequence: one for one in entries}
    report.receipts += len(entries)
    report.answers += len(answers)
    report.fault(*_chain(places.window, entries))
    report.fault(*_shipped(places, chain, report))
    report.fault(*_evidence(places, chain))
    report.fault(*_given(places.window, answers, chain))
    return [one.body for one in entries]


def _chain(window: str, entries: list[Entry]) -> Iterator[str]:
    before, link, key = 0, _START, ""
    for entry in entries:
        here = f"receipt {window}-{entry.sequence}"
        if entry.sequence != before + 1:
            yield f"receipt {window}-{before + 1} is missing"
        body = entry.body
        if body.get("previous") != link:
            yield f"{here} does not follow from the one before it"
        if _digest(entry.text.encode()) != entry.hash:
            yield f"{here}: its text is not the one its hash was made of"
        if (body.get("window"), body.get("sequence")) != (window, entry.sequence):
            yield f"{here} stands in a place that is not its own"
        if body.get("subject") != entry.subject:
            yield f"{here} is filed under another subject than it names"
        named = str(body["public_key"]) if body.get("kind") == "key" else ""
        key = key or named  # the first entry names its own
        if body.get("key") != _digest(key.encode())[:32] or not _signed(key, entry):
            yield f"{here} was not signed by the window's key"
        key = named or key
        before, link = entry.sequence, entry.hash


def _signed(key: str, entry: Entry) -> bool:
    try:
        public = load_pem_public_key(key.encode())
        assert isinstance(public, Ed25519PublicKey)
        public.verify(bytes.fromhex(entry.signature), entry.text.encode())
    except (ValueError, InvalidSignature):
        return False
    return True


def _shipped(places: Places, chain: dict[int, Entry], report: Report) -> Iterator[str]:
    table, window = places.shipped, places.window
    rows = [row for row in table.rows() if row["window"] == window] if table.exists else []
    last = table.newest.ids.get(f"receipts:{window}", 0) if table.exists else 0
    report.shipped += len(rows)
    found: dict[int, Row] = {}
    for row in rows:
        here = f"shipped receipt {window}-{row['sequence']}"
        if row["sequence"] in found:
            yield f"{here} is there twice"
        found[row["sequence"]] = row
        own = chain.get(row["sequence"])
        if own is None or own.sequence > last:
            yield f"{here} is not in the window's own chain, or beyond what was shipped"
            continue
        if (row["hash"], row["signature"], row["text"]) != (own.hash, own.signature, own.text):
            yield f"{here} is not the window's own"
        body = own.body
        wanted = {"subject": own.subject, "kind": body.get("kind"), "matters": body.get("matters")}
        wanted["departments"] = body.get("who", {}).get("departments")
        wanted["at"] = dt.datetime.fromisoformat(body.get("at", "0001-01-01T00:00:00+00:00"))
        yield from (f"{here} has another {n}" for n, value in wanted.items() if row[n] != value)
    for sequence in range(1, last + 1):
        if sequence not in found:
            yield f"shipped receipt {window}-{sequence} is missing"


def _evidence(places: Places, chain: dict[int, Entry]) -> Iterator[str]:
    """What was put out of the window's reach says the same: receipts, anchors, rule books."""
    window, folder = places.window, places.evidence
    shipped = places.shipped.newest.ids.get(f"receipts:{window}", 0) if places.shipped.exists else 0
    kept: set[int] = set()
    bare: list[range] = []
    sealed: list[range] = []
    for path in sorted((folder / "receipts" / window).glob("*.jsonl")):
        first, last = map(int, path.stem.split("-"))
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        numbers = range(first, last + 1)
        own = [chain[number] for number in numbers if number in chain]
        said = [{"hash": one.hash, "signature": one.signature, "text": one.text} for one in own]
        for number, wanted, line in zip(numbers, said, lines, strict=False):
            if wanted != line:
                yield f"evidence: receipt {window}-{number} is not the window's own"
        if len(lines) != len(numbers) or len(said) != len(numbers):
            yield f"evidence: {path.name} has not the receipts {window}-{first} to {last}"
        kept |= {*numbers}
        anchor = folder / "anchors" / window / f"{last:012}.json"
        (sealed if anchor.exists() else bare).append(numbers)
    # One that was cut short has its receipts, and no anchor: they are put there once more.
    yield from (
        f"evidence: receipt {window}-{one[-1]} has no anchor"
        for one in bare
        if one[-1] <= shipped and not any(one[0] in other and one[-1] in other for other in sealed)
    )
    yield from (
        f"evidence: receipt {window}-{n} is missing" for n in range(1, shipped + 1) if n not in kept
    )
    for path in sorted((folder / "anchors" / window).glob("*.json")):
        number = int(path.stem)
        own_hash = chain[number].hash if number in chain else None
        told = json.loads(path.read_text("utf-8"))
        before = told.pop("before", None)  # earlier releases did not name the anchor before
        if told != {"window": window, "sequence": number, "hash": own_hash}:
            yield f"evidence: the anchor of receipt {window}-{number} is not of the window's chain"
        if before is not None and not _heads(folder / "anchors" / window, before, chain):
            yield f"evidence: the anchor of receipt {window}-{number} names another before it"
    for entry in chain.values():
        book = entry.body.get("rules")
        root = folder if entry.sequence <= shipped else places.own
        path = root / "rules" / f"{book}.json"
        if book is not None and not (path.exists() and _digest(path.read_bytes()) == book):
            yield f"evidence: the rule book of receipt {window}-{entry.sequence} is not kept"


def _heads(folder: Path, before: Row, chain: dict[int, Entry]) -> bool:
    """Return whether what an anchor names before it is the chain's start, or an anchored head."""
    number = before["sequence"]
    if number == 0:
        return bool(before["hash"] == _START)
    known = number in chain and chain[number].hash == before["hash"]
    return known and (folder / f"{number:012}.json").exists()


def _given(window: str, answers: list[Row], chain: dict[int, Entry]) -> Iterator[str]:
    given: set[int] = set()
    for answer in answers:
        id_ = answer["receipt"]["id"]
        of, _, number = id_.rpartition("-")
        entry = chain.get(int(number)) if of == window else None
        if entry is None:
            yield f"answer {id_} was given, and has no receipt"
            continue
        if entry.sequence in given:
            yield f"answer {id_} was given under a receipt of another"
        given.add(entry.sequence)
        body = entry.body
        head = {"id": id_, "at": body.get("at"), "hash": entry.hash}
        if answer["receipt"] != head:
            yield f"answer {id_} was given with another receipt than is kept"
        said = (
            answer["subject"],
            answer["on"],
            answer["known_at"],
            answer.get("landed_through"),
            _papers(answer, "complete_through"),
        )
        kept = (
            *(body.get(name) for name in ("subject", "on", "asked_at", "landed_through")),
            _papers(body, "through"),
        )
        if said != kept:
            yield f"answer {id_} is not what its receipt says"
    for entry in chain.values():
        if entry.body.get("kind") == "answer" and entry.sequence not in given:
            yield f"receipt {window}-{entry.sequence} is of an answer that nobody was given"


def _papers(body: Row, through: str) -> list[Any]:
    return [
        (one["matter"], paper["material"], paper[through], *(paper[name] for name in _TOLD))
        for one in body.get("answers", [])
        for paper in one["papers"]
    ]


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()
