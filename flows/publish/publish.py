"""Publishing a file: recognise → map → check → plan → deliver → give back what was refused.

The steps, each in a module of its own: `job` (what is asked for), `tables` (which sheets are read
as which layout), `read_rows` (rows to events and faults), `destination` (ledger and topic), `plan`
and `deliver` (here, part by part), `finish` (what waits and what is complete), `refused`.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from typing import Final

import polars as pl

from connectors.files import Source
from connectors.ledger import Ledger, open_ledger
from connectors.settings import Settings
from flows.publish.correction import corrections, repeated
from flows.publish.deliver import Delivery
from flows.publish.destination import Destination, open_destination
from flows.publish.doubts import Doubts
from flows.publish.edition import edition_in_name, require_past
from flows.publish.events import identified, stamp
from flows.publish.fields import Context
from flows.publish.finish import finish
from flows.publish.holding import release_file
from flows.publish.identity import known_records, known_refused, known_waiting
from flows.publish.job import (
    Job,
    Progress,
    Request,
    chosen_codes,
    no_progress,
    publisher_line,
    require_complete_past,
)
from flows.publish.outcome import Outcome
from flows.publish.plan import Held, Plan, plan
from flows.publish.read_rows import FAULT, read_rows
from flows.publish.recover import ledger_rows
from flows.publish.refused import account
from flows.publish.source import Rows
from flows.publish.spill import Spill, spill
from flows.publish.tables import Choice, choose
from flows.publish.unread import require_spelling, unread_columns
from schemas import contract
from schemas.dialect import has_document_number

_NEWEST: Final = pl.col("edition").max()


def publish(
    rows: Rows, request: Request, settings: Settings, progress: Progress = no_progress
) -> Outcome:
    """Publish the rows of a file (or those a program hands over) and return what came of them.

    Raises MiantiError, with nothing published, when the file, its layout or its publisher cannot
    be made out; NotDelivered when Kafka fails: publishing the file again then doubles nothing.
    """
    started = time.monotonic()
    require_complete_past(request.complete_through)
    known = contract.agreed(settings.mianti_dialects, settings.mianti_publishers, request.publisher)
    owner = publisher_line(settings, request.publisher)
    named = (
        edition_in_name(request.name) if isinstance(rows, Source) and not request.edition else None
    )
    require_past(request.edition or named, dt.datetime.now(dt.UTC))
    choice = choose(rows, known.dialects, owner, request.layout)
    found = choice.match
    context = Context(found.dialect.no_end, chosen_codes(found.dialect, owner, known))
    job = Job(choice.rows, request, settings, owner, found, context, named)
    outcome = _begun(request, choice)
    with spill(rows.size) as aside:
        doubts = Doubts(_waiting_before(job))
        faults = [*read_rows(job, aside, outcome, progress, doubts)]
        faults.append(doubts.unstated_faults().cast(FAULT))
        with open_destination(job) as destination:
            doubts.before = _waiting(job, destination.ledger)
            numbered = has_document_number(job.match.dialect)
            doubts.refused = [
                known_refused(rows, destination.ledger, numbered=numbered)
                for rows in doubts.refused
            ]
            faults += _publish_parts(job, destination, aside, outcome, progress, doubts)
            refused = pl.concat([pl.DataFrame(schema=FAULT), *faults]).unique(maintain_order=True)
            refused = refused.sort("__row", maintain_order=True)
            finish(job, destination, outcome, doubts, refused)
    _release(job)
    account(outcome, refused, job)
    outcome.seconds = round(time.monotonic() - started, 3)
    return outcome


def _begun(request: Request, choice: Choice) -> Outcome:
    """Return an outcome without figures. Raises ColumnMisspelt."""
    unread = unread_columns(choice.rows.header, choice.match)
    require_spelling(unread, choice.match)
    return Outcome(
        file=request.name,
        layout=choice.match.dialect.id,
        left_sheets=choice.left_sheets,
        hidden_sheets=choice.hidden_sheets,
        not_complete=[words.model_dump() for words in choice.not_complete],
        notes=[words.model_dump() for words in choice.notes],
        unread_columns=unread,
    )


def _waiting_before(job: Job) -> pl.DataFrame:
    """Return what waits in the layout before the file is read: its rows may mend some of it."""
    folder, publisher = job.settings.mianti_ledger, job.request.publisher
    with open_ledger(folder, publisher, job.family) as ledger:
        return ledger.waiting(job.match.dialect.id)


def _release(job: Job) -> None:
    """End what waits for this file in other families, where it had failed before its layout was known."""
    if not job.request.dry_run:
        others = [family for family in job.owner.families if family != job.family]
        name, digest = job.request.name, job.rows.digest
        release_file(job.settings, job.request.publisher, job.owner, name, digest, others)


def _publish_parts(
    job: Job,
    destination: Destination,
    aside: Spill,
    outcome: Outcome,
    progress: Progress,
    doubts: Doubts,
) -> Iterator[pl.DataFrame]:
    floor = destination.ledger.floor(destination.sender.layout)
    through = 0
    for spilled in aside.parts():
        events, unstated = doubts.without_unstated(spilled)
        yield unstated.cast(FAULT)
        stamped, twice = known_records(stamp(events, destination.sender), destination.ledger)
        keys = stamped["record_key"]
        given = stamped.filter(pl.col("sequence").is_not_null())["record_key"]
        held = Held(
            destination.ledger.latest(keys),
            destination.ledger.exact(given),
            destination.ledger.unsent(keys),
        )
        made = plan(stamped, held, job.family, floor, job.match.dialect.moves)
        fixes = corrections(made.publish, destination.ledger, job.family)
        same = repeated(twice, destination.ledger, job.family, destination.sender.publisher)
        doubts.add(made, destination.ledger, by_facet=job.match.dialect.native)
        if destination.delivery is None:
            doubts.note_planned(made.publish)
        editions = [outcome.edition, *stamped.select(_NEWEST).row(0)]
        outcome.edition = max(filter(None, editions), default=None)
        outcome.published += made.publish["__row"].n_unique()
        outcome.corrected += made.corrected
        outcome.merged += twice.height
        _count_moves(outcome, fixes)
        if destination.delivery is not None:
            destination.delivery.sent = _counting(through, aside.events, progress)
            outcome.events += _carry_out(made, [same, fixes], destination.delivery, job.family)
        through += spilled.height
        progress("sending", through, aside.events)
        yield made.refused.cast(FAULT)


def _waiting(job: Job, ledger: Ledger) -> pl.DataFrame:
    dialect = job.match.dialect
    by_subject = dialect.subject in dialect.record_key.columns
    return known_waiting(ledger.waiting(dialect.id), ledger, by_subject=by_subject)


def _counting(before: int, of: int, progress: Progress) -> Callable[[int], None]:
    return lambda sent: progress("sending", min(before + sent, of), of)


def _count_moves(outcome: Outcome, fixes: pl.DataFrame | None) -> None:
    if fixes is not None:
        outcome.moved += fixes["record_key"].n_unique()
        outcome.withdrawn_elsewhere += fixes.filter(pl.col("event_type") == "withdrawn").height


def _carry_out(
    made: Plan, fixes: list[pl.DataFrame | None], delivery: Delivery, family: str
) -> int:
    sent = sum(delivery.deliver(events) for events in fixes if events is not None)
    sent += delivery.deliver(identified(made.publish, family))
    for layout, edition in made.publish.group_by("layout").agg(_NEWEST).iter_rows():
        delivery.ledger.note_edition(layout, edition)
    delivery.ledger.write(ledger_rows(made.silent, sent=True))
    delivery.ledger.seen(ledger_rows(made.seen, sent=True))
    return sent
