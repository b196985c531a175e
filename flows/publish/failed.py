"""Publishing a file that may fail whole: then everyone waits for it, as it may be about anyone."""

from __future__ import annotations

import hashlib
import shlex
from pathlib import Path
from typing import Final

from polars.exceptions import PanicException

from connectors.errors import MiantiError
from connectors.files import open_source
from connectors.ledger import LedgerBusy, LedgerUnusable
from connectors.settings import Settings
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
