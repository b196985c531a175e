"""Proof of a receipt: its chain is whole, and its answer follows from what was known then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import Any, Final, Literal

import orjson
import polars as pl

from connectors import lake
from connectors.errors import MiantiError
from connectors.receipts import Receipts
from connectors.settings import Settings
from flows.answer.ask import gather_known
from flows.answer.periods import listed, newest_landed
from flows.receipt import rules
from flows.receipt.anchors import NONE, Anchor, anchors_around, first_anchor
from flows.receipt.chain import Flaw, Link, Sealed, flaws, signers, window_and_sequence
from flows.receipt.entry import Question, decide_all, summary
from flows.receipt.keys import signed_by
from flows.receipt.register import not_registered, read_register
from flows.receipt.ship import last_of_evidence, shipped, shipped_table

_VERSION: Final = version("mianti")
_LONG_AGO: Final = dt.datetime(1, 1, 2, tzinfo=dt.UTC)


class NoReceipt(MiantiError):
    """No such receipt is known."""


@dataclass
class Proof:
    """What was found of one receipt; no flaw means that it holds.

    `entries`: how many entries of the chain were looked at; `anchored`: whether an anchor on the
    object storage stands at or behind it; `decided_again`: whether its answer was.
    """

    id: str
    body: dict[str, Any]
    entries: int = 0
    anchored: bool = False
    decided_again: bool = False
    flaws: list[str] = field(default_factory=list)


def find(settings: Settings, id_: str) -> Sealed:
    """Return a receipt, shipped or not yet. Raises NoReceipt."""
    parts = window_and_sequence(id_)
    if parts is not None:
        window, sequence = parts
        found = _entries(settings, window, sequence - 1, sequence)
        if found:
            return found[0]
    raise NoReceipt(
        "There is no such receipt. A receipt's id is the window's name and a number: window-1-42.",
        "没有该回执。回执编号由窗口名称和序号组成，例如 window-1-42。",
    )


def verify(settings: Settings, id_: str) -> Proof:
    """Prove one receipt: the chain from the anchor before it to the one behind it, and its answer.

    Raises NoReceipt, and what reading the lake and the evidence raises.
    """
    entry = find(settings, id_)
    proof = prove_place(settings, entry)
    if proof.body.get("kind") == "answer":
        _answer(settings, proof)
    return proof


def prove_place(settings: Settings, entry: Sealed) -> Proof:
    """Prove an entry's signature, by the registered keys, and its place in the chain alone.

    Raises what reading the lake and the evidence raises.
    """
    proof = Proof(entry.id, entry.body)
    _chain(settings, entry, proof)
    return proof


def _chain(settings: Settings, entry: Sealed, proof: Proof) -> None:
    window = entry.window
    in_table = shipped(
        shipped_table(settings), window
    )  # before the anchors, which are written first
    before, behind, newest = anchors_around(settings, window, entry.sequence)
    proof.anchored = behind is not None
    first = before or NONE
    run = _entries(settings, window, first.sequence, behind.sequence if behind else None)
    proof.entries = len(run)
    public = _public(settings, window, first.sequence)
    found = [*flaws(run, window, Link(first.sequence, first.hash), public)]
    found += _unregistered(settings, window, run, public)
    found += _unanchored(settings, window, run, behind)
    proof.flaws += [f"number {flaw.sequence}: {flaw.what}" for flaw in found]
    proof.flaws += _ends(settings, window, in_table, newest)
    proof.flaws += _differences(settings, entry)


def _unregistered(
    settings: Settings, window: str, run: list[Sealed], public: str | None
) -> Iterator[Flaw]:
    """Yield where a run is first signed with a key that was not registered for that day."""
    path = settings.mianti_window_keys
    keys = read_register(path).get(window, [])
    known: set[str] = set()
    for entry, signer in signers(run, public):
        why = not_registered(keys, signer, _at(entry), path)
        if why is not None and why not in known:
            known.add(why)
            yield Flaw(entry.sequence, why)


def _unanchored(
    settings: Settings, window: str, run: list[Sealed], behind: Anchor | None
) -> Iterator[Flaw]:
    """Yield where the chain is not the one of the anchor behind it, or that anchor's own of its."""
    if behind is None:
        return
    if not run or (run[-1].sequence, run[-1].hash) != (behind.sequence, behind.hash):
        yield Flaw(behind.sequence, "is not the one anchored on the object storage")
    if behind.before is not None:
        earlier = first_anchor(settings, window, behind.before.sequence)
        if earlier is None or earlier.hash != behind.before.hash:
            what = f"the anchor before its own, of number {behind.before.sequence}, is missing or changed"
            yield Flaw(behind.sequence, what)


def _ends(settings: Settings, window: str, in_table: int, newest: int) -> Iterator[str]:
    """Say where the end of a chain was cut off: in the table, among the evidence, at the window."""
    if in_table > newest:
        yield f"{in_table} receipts were shipped, and anchors after number {newest} are missing"
    own = _own_head(settings, window)
    if own is not None and own < max(newest, in_table):
        yield (
            f"the window's own copy ends at number {own}, though {max(newest, in_table)} receipts "
            "were shipped: receipts were deleted, or its directory was restored from a backup"
        )
    if newest > max(in_table, own or 0, last_of_evidence(settings, window)):
        yield f"receipts after number {in_table} are missing, though number {newest} was anchored"


