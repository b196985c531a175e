"""Who is who: the checks of codes, an event's id from its content, and the bucket of a subject.

Row by row, from the standards' text and from what `schemas/canonical.py` promises of the id.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from functools import cache
from typing import Any

from tests.oracle.contract import facets
from tests.oracle.layout import check_character

#: What of an event's envelope is content, beside its facets; the rest says who sent it and how.
CONTENT = (
    *("event_type", "subject", "issuer_name", "effective_from", "effective_to"),
    *("void_ab_initio", "occurred_at"),
)
_BETWEEN = "\x1f\x1e\x1d\x1c"
_ALLOWED = "[0-9A-HJ-NP-RTUWXY]"
_KINDS = f"(1[1239]|3[1-59]|5[1239]|9[123]|N[1239]|Y1|[24678A]{_ALLOWED})"
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_32 = 0xFFFFFFFF


def code_fault(code: str) -> str | None:
    """Return what is wrong with a unified social credit code (GB 32100-2015); None: nothing."""
    if not code:
        return "code_missing"
    if code == "0" * 17 + "X":
        return "code_placeholder"
    if len(code) != 18:
        return "code_length"
    if not re.fullmatch(f"{_ALLOWED}*", code):
        return "code_alphabet"
    if not re.fullmatch(f"{_KINDS}[0-9]{{6}}{_ALLOWED}{{10}}", code):
        return "code_structure"
    return None if check_character(code[:17]) == code[17] else "code_check_digit"


def content_digest(family: str, event: dict[str, Any]) -> str:
    """Return the SHA-256 of an event's content in its canonical writing."""
    said = {name: event[name] for name in (*CONTENT, *facets(family))}
    return _sha256(_pairs(said, 0))


def event_id(family: str, event: dict[str, Any]) -> str:
    """Return the id that follows from an event's content."""
    parts = [event["issuer"], family, event["record_key"], event["facet"]]
    parts += [str(event["sequence"]), content_digest(family, event)]
    if event.get("overrules"):
        parts.append(_text(event["overrules"], 1) or "")
    return _sha256(_BETWEEN[0].join(parts))[:32]


@cache
def bucket(subject: str) -> int:
    """Return the bucket of a subject: Kafka's murmur2 of its characters, modulo 64."""
    return (murmur2(subject.encode()) & 0x7FFFFFFF) % 64


def murmur2(data: bytes) -> int:
    """Return the hash by which Kafka's clients choose a partition."""
    state = 0x9747B28C ^ len(data)
    whole = len(data) - len(data) % 4
    for at in range(0, whole, 4):
        word = int.from_bytes(data[at : at + 4], "little") * 0x5BD1E995 & _32
        state = (state * 0x5BD1E995 & _32) ^ ((word ^ word >> 24) * 0x5BD1E995 & _32)
    if whole < len(data):
        state = (state ^ int.from_bytes(data[whole:], "little")) * 0x5BD1E995 & _32
    state = (state ^ state >> 13) * 0x5BD1E995 & _32
    return state ^ state >> 15


def _pairs(said: dict[str, Any], depth: int) -> str:
    texts = ((name, _text(value, depth + 1)) for name, value in said.items())
    return _BETWEEN[depth].join(f"{name}={text}" for name, text in texts if text is not None)


def _text(value: Any, depth: int) -> str | None:
    if value is None or value == []:
        return None
    if isinstance(value, dict):
        return _pairs(value, depth)
    if isinstance(value, list):
        return _BETWEEN[depth].join(_text(item, depth + 1) or "" for item in value)
    if isinstance(value, dt.datetime):
        return str((value - _EPOCH) // dt.timedelta(microseconds=1))
    return str(value)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
