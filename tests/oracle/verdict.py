"""What must become of a message: an accepted event, or the reasons that may be given against it.

Row by row. All of `docs/decisions/0005-checks.md` is judged here, except texts that look like an
identity number of before 1999, and amounts or times beyond what any column holds: of such a
message `judge` says None, and whoever asks has to count it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import fastavro

from tests.oracle import contract
from tests.oracle.identity import code_fault, event_id
from tests.oracle.kafka_reader import Message
from tests.oracle.personal import (
    bytes_may_hold_number,
    doubtful,
    holds_number,
    holds_number_beside_documents,
)
from tests.oracle.spelling import issuer_of, key_part

#: Texts with a check of their own.
_CHECKED = {"event_id", "subject", "file_digest", "statement.excepted"}
_DATES = dt.date(1900, 1, 1), dt.date(2200, 12, 31)


@dataclass(frozen=True)
class Verdict:
    """`event`: what it says, where it can be read; `reasons`: `code` or `code:field`, any may be
    given; none: accepted. `about` and `raw` are what the log keeps of it if it is not accepted."""

    event: dict[str, Any] | None
    reasons: frozenset[str]
    schema_id: int | None
    about: str | None
    raw: bytes | None
    raw_digest: str | None

    @property
    def accepted(self) -> bool:
        """Return whether nothing speaks against it."""
        return not self.reasons


@dataclass(frozen=True)
class Tables:
    """The publishers' tables that landings were given, each from a time (UTC) on, the first first.

    Whoever runs landings knows this; the log does not say it.
    """

    since: list[tuple[dt.datetime, Path]]

    def at(self, landed_at: dt.datetime) -> dict[str, Any]:
        """Return the lines that were in force when something was landed."""
        path = [path for since, path in self.since if since <= landed_at][-1]
        return contract.publishers(path)


def judge(
    message: Message, publishers: dict[str, Any], landed_at: dt.datetime | None = None
) -> Verdict | None:
    """Return what must become of a message under a publishers' table; None: not modelled.

    `landed_at` (UTC): when it was judged; None: that is not known.
    """
    value, family = message.value, message.family
    number, event, fault = _read(value, family)
    key = message.key.decode("ascii", "replace") if message.key is not None else ""
    about = None if code_fault(key) else key
    digest = None if value is None else hashlib.sha256(value).hexdigest()
    if event is None:
        # Under a publisher's own code it may have been a statement, which is about those it names.
        about = None if about in {line["code"] for line in publishers.values()} else about
        # What is too large is not looked at, and so not kept.
        hidden = fault == "too_large" or (value is not None and bytes_may_hold_number(value))
        return Verdict(None, frozenset({fault}), number, about, None if hidden else value, digest)
    leaves = contract.leaves(family, event)
    texts = [(path, text) for path, kind, text in leaves if kind == "string"]
    if any(doubtful(text) for _, text in texts) or _beyond_columns(family, event):
        return None
    if event["statement"] is not None and event["statement"]["partitions"] < message.of:
        return None  # its topic may have had fewer partitions when it was sent
    reasons = frozenset(_reasons(message, event, publishers, landed_at))
    about = about if about == event["subject"] and event["facet"] != "statement" else None
    hidden = any(_holds_number(path, text) for path, text in texts)
    return Verdict(event, reasons, number, about, None if hidden else value, digest)


_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
#: Fields of document numbers, by the words of `docs/decisions/0005-checks.md`.
_NUMBERS = {
    *("record_key", "number", "document_number", "identifier", "previous_identifiers"),
    *("registration_number", "licences_affected"),
}


@cache
def _read(value: bytes | None, family: str) -> tuple[int | None, dict[str, Any] | None, str]:
    """Return the schema id that a value names, and its event, or why it is none."""
    if value is None:
        return None, None, "tombstone"
    framed = len(value) >= 5 and value[0] == 0
    number: int | None = struct.unpack(">I", value[1:5])[0] if framed else None
    if len(value) > 1 << 20:
        return number, None, "too_large"
    if number is None:
        return None, None, "bad_frame"
    meant = contract.meant_by(number)
    if meant is None or meant[0] != family:
        return number, None, "schema_of_other_family" if meant else "unknown_schema"
    body = io.BytesIO(value[5:])
    try:
        event: Any = fastavro.schemaless_reader(body, contract.parsed(*meant), None)
    except Exception:  # whatever a reader makes of bytes that are no event
        return number, None, "bad_body"
    if body.read(1):
        return number, None, "trailing_bytes"
    return number, dict.fromkeys(contract.names(family)) | event, ""


def _beyond_columns(family: str, event: dict[str, Any]) -> bool:
    found = contract.leaves(family, event)
    return any(kind == "decimal" and abs(value) >= 10**30 for _, kind, value in found)


def _reasons(
    message: Message,
    event: dict[str, Any],
    publishers: dict[str, Any],
    landed_at: dt.datetime | None,
) -> Iterator[str]:
    line = publishers.get(message.publisher)
    if line is None:
        yield "unknown_publisher"
        return
    family = message.family
    if fault := code_fault(event["subject"]):
        yield f"{fault}:subject"
    yield from _rights(message, event, line)
    if issuer_of(event["record_key"]) != key_part(event["issuer"]):
        yield "key_without_issuer"
    if not 1 <= event["sequence"] < 2**53:
        yield "sequence_range"
    overrules = event["overrules"]
    if overrules and not max(2**52 - 1, event["sequence"]) < overrules["sequence"] < 2**53:
        yield "bad_value:overrules.sequence"
    digest = event["file_digest"]
    if digest is not None and not re.fullmatch("[0-9a-f]{64}", digest):
        yield "bad_value:file_digest"
    for facet in contract.facets(family):
        if (event["facet"] == facet) != (event[facet] is not None):
            yield f"content_mismatch:{facet}"
    begins, ends = event["effective_from"], event["effective_to"]
    if begins and ends and begins > ends:
        yield "dates_reversed:effective_to"
    if event["statement"] is not None:
        yield from _statement(message, event, line["code"], landed_at)
    yield from _values(event, [*contract.leaves(family, event)])
    if event["event_id"] != event_id(family, event):
        yield "bad_event_id"
    if message.key != event["subject"].encode():
        yield "key_mismatch"
    yield from _headers(message, event)


def _headers(message: Message, event: dict[str, Any]) -> Iterator[str]:
    """A message may have none; what its CloudEvents headers do say must be so."""
    true = {
        "ce_id": event["event_id"],
        "ce_source": f"/mianti/publishers/{event['publisher']}",
        "ce_type": f"mianti.{message.family}.{event['facet']}",
    }
    for name, said in message.headers:
        if name in true and said != true[name].encode():
            yield f"header_mismatch:{name}"


def _statement(
    message: Message, event: dict[str, Any], code: str, landed_at: dt.datetime | None
) -> Iterator[str]:
    """A publisher states its own completeness, up to a time that has come, partition by partition."""
    said = event["statement"]
    if not event["subject"] == event["issuer"] == code:
        yield "bad_value:subject"
    if said["partition"] != message.partition or said["partition"] >= said["partitions"]:
        yield "bad_value:statement.partition"
    through, clocks = said["complete_through"], dt.timedelta(minutes=5)
    if 0 < message.of < said["partitions"]:
        yield "bad_value:statement.partitions"
    sent = None if message.time < 0 else _EPOCH + dt.timedelta(milliseconds=message.time)
    if through is not None and any(at and through > at + clocks for at in (landed_at, sent)):
        yield "bad_value:statement.complete_through"
    if not all(map(_names_somebody, said["excepted"])):
        yield "bad_value:statement.excepted"


def _names_somebody(one: str) -> bool:
    """Return whether a text is a code of an enterprise, or the digest of its name."""
    digest = re.fullmatch("name:[0-9a-f]{16}", one)
    return code_fault(one) is None or _organisation(one) or digest is not None


def _organisation(code: str) -> bool:
    """Return whether a text is an organisation code (GB 11714): eight characters and a check."""
    if not re.fullmatch("[0-9A-Z]{8}[0-9X]", code):
        return False
    total = sum(int(c, 36) * w for c, w in zip(code, (3, 7, 9, 10, 5, 8, 4, 2), strict=False))
    return code[8] == "0123456789X"[-total % 11]


def _rights(message: Message, event: dict[str, Any], line: dict[str, Any]) -> Iterator[str]:
    if event["publisher"] != message.publisher:
        yield "wrong_publisher"
    rights = line["families"].get(message.family)
    if rights is None:
        yield "family_not_owned"
        return
    if event["facet"] not in (*rights["facets"], *contract.OF_ALL):
        yield "facet_not_owned"
    own = event["facet"] == "statement" and event["issuer"] == line["code"]
    if not own and not any(_fits(event["issuer"], one) for one in rights["issuers"]):
        yield "issuer_not_owned"
    if event["layout"] not in (*line["layouts"], "mianti"):
        yield "layout_not_owned"


def _fits(issuer: str, pattern: str) -> bool:
    parts = map(re.escape, pattern.split("*"))
    return bool(issuer) and bool(re.fullmatch(".*".join(parts), issuer))


def _values(event: dict[str, Any], found: list[tuple[str, str, Any]]) -> Iterator[str]:
    for path, kind, value in found:
        if kind == "date" and not _DATES[0] <= value <= _DATES[1]:
            yield f"date_out_of_range:{path}"
        if kind == "decimal" and not 0 <= value < 10**18:
            yield f"amount_out_of_range:{path}"
    texts = [(path, text) for path, kind, text in found if kind == "string"]
    texts = [(path, text) for path, text in texts if path not in _CHECKED]
    if sum(len(text.encode()) for _, text in texts) > 900_000:
        yield "too_large"
    yield from _texts(event, texts)


def _texts(event: dict[str, Any], texts: Iterable[tuple[str, str]]) -> Iterator[str]:
    for path, text in texts:
        if re.search(r"[\x00-\x1f\x7f]", text):
            yield f"control_character:{path}"
        if len(text) > 20_000:
            yield f"too_long:{path}"
        free = text.partition("/")[2] if path == "record_key" else text
        if _holds_number(path, free):
            yield f"personal_data:{path}"


def _holds_number(path: str, text: str) -> bool:
    held = path.rpartition(".")[2] in _NUMBERS
    return holds_number_beside_documents(text) if held else holds_number(text)
