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
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.clients import kept
from connectors.disk import room
from connectors.errors import MiantiError
from connectors.ledger import LedgerBusy
from connectors.settings import Settings
from connectors.work import work_folder
from connectors.zone import (
    Dropped,
    NoFolder,
    Unreadable,
    Zone,
    copies,
    numbered_of,
    open_zone,
    shortened,
)
from flows.apart import Apart
from flows.publish.edition import EditionUnclear, edition_in_name
from flows.publish.failed import (
    ELSEWHERE,
    FAILURES,
    hold,
    is_elsewhere,
    trace,
    unexpected,
)
from flows.publish.job import Request
from flows.publish.outcome import Outcome
from schemas.personal import redact_path

_log = logging.getLogger(__name__)


class TooLarge(MiantiError):
    """A file is too large to be copied."""


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
            "publisher": redact_path(self.publisher),
            "layout": redact_path(self.layout),
            "collected_at": self.at.isoformat(timespec="seconds"),
        }
        if self.outcome is None:
            why = self.why
            said = {"en": why.message_en, "zh": why.message_zh} if why is not None else {}
            notes = [note.split("\n") for note in getattr(why, "__notes__", [])]
            held = {"en": notes[0][0], "zh": notes[0][-1]} if notes else None
            return told | {"published": 0, "failed": said, "held": held}
        counts = self.outcome.as_json()
        refused = Path(counts.pop("refused_file") or "").name or None
        return told | counts | {"refused_file": refused}


@dataclass
class Collected:
    """What one collecting did. `waiting`: files left for a later run; `strays`: paths of files
    that lie where nothing is collected; `copies`: those that a sync program or a file manager
    made of other files, which are never published. `unread`: paths of files and folders that cannot
    be read, and why; they are left where they are. `stopped`: what ended the run before the last
    file.
    """

    receipts: list[Receipt] = field(default_factory=list)
    waiting: int = 0
    strays: list[str] = field(default_factory=list)
    copies: list[str] = field(default_factory=list)
    unread: dict[str, MiantiError] = field(default_factory=dict)
    stopped: MiantiError | None = None


def collect(settings: Settings, now: dt.datetime) -> Collected:
    """Publish every file of the drop zone that is ready; `now` is UTC.

    A file that cannot be published goes to `failed/` with the reason, and the others go on. Where
    the fault is Kafka's, the storage's or the registry's, the run ends: `stopped` says why.
    """
    zone, done = open_zone(settings.mianti_zone), Collected()
    try:
        with kept(), Apart() as apart:
            listed = list(zone.dropped(now))
            left = copies(listed)
            for file in sorted(listed, key=_turn):
                if file.why is not None:
                    _leave(file, file.why, done)
                elif file.publisher is None or file.layout is None:
                    done.strays.append(file.shown)
                    _log.warning("%s: put it under <publisher>/<layout>/", file.shown)
                elif file.path in left or _numbers_a_finished_one(zone, file):
                    done.copies.append(file.shown)
                    _log.warning("%s: a copy that a program made is not published", file.shown)
                elif not file.ready or not _collect_alone(settings, zone, file, now, done, apart):
                    done.waiting += 1
    except ELSEWHERE as error:
        done.stopped = error
    return done


def _leave(file: Dropped, why: MiantiError, done: Collected) -> None:
    _log.warning("%s: %s", file.shown, why)
    done.unread[file.shown] = why


def _turn(file: Dropped) -> tuple[str, str, dt.datetime, dt.datetime, str]:
    """Order a layout's files by their edition; those without one by when they were written."""
    try:
        edition = edition_in_name(file.name)
    except EditionUnclear:
        edition = None
    folder = (file.publisher or "", file.layout or "")
    return *folder, edition or file.written, file.written, file.name


def _numbers_a_finished_one(zone: Zone, file: Dropped) -> bool:
    original = numbered_of(file.name)
    return original is not None and zone.finished(file, original)


def _collect_alone(
    settings: Settings,
    zone: Zone,
    file: Dropped,
    now: dt.datetime,
    done: Collected,
    apart: Apart,
) -> bool:
    """Collect one file; its own trouble, of whatever kind, keeps no other file waiting."""
    try:
        return _collect(settings, zone, file, now, done, apart)
    except FAILURES as error:
        if is_elsewhere(error):
            raise
        done.receipts.append(_put_aside(settings, zone, file, error, now))
        return True


