"""Collecting: files from the drop zone published once each, with a receipt beside every one.

On the publisher's side of the fence, like publishing itself. A file is copied before it is read, so
one that changes meanwhile is left for the next run; it is moved last, so one that was published just
before a crash is published again, which doubles nothing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import logging
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from connectors.clients import KafkaUnreachable, kept
from connectors.disk import DiskFull
from connectors.errors import MiantiError
from connectors.files import open_source
from connectors.ledger import LedgerBusy
from connectors.registry import NotRegistered, RegistryUnreachable
from connectors.sending import NotDelivered
from connectors.settings import NotRunning, Settings
from connectors.store import StoreUnreachable
from connectors.zone import Dropped, Unreadable, Zone, open_zone
from flows.publish.edition import edition_in_name
from flows.publish.outcome import Outcome
from flows.publish.publish import Request, publish

_log = logging.getLogger(__name__)
#: What is no fault of the file's: the run ends, and the next one goes on with it.
_ELSEWHERE: Final = (
    DiskFull,
    KafkaUnreachable,
    NotRunning,
    NotDelivered,
    StoreUnreachable,
    RegistryUnreachable,
    NotRegistered,
)


@dataclass(frozen=True)
class Receipt:
    """What became of one file; `path` is where its publisher had put it. Either `outcome` or `why` is None."""

    path: str
    publisher: str
    layout: str
    digest: str
    at: dt.datetime
    outcome: Outcome | None
    why: MiantiError | None

    def as_json(self) -> dict[str, Any]:
        """Return what is written beside the file. Times are UTC; holds no value of any row."""
        told = {
            "file": self.path,
            "sha256": self.digest,
            "publisher": self.publisher,
            "layout": self.layout,
            "collected_at": self.at.isoformat(timespec="seconds"),
        }
        if self.outcome is None:
            why = self.why
            said = {"en": why.message_en, "zh": why.message_zh} if why is not None else {}
            return told | {"published": 0, "failed": said}
        counts = self.outcome.as_json()
        refused = Path(counts.pop("refused_file") or "").name or None
        edition = self.outcome.edition
        stated = edition.isoformat() if edition else None
        return told | {"edition": stated} | counts | {"refused_file": refused}


@dataclass
class Collected:
    """What one collecting did. `waiting`: files left for a later run; `strays`: paths of files
    that lie where nothing is collected. `stopped`: what ended the run before the last file.
    """

    receipts: list[Receipt] = field(default_factory=list)
    waiting: int = 0
    strays: list[str] = field(default_factory=list)
    stopped: MiantiError | None = None


def collect(settings: Settings, now: dt.datetime) -> Collected:
    """Publish every file of the drop zone that is ready; `now` is UTC.

    A file that cannot be published goes to `failed/` with the reason, and the others go on. Where
    the fault is Kafka's, the storage's or the registry's, the run ends: `stopped` says why.
    """
    zone, done = open_zone(settings.mianti_zone), Collected()
    try:
        with kept():
            for file in zone.dropped(now):
                if file.publisher is None or file.layout is None:
                    done.strays.append(file.path)
                    _log.warning("%s: put it under <publisher>/<layout>/", file.path)
                elif not file.ready or not _collect(settings, zone, file, now, done):
                    done.waiting += 1
    except _ELSEWHERE as error:
        done.stopped = error
    return done


def _collect(
    settings: Settings, zone: Zone, file: Dropped, now: dt.datetime, done: Collected
) -> bool:
    """Publish one file and put it away; return false if it is to be looked at again."""
    with tempfile.TemporaryDirectory(prefix="mianti-") as name:
        # The name may be anyone's: only its suffix, by which a reader may judge, is kept.
        copy = Path(name) / f"file{Path(file.name).suffix[:8]}"
        try:
            whole = zone.fetch(file, copy)
        except Unreadable as error:
            _log.warning("%s: %s", file.path, error)
            return False
        if not whole:
            _log.info("%s: changed while it was read; left for the next run", file.path)
            return False
        try:
            receipt = _published(settings, file, copy, now)
        except LedgerBusy:
            _log.info("%s: its publisher is publishing just now; left for the next run", file.path)
            return False
        beside = dict(_beside(receipt, Path(name), now))
        folder = f"{receipt.digest[:12]}-{file.name}"
        if not zone.finish(file, "failed" if receipt.why else "done", folder, beside):
            _log.info("%s: has changed since; the new content is collected next time", file.path)
            return False
    _log.info("%s", line(receipt))
    done.receipts.append(receipt)
    return True


def _published(settings: Settings, file: Dropped, copy: Path, now: dt.datetime) -> Receipt:
    assert file.publisher is not None and file.layout is not None  # noqa: S101, PT018
    digest = _digest(copy)
    refused = copy.with_name(f"{Path(file.name).stem}.refused{copy.suffix}"[-200:])
    request = Request(
        file.publisher,
        file.name,
        file.layout,
        edition_in_name(file.name),
        refused_path=refused,
    )
    outcome, why = None, None
    try:
        outcome = publish(open_source(copy), request, settings)
    except (*_ELSEWHERE, LedgerBusy):
        raise
    except MiantiError as error:
        why = error
    return Receipt(file.path, file.publisher, file.layout, digest, now, outcome, why)


def _beside(receipt: Receipt, folder: Path, now: dt.datetime) -> Iterator[tuple[str, Path]]:
    written = folder / "receipt.json"
    text = json.dumps(receipt.as_json(), ensure_ascii=False, indent=2)
    written.write_text(f"{text}\n", "utf-8")
    yield f"receipt-{now:%Y%m%dT%H%M%SZ}.json", written
    if receipt.outcome is not None and receipt.outcome.refused_file is not None:
        refused = Path(receipt.outcome.refused_file)
        yield refused.name, refused


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def line(receipt: Receipt) -> str:
    """Return one file's line in a log or on a terminal."""
    done = receipt.outcome
    if done is None:
        return f"{receipt.path}: failed · 失败: {receipt.why}"
    return (
        f"{receipt.path}: read · 读取 {done.read:,}, published · 发布 {done.published:,}, "
        f"unchanged · 未变 {done.unchanged:,}, refused · 退回 {done.refused:,}"
    )
