"""What a schema is, whoever wrote it down: a number that is the same for the same schema. Pure.

Avro's own canonical form leaves out what a day or an amount is (`logicalType`, `scale`), which two
schemas must share to say the same; so ours keeps it, and leaves out words and spelling alone.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

import fastavro

from schemas.avro import FAMILIES, event_schema, versions
from schemas.compatible import fingerprint

#: The number of what is no Avro schema.
NO_SCHEMA: Final = 0


def number_of(text: str) -> int:
    """Return 63 bits of the SHA-256 of a schema, or `NO_SCHEMA`; they fit a table's transactions."""
    try:
        parsed = fastavro.parse_schema(json.loads(text))
        bare = _bare(parsed)
        return int(fingerprint(bare if isinstance(bare, dict) else {"type": bare})[:16], 16) >> 1
    except Exception:  # fastavro raises whatever its parts do; a stranger may have written it
        return NO_SCHEMA


@cache
def number_of_version(family: str, version: int) -> int:
    """Return the number of an event schema of this release. Raises UnknownSchemaError."""
    return number_of(json.dumps(event_schema(family, version)))


def version_of(number: int) -> tuple[str, int] | None:
    """Return the family and version whose event schema has this number; None where none has."""
    return _held().get(number)


@cache
def _held() -> dict[int, tuple[str, int]]:
    every = [(family, version) for family in FAMILIES for version in versions("events", family)]
    return {number_of_version(*one): one for one in every}


def _bare(node: Any) -> Any:
    """Leave out fastavro's own marks; it has put every name in full already."""
    if isinstance(node, list):
        return [_bare(part) for part in node]
    if isinstance(node, dict):
        return {name: _bare(part) for name, part in node.items() if not name.startswith("__")}
    return node
