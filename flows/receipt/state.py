"""How a window's receipts stand: written, shipped, its key registered, and what is wrong."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from dataclasses import dataclass, field

from connectors.receipts import Receipts
from connectors.settings import Settings
from flows.receipt.continuity import late_words, waiting_seconds
from flows.receipt.keys import fingerprint
from flows.receipt.register import current_public, not_registered, read_register
from flows.receipt.ship import OtherChain, noted, require_continuous


@dataclass
class ReceiptState:
    """What a window has written and shipped (receipts); `problems`: in English and in Chinese."""

    written: int
    shipped: int
    problems: list[tuple[str, str]] = field(default_factory=list)


def state_of_receipts(settings: Settings) -> ReceiptState:
    """Return how this window's receipts stand. Raises what reading the lake and the register raises."""
    with closing(Receipts(settings.mianti_window)) as receipts:
        last = receipts.last()
        state = ReceiptState(last[0] if last else 0, noted(settings))
        try:
            state.shipped = require_continuous(settings, receipts)
        except OtherChain as error:
            state.problems.append((error.message_en, error.message_zh))
        else:
            waiting = waiting_seconds(receipts, state.shipped, dt.datetime.now(dt.UTC))
            late = late_words(waiting)
            state.problems += [late] if late else []
    state.problems += unregistered(settings)
    return state


def unregistered(settings: Settings) -> list[tuple[str, str]]:
    """Return what to tell where the key of a window is not registered; nothing before its first key."""
    public = current_public(settings)
    path = settings.mianti_window_keys
    keys = read_register(path).get(settings.mianti_window_name, [])
    now = dt.datetime.now(dt.UTC)
    if public is None or not_registered(keys, public, now, path) is None:
        return []
    name = fingerprint(public)
    return [
        (
            f"The window's key {name} is not in the register {path}: its receipts cannot be "
            "verified. Compare the fingerprint with the window's keeper, then run `mianti window "
            "register`.",
            f"窗口密钥 {name} 未在登记表 {path} 中登记，其回执无法验证。请与窗口管理者核对指纹后执行 "
            "`mianti window register`。",
        )
    ]
