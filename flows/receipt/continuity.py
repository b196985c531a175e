"""Whether a window may answer: its own chain must go on from what was shipped of it."""

from __future__ import annotations

import datetime as dt
import threading
from contextlib import closing
from typing import Final

from connectors.errors import MiantiError
from connectors.receipts import Receipts
from connectors.settings import Settings
from flows.receipt.anchors import BadAnchor
from flows.receipt.ship import OtherChain, noted, require_continuous

#: How long a window waits at its start for the first comparison.
_FIRST_SECONDS: Final = 10.0
_AGAIN_SECONDS: Final = 5.0
#: A receipt that waits longer than this for its shipment is told: the follower ships each 10 s.
UNSHIPPED_SECONDS: Final = 300.0


class NotCompared(MiantiError):
    """A window's receipts could not be compared with those shipped of them yet."""


class Continuity:
    """Compares a window's chain with what was shipped of it, once, in a thread of its own.

    Until that is done, and for good where the chain was cut, `require` raises.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._problem: MiantiError | None = _not_compared("no answer yet")
        self._shipped = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._compare, name="continuity", daemon=True)
        self._thread.start()
        self._thread.join(_FIRST_SECONDS)

    @property
    def agreed(self) -> bool:
        """Return whether the chain was found to go on from what was shipped of it."""
        return self._problem is None

    def require(self) -> None:
        """Return if the window may answer. Raises OtherChain, BadAnchor, NotCompared."""
        if self._problem is not None:
            raise self._problem

    def unshipped_seconds(self, receipts: Receipts, now: dt.datetime) -> float:
        """Return for how long the oldest receipt that was not shipped has waited; 0 for none."""
        return waiting_seconds(receipts, max(self._shipped, noted(self._settings)), now)

    def close(self) -> None:
        """Stop comparing."""
        self._stop.set()

    def _compare(self) -> None:
        while not self._stop.is_set():
            try:
                with closing(Receipts(self._settings.mianti_window)) as receipts:
                    self._shipped = require_continuous(self._settings, receipts)
            except OtherChain as error:
                self._problem = error
                return
            except BadAnchor as error:
                self._problem = error
                self._stop.wait(_AGAIN_SECONDS)
            except Exception as error:  # the storage is away; its text may name what it should not
                self._problem = _not_compared(type(error).__name__)
                self._stop.wait(_AGAIN_SECONDS)
            else:
                self._problem = None
                return


def waiting_seconds(receipts: Receipts, shipped: int, now: dt.datetime) -> float:
    """Return for how long the first receipt after those shipped has waited; 0 for none."""
    entries = receipts.after(shipped, 1)
    if not entries:
        return 0.0
    return max(0.0, (now - Receipts.written_at(entries[0])).total_seconds())


def late_words(seconds: float) -> tuple[str, str] | None:
    """Return what to tell of receipts that were not shipped for too long, in both languages."""
    if seconds <= UNSHIPPED_SECONDS:
        return None
    return (
        f"No receipts were shipped for {seconds:.0f} s: receipts of that time can still be lost. "
        "Check that `mianti window follow` runs and can write MIANTI_LAKE and MIANTI_EVIDENCE.",
        f"已有 {seconds:.0f} 秒未上传回执，其间的回执仍可能丢失。请检查 `mianti window follow` 是否运行，"
        "以及能否写入 MIANTI_LAKE 和 MIANTI_EVIDENCE。",
    )


def _not_compared(kind: str) -> NotCompared:
    return NotCompared(
        "The window's receipts could not be compared with those shipped of them yet "
        f"({kind}): check MIANTI_LAKE and MIANTI_EVIDENCE. The window tries again by itself and "
        "answers once they agree.",
        f"窗口回执尚未与已存证的回执核对（{kind}）：请检查 MIANTI_LAKE 和 MIANTI_EVIDENCE。"
        "窗口会自动重试，核对一致后开始应答。",
    )
