"""The QR code on a receipt: the address of the page that verifies it. Pure but for its drawing."""

from __future__ import annotations

import hmac
from itertools import groupby
from typing import Any, Final

import segno

from flows.receipt.chain import Sealed

#: Characters of a receipt's signature in its address: 128 bits, which nobody without the paper guesses.
#: Its hash would not do: the receipt after it, another's, names that.
_MARK: Final = 32
#: Modules of quiet around the code (ISO/IEC 18004, 5.3.8).
_QUIET: Final = 4


def address(window: str, receipt: Sealed) -> str:
    """Return where a receipt is verified; `window`: the address of the window, ending in a slash."""
    return f"{window}verify/{receipt.id}/{receipt.signature[:_MARK]}"


def is_mark(receipt: Sealed, mark: str) -> bool:
    """Return whether an address brings the mark of a receipt: only who holds the paper has it."""
    return hmac.compare_digest(receipt.signature[:_MARK].encode(), mark.encode())


def drawn(text: str) -> dict[str, Any]:
    """Return a text's QR code: `size` of its square in modules, and an SVG `path` of the dark ones.

    Error correction M: a seventh of it may be dirty.
    """
    made = segno.make(text, error="m", micro=False)
    size = made.symbol_size(border=_QUIET)[0]
    parts = []
    for y, row in enumerate(made.matrix_iter(border=_QUIET)):
        x = 0
        for dark, cells in groupby(row):
            width = len([*cells])
            if dark:
                parts.append(f"M{x} {y}h{width}v1h-{width}z")
            x += width
    return {"text": text, "size": size, "path": "".join(parts)}
