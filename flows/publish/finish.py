"""The end of a publication: what waits, what is complete, and that the file came."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Final

import polars as pl

from connectors.files import Source
from connectors.ledger import Ledger
from flows.publish.destination import Destination
from flows.publish.doubts import Doubts
from flows.publish.ending_columns import is_graded
from flows.publish.holding import fingerprint, state_rest
from flows.publish.job import Job
from flows.publish.outcome import Outcome
from flows.publish.statement import Said, state
from flows.publish.waiting import WAITING, failed_file, held_by, merged, without_file

_MOSTLY_NOBODY: Final = {
    "en": "Most of its rows have no valid code.",
    "zh": "多数行没有有效的统一社会信用代码。",
}
_UNDATED: Final = {
    "en": "The publishers' table promises complete files, and this one has no date in its name: put it there.",
    "zh": "发布部门表约定每个文件均为全部数据，而本文件名中没有日期：请在文件名中写明日期。",
}
_SOME_REFUSED: Final = {
    "en": "The publishers' table promises complete files, and rows of this one were refused: mend them, "
    "and put the whole file in again under a later date.",
    "zh": "发布部门表约定每个文件均为全部数据，而本文件有退回的行：请修改后以较晚的日期重新投放完整文件。",
}
_EMPTY: Final = {
    "en": "The publishers' table promises complete files, and this one has no row: where that is right, "
    "publish it with --complete-through.",
    "zh": "发布部门表约定每个文件均为全部数据，而本文件没有数据行：确无数据的，请用 --complete-through 发布。",
}

_LIST_REFUSED: Final = {
    "en": "Every row of the list was refused, so nobody knows whom it names: until it is mended or "
    "discarded (mianti refused), no grade of anybody is relied on.",
    "zh": "该名单的所有行均被退回，无法确定名单所列企业：在修改后重新发布"
    "或放弃（mianti refused）之前，不依据任何企业的等级。",
}

_RIVALS: Final = ("older_edition", "contradictory_published", "withdrawn")


def finish(
    job: Job, destination: Destination, outcome: Outcome, doubts: Doubts, refused: pl.DataFrame
) -> None:
    """State what the file says of completeness, or, having changed nothing, that it came.

    A rebuilt ledger must know the newest edition sent: one no event tells of is stated, too; and
    for whom nothing is complete is stated as soon as that changes.
    """
    outcome.edition = edition = outcome.edition or destination.sender.edition
    digest, layout, name = job.rows.digest, destination.sender.layout, job.request.name
    known = destination.ledger.is_settled(digest, layout)
    waiting, outcome.unreadable = doubts.settled(
        destination.ledger, layout, destination.sender.edition, name, refused, known=known
    )
    everyone_waits = _waits_for_all(job, outcome, refused, name, digest)
    waiting = merged(without_file(waiting, name, digest), everyone_waits)
    excepted, everyone = held_by(waiting)
    _tell_held(outcome, waiting)
    outcome.complete_before = destination.ledger.complete_through(layout)
    through = job.request.complete_through or _promised(job, outcome, refused)
    if 2 * outcome.unreadable > outcome.read:
        outcome.not_complete.append(_MOSTLY_NOBODY)
    if outcome.not_complete:
        through = None
    outcome.complete_through = through
    if destination.delivery is None or destination.client is None:
        return
    newest = destination.ledger.newest(layout)
    new = not destination.ledger.knows_file(digest, layout, through)
    must_state = newest is None or edition > newest
    must_state |= fingerprint(waiting) != destination.ledger.stated(layout)
    has_news = through is not None or outcome.published == 0 or not waiting.is_empty()
    # What is refused now waits even if its statement cannot be sent: the next run sends it.
    destination.ledger.note_waiting(layout, waiting)
    if must_state or (new and has_news):
        sender = replace(destination.sender, edition=edition)
        state(
            destination.delivery,
            destination.client,
            destination.topic,
            sender,
            job.owner.code,
            Said(through, outcome.read, excepted, everyone, outcome.unreadable),
        )
        destination.ledger.note_edition(layout, edition)
        destination.ledger.note_stated(layout, fingerprint(waiting))
    destination.ledger.note_file(digest, layout, destination.sender.edition, through)
    destination.ledger.note_settled(digest, layout, name)
    if isinstance(job.rows, Source) and job.request.edition is None:
        destination.ledger.note_dated(layout, dated=job.named is not None)
    _release_layouts(destination.ledger, layout, name, digest)
    state_rest(
        destination.delivery,
        destination.client,
        destination.topic,
        destination.sender,
        job.owner.code,
    )


def _promised(job: Job, outcome: Outcome, refused: pl.DataFrame) -> dt.datetime | None:
    """Return through when the publisher's line says that a file is complete (UTC); None: nothing.

    A file that cannot keep the promise says why. An older one than was stated before takes nothing
    back.
    """
    line = job.owner.layouts[job.match.dialect.id]
    if not job.request.as_promised or line.complete is None:
        return None
    broken = _UNDATED if job.named is None else _SOME_REFUSED if refused.height else None
    broken = _EMPTY if broken is None and outcome.read == 0 else broken
    if broken is not None:
        outcome.not_complete.append(broken)
        return None
    before = outcome.complete_before
    older = before is not None and job.named is not None and job.named <= before
    return None if older else job.named


def _waits_for_all(
    job: Job, outcome: Outcome, refused: pl.DataFrame, name: str, digest: str
) -> pl.DataFrame:
    """Return what waits for what may be about anyone.

    That are sheets that hold rows and were not read, and a list of grades of which every row was
    refused: whom a newer list leaves out has lost the grade, and nobody knows whom it names.
    """
    now = dt.datetime.now(dt.UTC)
    if outcome.not_complete and (outcome.left_sheets or outcome.hidden_sheets):
        return failed_file(name, digest, "sheet_unread", now, now)
    # Of an older edition, or one that says otherwise than before, it is known whom it names.
    unknown = refused.filter(~pl.col("code").is_in(_RIVALS))["__row"].n_unique()
    if is_graded(job.match.dialect) and 0 < outcome.read <= unknown:
        outcome.not_complete.append(_LIST_REFUSED)
        return failed_file(name, digest, "list_refused", now, now)
    return pl.DataFrame(schema=WAITING)


def _tell_held(outcome: Outcome, waiting: pl.DataFrame) -> None:
    """Tell how many enterprises are held, and by how many rows and files of each reason."""
    excepted, outcome.everyone = held_by(waiting)
    outcome.excepted = excepted.len()
    counts = waiting.group_by("code").len().sort("len", "code", descending=[True, False])
    outcome.held = dict(counts.iter_rows())


def _release_layouts(ledger: Ledger, own: str, name: str, digest: str) -> None:
    """End what waits for this file in layouts of the ledger but its own."""
    for layout in set(ledger.waiting_layouts()) - {own}:
        before = ledger.waiting(layout)
        after = without_file(before, name, digest, own_layout=False)
        if after.height < before.height:
            ledger.note_waiting(layout, after)
