"""Shipping: a window's receipts to the table and the object storage, where the window cannot mend them.

A follower of the window's own chain. The table's transaction id is its position, so that each
receipt is in it once. Written first, never written over: the rule books, the receipts themselves
as lines of JSON, and the chain's head as an anchor.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import orjson
import polars as pl
from deltalake import DeltaTable

from connectors import lake, store
from connectors.errors import MiantiError
from connectors.receipts import Receipts, Row
from connectors.settings import Settings
from connectors.transactions import transactions
from flows.receipt import rules
from flows.receipt.anchors import newest_after, read_anchor, write_anchor
from flows.receipt.chain import START, Link, Sealed

TABLE: Final = "receipts"
COLUMNS: Final = pl.Schema(
    {
        "window": pl.String(),
        "sequence": pl.Int64(),
        "at": pl.Datetime("us", "UTC"),
        "kind": pl.String(),
        "departments": pl.List(pl.String()),
        "subject": pl.String(),
        "matters": pl.List(pl.String()),
        "hash": pl.String(),
        "signature": pl.String(),
        "text": pl.String(),
    }
)
#: Receipts in one commit at most.
_TOGETHER: Final = 5_000


class OtherChain(MiantiError):
    """A window's receipts are not the continuation of those shipped under its name."""


def ship(settings: Settings, receipts: Receipts) -> int:
    """Ship what the table lacks of this window's receipts; return how many.

    Raises lake.Lost when another process ships for this window, and what the storage raises.
    """
    table = _table(settings)
    window, done = settings.mianti_window_name, 0
    while True:
        before = _same_chain(settings, receipts, shipped(table, window))
        rows = receipts.after(before.sequence, _TOGETHER)
        if rows:
            _send(settings, table, [_sealed(window, row) for row in rows], before)
        done += len(rows)
        # What came meanwhile waits for its turn: a busy window must not cost a commit a moment.
        if len(rows) < _TOGETHER:
            _note(settings, rows[-1][0] if rows else before.sequence)
            return done


def require_continuous(settings: Settings, receipts: Receipts) -> int:
    """Return how many receipts of this window were shipped, if its own chain goes on from them.

    Raises OtherChain where it does not, and what the storage raises.
    """
    table = shipped_table(settings)
    return _same_chain(settings, receipts, shipped(table, settings.mianti_window_name)).sequence


def noted(settings: Settings) -> int:
    """Return how many receipts the window's follower has shipped, as it noted beside them."""
    path = _note_file(settings)
    text = path.read_text("utf-8").strip() if path.exists() else ""
    return int(text) if text.isdecimal() else 0


def _note(settings: Settings, sequence: int) -> None:
    """Note at the window what was shipped, so that it can tell without asking the storage."""
    if noted(settings) != sequence:
        part = _note_file(settings).with_suffix(".part")
        part.write_text(str(sequence), "utf-8")
        part.replace(_note_file(settings))


def _note_file(settings: Settings) -> Path:
    return settings.mianti_window / "shipped"


def _send(settings: Settings, table: DeltaTable, sealed: list[Sealed], before: Link) -> None:
    _require_unbroken(sealed, before)
    _evidence(settings, sealed)
    head = sealed[-1]
    _anchor(settings, head, before)
    lake.append(table, frame(sealed), {_position(head.window): head.sequence})
    table.update_incremental()


def shipped(table: DeltaTable | None, window: str) -> int:
    """Return the sequence of the last receipt of a window that the table has; 0 for none."""
    return transactions(table).get(_position(window), 0)


def shipped_table(settings: Settings) -> DeltaTable | None:
    """Return the table of receipts; None where none was ever shipped."""
    return lake.open_table(settings, "window", TABLE)