def _put_aside(
    settings: Settings, zone: Zone, file: Dropped, error: BaseException, now: dt.datetime
) -> Receipt:
    """Put a file that could not be copied or put away into `failed/`, and hold its publisher."""
    why = error if isinstance(error, MiantiError) else unexpected(error)
    _log.error("%s: %s\n%s", file.shown, why, trace(error))
    publisher, layout = file.publisher or "", file.layout or ""
    receipt = Receipt(file.shown, publisher, layout, "", now, None, why)
    if isinstance(error, NoFolder):  # there is nowhere to put it; it was not read
        return receipt
    with work_folder() as name:
        request = Request(publisher, file.name, layout)
        try:
            why.add_note(hold(name / "unread", request, settings, type(error).__name__))
            beside = dict(_beside(receipt, name, now))
            zone.finish(file, "failed", f"unread-{shortened(file.name)}", beside)
        except FAILURES as other:
            if is_elsewhere(other):
                raise
            _log.error("%s: left where it is\n%s", file.shown, trace(other))
    return receipt


def _noted(error: BaseException) -> MiantiError:
    """Name the kind of an error, and keep what is noted of who waits."""
    why = unexpected(error)
    for note in getattr(error, "__notes__", []):
        why.add_note(note)
    return why


def _collect(
    settings: Settings,
    zone: Zone,
    file: Dropped,
    now: dt.datetime,
    done: Collected,
    apart: Apart,
) -> bool:
    """Publish one file and put it away; return false if it is to be looked at again."""
    with work_folder() as name:
        # The name may be anyone's: only its suffix, by which a reader may judge, is kept.
        copy = name / f"file{_suffix(file.name)}"
        _require_room(file, name)
        try:
            with room("the folder for passing files (TMPDIR)"):
                whole = zone.fetch(file, copy)
        except Unreadable as error:
            _leave(file, error, done)
            return True
        if not whole:
            _log.info("%s: changed while it was read; left for the next run", file.shown)
            return False
        try:
            receipt = _published(settings, file, copy, now, apart)
        except LedgerBusy:
            _log.info("%s: its publisher is publishing just now; left for the next run", file.shown)
            return False
        beside = dict(_beside(receipt, name, now))
        folder = f"{receipt.digest[:12]}-{shortened(file.name)}"
        if not zone.finish(file, "failed" if receipt.why else "done", folder, beside):
            _log.info("%s: has changed since; the new content is collected next time", file.shown)
            return False
    _log.info("%s", line(receipt))
    done.receipts.append(receipt)
    return True


def _require_room(file: Dropped, folder: Path) -> None:
    """Raise TooLarge for a file that would fill the disk, which is others' too."""
    if file.size * 2 > shutil.disk_usage(folder).free:
        raise TooLarge(
            "This file is larger than half of the room left on the disk where it would be copied to: "
            "divide it into smaller files, or have room made there.",
            "该文件大于采集程序临时目录所在磁盘剩余空间的一半：请拆分为较小的文件，或清理该磁盘。",
        )


def _published(
    settings: Settings, file: Dropped, copy: Path, now: dt.datetime, apart: Apart
) -> Receipt:
    assert file.publisher is not None and file.layout is not None  # noqa: S101, PT018
    digest = _digest(copy)
    stem = shortened(Path(redact_path(file.name)).stem, 150)
    refused = copy.with_name(f"{stem}.refused{copy.suffix}")
    request = Request(
        file.publisher,
        file.name,
        file.layout,
        refused_path=refused,
        as_promised=True,
    )
    outcome: Outcome | None = None
    why: MiantiError | None = None
    try:
        outcome = apart.publish_any(copy, request, settings)
    except LedgerBusy:
        raise
    except FAILURES as error:
        if is_elsewhere(error):
            raise
        why = error if isinstance(error, MiantiError) else _noted(error)
        if why is not error:
            _log.error("%s\n%s", file.shown, trace(error))
    return Receipt(file.shown, file.publisher, file.layout, digest, now, outcome, why)


def _beside(receipt: Receipt, folder: Path, now: dt.datetime) -> Iterator[tuple[str, Path]]:
    written = folder / "receipt.json"
    text = json.dumps(receipt.as_json(), ensure_ascii=False, indent=2)
    written.write_text(f"{text}\n", "utf-8")
    yield f"receipt-{now:%Y%m%dT%H%M%SZ}.json", written
    if receipt.outcome is not None and receipt.outcome.refused_file is not None:
        refused = Path(receipt.outcome.refused_file)
        yield refused.name, refused


def _suffix(name: str) -> str:
    """Return the suffix of a name where it is a plain one, such as `.xlsx`."""
    suffix = Path(name).suffix[:8]
    return suffix if suffix.isascii() else ""


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
        + "".join(f"; {part}" for part in _completeness(done))
    )


def _completeness(done: Outcome) -> Iterator[str]:
    if done.complete_through is not None:
        through = done.complete_through.astimezone().isoformat(" ", "seconds")
        yield f"stated complete through · 已声明完整至 {through}"
    for why in done.not_complete:
        yield f"not stated complete · 不作完整性声明: {why['en']} {why['zh']}"
