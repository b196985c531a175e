"""Shipping: a window's receipts to the table and the object storage, where the window cannot mend them.

A follower of the window's own chain. The table's transaction id is its position, so that each
receipt is in it once. Written first, never written over: the rule books, the receipts themselves
as lines of JSON, and the chain's head as an anchor.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
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
from flows.receipt.chain import START, Sealed

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
_ANCHOR: Final = re.compile(r"(\d{12})\.json")


class OtherChain(MiantiError):
    """A window's receipts are not the continuation of those shipped under its name."""


class BadAnchor(MiantiError):
    """An anchor among the evidence cannot be read."""

    def __init__(self, place: str) -> None:
        """Take where it lies."""
        super().__init__(
            f"The anchor {place} is damaged: what was signed around it cannot be proven by it. Put "
            "the file back from the copy of the evidence; do not write it anew.",
            f"锚定文件 {place} 已损坏，无法据此证明其前后的回执。请从证据存储的备份恢复该文件，不要重新生成。",
        )


@dataclass(frozen=True)
class Anchor:
    """The head of a chain as it was when receipts up to it were shipped."""

    sequence: int
    hash: str


def ship(settings: Settings, receipts: Receipts) -> int:
    """Ship what the table lacks of this window's receipts; return how many.

    Raises lake.Lost when another process ships for this window, and what the storage raises.
    """
    table = _table(settings)
    window, done = settings.mianti_window_name, 0
    while True:
        before = shipped(table, window)
        _same_chain(settings, receipts, before)
        rows = receipts.after(before, _TOGETHER)
        if rows:
            _send(settings, table, [_sealed(window, row) for row in rows])
        done += len(rows)
        # What came meanwhile waits for its turn: a busy window must not cost a commit a moment.
        if len(rows) < _TOGETHER:
            return done


def _send(settings: Settings, table: DeltaTable, sealed: list[Sealed]) -> None:
    _evidence(settings, sealed)
    head = sealed[-1]
    _anchor(settings, head)
    lake.append(table, _frame(sealed), {_position(head.window): head.sequence})
    table.update_incremental()


def shipped(table: DeltaTable | None, window: str) -> int:
    """Return the sequence of the last receipt of a window that the table has; 0 for none."""
    return transactions(table).get(_position(window), 0)


def shipped_table(settings: Settings) -> DeltaTable | None:
    """Return the table of receipts; None where none was ever shipped."""
    return lake.open_table(settings, "window", TABLE)


def anchors_around(settings: Settings, window: str, sequence: int) -> tuple[Anchor, Anchor | None]:
    """Return the anchors before a sequence and at or behind it; the chain's start is one, too.

    Raises StoreUnreachable, OSError, BadAnchor. What has another name is no anchor.
    """
    names = store.files(f"{settings.mianti_evidence}/anchors/{window}")
    known = sorted(int(found[1]) for name in names if (found := _ANCHOR.fullmatch(name)))
    at = bisect_left(known, sequence)
    before = _read_anchor(settings, window, known[at - 1]) if at else Anchor(0, START)
    return before, _read_anchor(settings, window, known[at]) if at < len(known) else None


def _read_anchor(settings: Settings, window: str, sequence: int) -> Anchor:
    place = _anchor_place(settings, window, sequence)
    try:
        return Anchor(sequence, str(orjson.loads(store.read(place) or b"")["hash"]))
    except (ValueError, KeyError, TypeError):
        raise BadAnchor(place) from None


def _same_chain(settings: Settings, receipts: Receipts, head: int) -> None:
    """Raise OtherChain unless the window's chain goes on from what was shipped of it."""
    text = store.read(_anchor_place(settings, settings.mianti_window_name, head)) if head else None
    row = receipts.at(head)
    if head and (row is None or text is None or orjson.loads(text)["hash"] != row[2]):
        raise OtherChain(
            f"The receipts of {settings.mianti_window_name} do not go on from what was shipped of "
            f"them (number {head}): another window has its name, or its directory was put back "
            "from a backup. Give this window a new name (MIANTI_WINDOW_NAME) and directory.",
            f"窗口 {settings.mianti_window_name} 的回执与已存证的记录（第 {head} 号）不衔接：可能与其他窗口重名，"
            "或其目录由备份恢复。请为本窗口设置新的名称（MIANTI_WINDOW_NAME）和目录。",
        )


def _table(settings: Settings) -> DeltaTable:
    return lake.ensure_table(settings, "window", TABLE, COLUMNS, ["window"], only_append=True)


def _position(window: str) -> str:
    return f"receipts:{window}"


def _sealed(window: str, row: Row) -> Sealed:
    sequence, _, hash_, signature, text = row
    return Sealed(window, sequence, hash_, signature, text)


def _frame(sealed: list[Sealed]) -> pl.DataFrame:
    rows = [_columns(one) for one in sealed]
    frame = pl.DataFrame(rows, schema=COLUMNS | {"at": pl.String()})
    return frame.with_columns(pl.col("at").str.to_datetime(time_unit="us", time_zone="UTC"))


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


def _line(one: Sealed) -> dict[str, Any]:
    return {"hash": one.hash, "signature": one.signature, "text": one.text}


def _anchor(settings: Settings, head: Sealed) -> None:
    said = {"window": head.window, "sequence": head.sequence, "hash": head.hash}
    store.write_once(_anchor_place(settings, head.window, head.sequence), orjson.dumps(said))


def _anchor_place(settings: Settings, window: str, sequence: int) -> str:
    return f"{settings.mianti_evidence}/anchors/{window}/{sequence:012}.json"