def _same_chain(settings: Settings, receipts: Receipts, head: int) -> Link:
    """Return what was shipped of the window's chain. Raises OtherChain where it does not go on from it.

    `head`: the last receipt in the table. An anchor may be newer: it is written first.
    """
    window = settings.mianti_window_name
    newest = newest_after(settings, window, head)
    for sequence in (head, *([newest] if newest else [])):
        row, anchor = receipts.at(sequence), read_anchor(settings, window, sequence)
        if sequence and (row is None or anchor is None or anchor.hash != row[2]):
            raise _other_chain(window, sequence)
    row = receipts.at(head)
    return Link(head, row[2] if row else START)


def _require_unbroken(sealed: list[Sealed], before: Link) -> None:
    """Raise OtherChain where receipts were taken out of the window's own copy, or changed in it."""
    for one in sealed:
        if one.sequence != before.sequence + 1 or one.body.get("previous") != before.hash:
            raise _other_chain(one.window, before.sequence)
        before = Link(one.sequence, one.hash)


def _other_chain(window: str, sequence: int) -> OtherChain:
    return OtherChain(
        f"The receipts of {window} do not go on from what was shipped of them (number {sequence}): "
        "receipts were deleted, the directory was restored from a backup, or another window has "
        "its name. Give this window a new name (MIANTI_WINDOW_NAME) and an empty directory "
        "(MIANTI_WINDOW); keep the old directory for inquiry.",
        f"窗口 {window} 的回执与已存证的记录（第 {sequence} 号）不衔接：可能有回执被删除、目录由备份恢复，"
        "或与其他窗口重名。请为本窗口设置新的名称（MIANTI_WINDOW_NAME）和空目录（MIANTI_WINDOW），"
        "并保留原目录备查。",
    )


def _table(settings: Settings) -> DeltaTable:
    return lake.ensure_table(settings, "window", TABLE, COLUMNS, ["window"], only_append=True)


def _position(window: str) -> str:
    return f"receipts:{window}"


def _sealed(window: str, row: Row) -> Sealed:
    sequence, _, hash_, signature, text = row
    return Sealed(window, sequence, hash_, signature, text)


def frame(sealed: list[Sealed]) -> pl.DataFrame:
    """Return receipts as rows of the table (`COLUMNS`)."""
    rows = [_columns(one) for one in sealed]
    held = pl.DataFrame(rows, schema=COLUMNS | {"at": pl.String()})
    return held.with_columns(pl.col("at").str.to_datetime(time_unit="us", time_zone="UTC"))


def _columns(one: Sealed) -> dict[str, Any]:
    body = one.body
    return {
        "window": one.window,
        "sequence": one.sequence,
        "at": body["at"],
        "kind": body["kind"],
        "departments": body.get("who", {}).get("departments"),
        "subject": body.get("subject"),
        "matters": body.get("matters"),
        "hash": one.hash,
        "signature": one.signature,
        "text": one.text,
    }


def _evidence(settings: Settings, sealed: list[Sealed]) -> None:
    """Put the receipts, and the rule books they name, among the evidence."""
    for name in sorted({one.body["rules"] for one in sealed if "rules" in one.body}):
        book = (settings.mianti_window / "rules" / f"{name}.json").read_bytes()
        store.write_once(rules.place(settings, name), book)
    lines = [orjson.dumps(_line(one)) for one in sealed]
    name = f"{sealed[0].sequence:012}-{sealed[-1].sequence:012}.jsonl"
    folder = f"{settings.mianti_evidence}/receipts/{sealed[0].window}"
    store.write_once(f"{folder}/{name}", b"\n".join(lines) + b"\n")


def last_of_evidence(settings: Settings, window: str) -> int:
    """Return the last receipt of a window among the evidence; 0 for none.

    Raises StoreUnreachable, OSError.
    """
    names = store.names_after(f"{settings.mianti_evidence}/receipts/{window}", "")
    ends = [name.removesuffix(".jsonl").rpartition("-")[2] for name in names]
    return max((int(end) for end in ends if end.isdecimal()), default=0)


def _line(one: Sealed) -> dict[str, Any]:
    return {"hash": one.hash, "signature": one.signature, "text": one.text}


def _anchor(settings: Settings, head: Sealed, before: Link) -> None:
    write_anchor(settings, head, before)
