"""Publishing a file that may fail whole: then everyone waits for it, as it may be about anyone."""

from __future__ import annotations

import hashlib
import re
import shlex
import traceback
from pathlib import Path
from typing import Final

from kafka.errors import KafkaError, MessageSizeTooLargeError
from polars.exceptions import PanicException

from connectors.clients import KafkaUnreachable
from connectors.disk import DiskFull
from connectors.errors import MiantiError
from connectors.files import open_source
from connectors.ledger import LedgerBusy, LedgerUnusable
from connectors.registry import NotRegistered, RegistryUnreachable
from connectors.sending import NotDelivered
from connectors.settings import NotRunning, Settings
from connectors.store import StoreUnreachable
from flows.publish.holding import FailedFile, hold_for_file
from flows.publish.job import (
    Progress,
    Request,
    StatedTooEarly,
    UnknownPublisher,
    no_progress,
    publisher_line,
    record_places,
)
from flows.publish.outcome import Outcome
from flows.publish.publish import publish
from schemas.personal import redact_path

#: Errors that say nothing of the file, or after which nothing can be noted.
_NOT_OF_THE_FILE: Final = (UnknownPublisher, StatedTooEarly, LedgerBusy, LedgerUnusable)

#: However reading a file fails: a panic inside of Polars is no `Exception`.
FAILURES: Final = (Exception, PanicException)
_NO_ROOM: Final = re.compile(r"os error 1[12]\b|memory allocation")


class Elsewhere(MiantiError):
    """What is no fault of the file's, told by another process."""


class Unexpected(MiantiError):
    """Reading or publishing one file failed in a way that no check foresees."""


class TooMuch(Unexpected):
    """A file needs more memory than a file may have."""

    def __init__(self) -> None:
        """Say what its sender can do."""
        super().__init__(
            "Reading this file takes more memory than a file may have: delete empty rows and columns, "
            "save it as CSV UTF-8, or divide it into smaller files.",
            "读取该文件所需内存超过上限：请删除空行空列、另存为“CSV UTF-8”，或拆分为较小的文件。",
        )


class TooLong(Unexpected):
    """Reading a file takes longer than a file of its size may take."""

    def __init__(self) -> None:
        """Say what its sender can do."""
        super().__init__(
            "Reading this file takes longer than a file of its size may take, so it was given up: "
            "delete empty rows and columns, save it as CSV UTF-8, or divide it into smaller files.",
            "读取该文件所用时间超过同等大小文件的上限，已停止：请删除空行空列、另存为“CSV UTF-8”，或拆分为较小的文件。",
        )


#: What is no fault of the file's: a run ends, and the next one goes on with it.
ELSEWHERE: Final = (
    DiskFull,
    Elsewhere,
    KafkaUnreachable,
    NotRunning,
    NotDelivered,
    StoreUnreachable,
    RegistryUnreachable,
    NotRegistered,
)


def publish_path(
    path: Path, request: Request, settings: Settings, progress: Progress = no_progress
) -> Outcome:
    """Publish a file; where that fails, hold everyone until it is published or discarded.

    Raises what `publish` raises, with a note of the layouts that wait. A dry run holds nobody, nor
    does a path where there is no file.
    """
    try:
        source = open_source(path, places=record_places(settings, request.publisher))
        return publish(source, request, settings, progress)
    except _NOT_OF_THE_FILE:
        raise
    except FAILURES as error:
        if not request.dry_run and path.is_file():
            error.add_note(hold(path, request, settings, type(error).__name__))
        raise


def hold(path: Path, request: Request, settings: Settings, code: str) -> str:
    """Hold everyone until a file is published or discarded; return the words for it.

    `code`: the kind of the error. What could not be noted is said.
    """
    try:
        file = FailedFile(request.name, _digest(path), request.layout, code)
        owner = publisher_line(settings, request.publisher)
        layouts = hold_for_file(settings, request.publisher, owner, file)
    except (MiantiError, OSError):
        return (
            "That this file failed could not be noted: publish it again before any other file.\n"
            "未能登记该文件发布失败：请先重新发布该文件，再发布其他文件。"
        )
    named = ", ".join(layouts)
    hidden = redact_path(request.name) != request.name  # `mianti refused list` tells its number
    which = "--number NUMBER" if hidden else f"--file {shlex.quote(request.name)}"
    whose = f"--publisher {request.publisher} {which}"
    discard = f"mianti refused discard {whose} --by"
    return (
        f"Until this file is published, nobody is exempted by {named}: mend it and publish it under "
        "the same name. If it should not have been published, or other files had this name before: "
        f"`{discard} 'NAME' --why 'REASON'`.\n"
        f"该文件发布之前，{named} 的数据不用于任何企业的免提交：请修改后以原文件名重新发布；"
        f"如属误发，或此前已发布过同名文件，请执行 `{discard} '经办人' --why '原因'`。"
    )


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def is_elsewhere(error: BaseException) -> bool:
    """Return whether an error is no fault of the file's that was being read."""
    return isinstance(error, (*ELSEWHERE, KafkaError)) and not isinstance(
        error, MessageSizeTooLargeError
    )


def unexpected(error: BaseException) -> Unexpected:
    """Name the kind of an error and no more: its text may quote a cell."""
    if isinstance(error, MemoryError) or _no_room(error):
        return TooMuch()
    kind = type(error).__name__
    return Unexpected(
        f"The file could not be handled ({kind}); the log of this run has the details. Save it "
        "again, as CSV UTF-8 and under a plain name, or report it.",
        f"该文件无法处理（{kind}），详情见本次运行日志。请另存为“CSV UTF-8”并使用普通文件名后重试，或反馈该问题。",
    )


def _no_room(error: BaseException) -> bool:
    """Whether Polars had no memory left for a thread or a buffer: EAGAIN, ENOMEM."""
    return isinstance(error, PanicException) and bool(_NO_ROOM.search(str(error)))


def trace(error: BaseException) -> str:
    """Return where an error came from, without its text, which may quote a cell."""
    return "".join(traceback.format_tb(error.__traceback__)) + type(error).__name__