def _at(entry: Sealed) -> dt.datetime:
    """Return when an entry says it was written; long ago where it does not say."""
    try:
        at = dt.datetime.fromisoformat(str(orjson.loads(entry.text)["at"]))
    except (ValueError, KeyError, TypeError):
        return _LONG_AGO
    return at if at.tzinfo else _LONG_AGO


def _own_head(settings: Settings, window: str) -> int | None:
    """Return how many receipts the window's own copy has; None where this is not its place."""
    here = settings.mianti_window / "receipts.db"
    if window != settings.mianti_window_name or not here.exists():
        return None
    with closing(Receipts(settings.mianti_window)) as receipts:
        last = receipts.last()
    return last[0] if last else 0


def _differences(settings: Settings, entry: Sealed) -> list[str]:
    """The window's own copy, where this is its place, must be the shipped one."""
    if entry.window != settings.mianti_window_name:
        return []
    own = _own(settings, entry.sequence - 1, entry.sequence)
    same = not own or own[0] == entry
    return [] if same else [f"number {entry.sequence}: the window's own copy says otherwise"]


def _answer(settings: Settings, proof: Proof) -> None:
    body = proof.body
    book = rules.kept(settings, str(body["rules"]))
    if book is None:
        proof.flaws.append("the rule book it was decided by is missing or was changed")
        return
    known = {family: dt.datetime.fromisoformat(at) for family, at in body["known"].items()}
    on, asked_at = (
        dt.date.fromisoformat(body["on"]),
        dt.datetime.fromisoformat(body["asked_at"]),
    )
    subject = str(body["subject"])
    facts = gather_known(settings, subject, on, asked_at, {**known}, book.codes)
    lists = newest_landed(settings, listed(book.catalogue), on, known.get("credit"))
    facts = replace(facts, cycles=book.cycles, newest=lists, rights=book.rights)
    question = Question(str(body["subject"]), body["matters"])
    proof.decided_again = True
    if as_brought(summary(decide_all(book.catalogue, question, facts))) != as_brought(
        body["answers"]
    ):
        by = f" (release {body['version']} decided it, this is {_VERSION})"
        other = by if body["version"] != _VERSION else ""
        proof.flaws.append(f"what was known then gives another answer{other}")


def as_brought(answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return answers as releases gave them to which what was stopped was to be brought.

    The reason says the same in both.
    """
    return [
        one
        | {
            "papers": [
                paper | {"outcome": "must_bring"} if paper["outcome"] == "not_accepted" else paper
                for paper in one["papers"]
            ]
        }
        for one in answers
    ]


def _public(settings: Settings, window: str, before: int) -> str | None:
    """Return the public key in use after an entry, by the chain's own entries.

    Each key must be signed for by the one before it, from the first entry on: one that is not
    counts for nothing. Whether a key is registered is looked at apart.
    """
    public: str | None = None
    for entry in _entries(settings, window, 0, before, kind="key") if before else []:
        named = str(entry.body["public_key"])
        by = public or named
        if signed_by(by, bytes.fromhex(entry.signature), entry.text.encode()):
            public = named
    return public


def _entries(
    settings: Settings,
    window: str,
    after: int,
    until: int | None,
    kind: Literal["key"] | None = None,
) -> list[Sealed]:
    """Return the entries of a chain after one, up to one, in their order: shipped, then the rest."""
    shipped = _shipped(settings, window, after, until, kind)
    last = shipped[-1].sequence if shipped else after
    if window != settings.mianti_window_name or (until is not None and last >= until):
        return shipped
    return shipped + _own(settings, last, until, keys=kind == "key")


def _shipped(
    settings: Settings, window: str, after: int, until: int | None, kind: str | None
) -> list[Sealed]:
    table = shipped_table(settings)
    if table is None:
        return []
    wanted = (pl.col("window") == window) & (pl.col("sequence") > after)
    wanted &= pl.lit(value=True) if until is None else pl.col("sequence") <= until
    wanted &= pl.lit(value=True) if kind is None else pl.col("kind") == kind
    columns = ("window", "sequence", "hash", "signature", "text")
    rows = lake.scan(table).filter(wanted).select(columns).sort("sequence").collect()
    return [Sealed(*row) for row in rows.iter_rows()]


def _own(settings: Settings, after: int, until: int | None, *, keys: bool = False) -> list[Sealed]:
    if not (settings.mianti_window / "receipts.db").exists():
        return []
    receipts = Receipts(settings.mianti_window)
    try:
        limit = -1 if until is None else max(until - after, 0)
        rows = receipts.keys(after) if keys else receipts.after(after, limit)
    finally:
        receipts.close()
    return [
        Sealed(settings.mianti_window_name, sequence, hash_, signature, text)
        for sequence, _, hash_, signature, text in rows
        if until is None or sequence <= until
    ]
