"""How many examples a property is given."""

from __future__ import annotations

from hypothesis import settings

_USUAL = 100


def some(usual: int) -> int:
    """Return how many, if usually so many: under another profile (`make fuzz`) in its proportion."""
    return usual * settings().max_examples // _USUAL
