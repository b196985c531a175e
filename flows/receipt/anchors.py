"""Anchors: heads of a window's chain, written once among the evidence; each names the one before it."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Any, Final

import orjson

from connectors import store
from connectors.errors import MiantiError
from connectors.settings import Settings
from flows.receipt.chain import START, Link, Sealed

_ENDING: Final = ".json"


@dataclass(frozen=True)
class Anchor:
    """The head of a chain when the receipts up to it were shipped; its sequence counts them.

    `before`: what was shipped before it; None in an anchor of an earlier release.
    """

    sequence: int
    hash: str
    before: Link | None = None


class BadAnchor(MiantiError):
    """An anchor among the evidence cannot be read."""

    def __init__(self, place: str) -> None:
        """Take where it lies."""
        super().__init__(
            f"The anchor {place} is damaged: what was signed around it cannot be proven by it. Put "
            "the file back from the copy of the evidence; do not write it anew.",
            f"锚定文件 {place} 已损坏，无法据此证明其前后的回执。请从证据存储的备份恢复该文件，不要重新生成。",
        )


#: The anchor of a chain of which nothing was shipped.
NONE: Final = Anchor(0, START)


def write_anchor(settings: Settings, head: Sealed, before: Link) -> None:
    """Write the anchor of a head; harmless where one of the same head is there.

    Raises AlreadyThere where it is there with another hash, StoreUnreachable, OSError.
    """
    content = {
        "window": head.window,
        "sequence": head.sequence,
        "hash": head.hash,
        "before": {"sequence": before.sequence, "hash": before.hash},
    }
    try:
        store.write_once(_place(settings, head.window, head.sequence), orjson.dumps(content))
    except store.AlreadyThere:
        # A shipment that was cut short, or one of an earlier release, began elsewhere.
        there = read_anchor(settings, head.window, head.sequence)
        if there is None or there.hash != head.hash:
            raise


def read_anchor(settings: Settings, window: str, sequence: int) -> Anchor | None:
    """Return an anchor; None where it is missing. 0 is the chain's start.

    Raises BadAnchor, StoreUnreachable, OSError.
    """
    if sequence == 0:
        return NONE
    place = _place(settings, window, sequence)
    return _anchor(sequence, place, store.read(place))


def first_anchor(settings: Settings, window: str, sequence: int) -> Anchor | None:
    """Return an anchor as it was first written, for proofs: what was put over it counts for nothing.

    Otherwise as `read_anchor`.
    """
    if sequence == 0:
        return NONE
    place = _place(settings, window, sequence)
    return _anchor(sequence, place, store.read_first(place))


def _anchor(sequence: int, place: str, text: bytes | None) -> Anchor | None:
    if text is None:
        return None
    try:
        content: dict[str, Any] = orjson.loads(text)
        before = content.get("before")
        link = Link(int(before["sequence"]), str(before["hash"])) if before else None
        return Anchor(sequence, str(content["hash"]), link)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        raise BadAnchor(place) from None


def newest_after(settings: Settings, window: str, sequence: int) -> int | None:
    """Return the newest anchor's sequence behind one; None where there is none."""
    start = f"{sequence:012}{_ENDING}"
    names = store.names_after(f"{settings.mianti_evidence}/anchors/{window}", start)
    return max(_sequences(names), default=None)


def anchors_around(
    settings: Settings, window: str, sequence: int
) -> tuple[Anchor | None, Anchor | None, int]:
    """Return the anchors before a sequence and at or behind it, and the newest one's sequence.

    As they were first written; those deleted since count where the bucket keeps versions. The
    chain's start counts as an anchor; None where there is none yet. Raises BadAnchor,
    StoreUnreachable, OSError.
    """
    names = store.names_ever(f"{settings.mianti_evidence}/anchors/{window}")
    known = _sequences(names)
    at = bisect_left(known, sequence)
    before = first_anchor(settings, window, known[at - 1] if at else 0)
    behind = first_anchor(settings, window, known[at]) if at < len(known) else None
    return before, behind, known[-1] if known else 0


def _sequences(names: list[str]) -> list[int]:
    numbers = [name.removesuffix(_ENDING) for name in names if name.endswith(_ENDING)]
    return sorted(int(number) for number in numbers if number.isdecimal())


def _place(settings: Settings, window: str, sequence: int) -> str:
    return f"{settings.mianti_evidence}/anchors/{window}/{sequence:012}{_ENDING}"
