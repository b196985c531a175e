"""What schema ids meant to the messages of a log: its own transactions hold it, as they do offsets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from connectors.schema_ids import require_same

_SCHEMA: Final = "schema:"


def remembered(known: Mapping[str, int]) -> dict[int, int]:
    """Return what a log's transactions say: numbers of schemas (`schemas.meaning`) by id."""
    named = [(name, meant) for name, meant in known.items() if name.startswith(_SCHEMA)]
    return {int(name.removeprefix(_SCHEMA)): meant for name, meant in named}


def to_remember(known: Mapping[str, int], learnt: Mapping[int, int]) -> dict[str, int]:
    """Return the transactions by which a commit adds what was learnt to what is known.

    Raises SchemaChanged where another landing has learnt otherwise meanwhile.
    """
    before = remembered(known)
    for number, meant in learnt.items():
        require_same(number, meant, before)
    return {f"{_SCHEMA}{n}": meant for n, meant in learnt.items() if n not in before}
