"""From a department's file to delivered events: recognise, map, check, plan, send, report."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flows.publish.outcome import Outcome
    from flows.publish.publisher import Publisher

__all__ = ["Outcome", "Publisher"]


def __getattr__(name: str) -> Any:
    """Import the two on their first use: who takes a smaller part needs no Kafka and no Excel."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{name.lower()}"), name)
