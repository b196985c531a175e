"""Publishing a file: recognise → map → check → plan → deliver → give back what was refused."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

import polars as pl
from kafka import KafkaProducer

from connectors.clients import KafkaUnreachable
from connectors.errors import MiantiError
from connectors.files import FAULTS, RefusedFile, Source
from connectors.ledger import Ledger, open_ledger
from connectors.registry import RegistryUnreachable
from connectors.schema_ids import id_to_write
from connectors.sending import producer
from connectors.settings import NotRunning, Settings
from connectors.topics import ensure_topic, family_topics, topic_name
from flows.check import Check, all_reasons, checks, with_reasons
from flows.publish.correction import corrections, repeated
from flows.publish.deliver import Delivery
from flows.publish.doubts import Doubts
from flows.publish.edition import CLOCKS_DIFFER, edition_in_name, require_dated, require_past
from flows.publish.events import Sender, identified, stamp
from flows.publish.fields import Context
from flows.publish.future import date_checks
from flows.publish.holding import fingerprint, release_file, state_rest
from flows.publish.identity import known_records, known_refused, known_waiting
from flows.publish.mapping import columns_by_path, faults_of, map_rows, named_rows
from flows.publish.native import map_native, named_events
from flows.publish.outcome import Outcome
from flows.publish.plan import Held, Plan, plan
from flows.publish.preview import preview
from flows.publish.recognise import Match
from flows.publish.records import Records
from flows.publish.recover import catch_up, ledger_rows
from flows.publish.refused_names import free_name, remember
from flows.publish.source import Rows
from flows.publish.spill import Spill, spill
from flows.publish.statement import state
from flows.publish.tables import Choice, choose
from flows.publish.unread import require_spelling, unread_columns
from flows.publish.waiting import WAITING, failed_file, held_by, merged, without_file
from schemas import contract
from schemas.dialect import Dialect, has_document_number
from schemas.publishers import Publisher
from schemas.reasons import sentence

_EXAMPLES: Final = 5
_MOSTLY_NOBODY: Final = {
    "en": "Most of its rows have no valid code.",
    "zh": "多数行没有有效的统一社会信用代码。",
}
_NEWEST: Final = pl.col("edition").max()
_FAULT: Final = pl.Schema({"__row": pl.Int64(), "code": pl.String(), "where": pl.String()})

Step = Literal["reading", "sending"]
#: Told, while publishing, how much of a step is done, and of how much: bytes read, events sent.
Progress = Callable[[Step, int, int], None]


def untold(_step: Step, _done: int, _of: int) -> None:
    """Tell nobody."""


class UnknownPublisher(MiantiError):
    """The publishers' table has no such line."""


class StatedTooEarly(MiantiError):
    """A file is said to be complete through a time that is yet to come."""


@dataclass(frozen=True)
class Request:
    """What the caller asks for. Times are UTC. `name` stands for the file in messages.

    Without an `edition` a file has the one in its name. `show`: how many rows of a dry run to show
    as events.
    """

    publisher: str
    name: str
    layout: str | None = None
    edition: dt.datetime | None = None
    complete_through: dt.datetime | None = None
    dry_run: bool = False
    refused_path: Path | None = None
    show: int = 0


def publish(
    rows: Rows, request: Request, settings: Settings, progress: Progress = untold
) -> Outcome:
    """Publish the rows of a file (or those a program hands over) and return what came of them.

    Raises MiantiError, with nothing published, when the file, its layout or its publisher cannot
    be made out; NotDelivered when Kafka fails: publishing the file again then doubles nothing.
    """
    started = time.monotonic()
    _require_past(request.complete_through)
    known = contract.agreed(settings.mianti_dialects, settings.mianti_publishers, request.publisher)
    owner = publisher_line(settings, request.publisher)
    named = (
        edition_in_name(request.name) if isinstance(rows, Source) and not request.edition else None
    )
    require_past(request.edition or named, dt.datetime.now(dt.UTC))
    choice = choose(rows, known.dialects, owner, request.layout)
    found = choice.match
    context = Context(found.dialect.no_end, _codes(found.dialect, owner, known))
    job = _Job(choice.rows, request, settings, owner, found, context, named)
    outcome = _begun(request, choice)
    with spill(rows.size) as aside:
        doubts = Doubts(_waiting_before(job))
        faults = [*_map_file(job, aside, outcome, progress, doubts)]
        faults.append(doubts.unstated_faults().cast(_FAULT))
        with _ways(job) as way:
            doubts.before = _waiting(job, way.ledger)
            numbered = has_document_number(job.match.dialect)
            doubts.refused = [
                known_refused(rows, way.ledger, numbered=numbered) for rows in doubts.refused
            ]
            faults += _publish_parts(job, way, aside, outcome, progress, doubts)
            refused = pl.concat([pl.DataFrame(schema=_FAULT), *faults]).unique(maintain_order=True)
            refused = refused.sort("__row", maintain_order=True)
            _finish(job, way, outcome, doubts, refused)
    _release(job)
    _account(outcome, refused, job)
    outcome.seconds = round(time.monotonic() - started, 3)
    return outcome


def record_places(settings: Settings, publisher: str) -> list[str]:
    """Return where in a JSON object the records of a publisher's layouts may be.

    Nothing for a publisher that is not in the table: publishing says so.
    """
    table = contract.publishers(settings.mianti_publishers).publishers
    dialects = contract.dialects(settings.mianti_dialects)
    layouts = table[publisher].layouts if publisher in table else {}
    own = [dialects[name].records for name in layouts if name in dialects]
    return list(dict.fromkeys(place for place in own if place))


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


def _require_past(through: dt.datetime | None) -> None:
    now = dt.datetime.now(dt.UTC)
    if through is not None and through > now + CLOCKS_DIFFER:
        raise StatedTooEarly(
            f"Nothing can be complete through {through:%Y-%m-%d %H:%M} UTC, which is yet to come "
            f"(now {now:%Y-%m-%d %H:%M}): give the time the export was made.",
            f"完整截至时间 {through:%Y-%m-%d %H:%M}（UTC）尚未到来（现在 {now:%Y-%m-%d %H:%M}）：请填写导出时间。",
        )


def publisher_line(settings: Settings, name: str) -> Publisher:
    """Return the publisher's line of the table. Raises UnknownPublisher."""
    table = contract.publishers(settings.mianti_publishers).publishers
    if name not in table:
        known = ", ".join(sorted(table))
        raise UnknownPublisher(
            f"The publishers' table has no {name!r}; it has: {known}. Add a line to "
            "schemas/publishers.yaml (or the file MIANTI_PUBLISHERS names).",
            f"发布部门表中没有 {name!r}；已有：{known}。请在 schemas/publishers.yaml"
            "（或 MIANTI_PUBLISHERS 指定的文件）中登记。",
        )
    return table[name]


@dataclass(frozen=True)
class _Job:
    rows: Rows
    request: Request
    settings: Settings
    owner: Publisher
    match: Match
    context: Context
    named: dt.datetime | None = None

    @property
    def family(self) -> str:
        return self.match.dialect.family

    def sender(self, edition: dt.datetime) -> Sender:
        dialect, request = self.match.dialect, self.request
        digest = self.rows.digest
        return Sender(request.publisher, self.family, dialect.id, dialect.version, digest, edition)


@dataclass(frozen=True)
class _Way:
    """Where events go: nowhere beyond the plan when `delivery` is None (a dry run)."""

    ledger: Ledger
    sender: Sender
    topic: str
    delivery: Delivery | None = None
    client: KafkaProducer | None = None


@contextmanager
def _ways(job: _Job) -> Iterator[_Way]:
    request, settings = job.request, job.settings
    topic = topic_name(job.family, request.publisher)
    number = 0 if request.dry_run else id_to_write(settings, job.family)
    with open_ledger(settings.mianti_ledger, request.publisher, job.family) as ledger:
        if request.dry_run:
            _look_up(ledger, settings, topic, job.family)
        else:
            ensure_topic(settings, topic)
            catch_up(ledger, settings, topic, job.family)
        edition = _edition(job, ledger)
        sender = job.sender(edition)
        if request.dry_run:
            yield _Way(ledger, sender, topic)
            return
        with producer(settings) as client:
            delivery = Delivery(ledger, client, topic, job.family, number)
            yield _Way(ledger, sender, topic, delivery, client)


def _edition(job: _Job, ledger: Ledger) -> dt.datetime:
    """Return the file's edition: the one asked for, that of its name, or the ledger's to say."""
    layout, digest = job.match.dialect.id, job.rows.digest
    stated = job.request.edition or job.named
    if stated is None and isinstance(job.rows, Source):
        new = not ledger.knows_file(digest, layout, None)
        if new and ledger.always_dated(layout):
            raise require_dated(job.request.name)
    return ledger.edition_of(digest, layout, stated)


def _look_up(ledger: Ledger, settings: Settings, topic: str, family: str) -> None:
    """Bring the ledger up to date for a dry run, where there is a Kafka and a topic already.

    Without one, or its registry, a file can be tried all the same, against what the ledger knows.
    """
    try:
        if topic in family_topics(settings, family):
            catch_up(ledger, settings, topic, family)
    except (NotRunning, KafkaUnreachable, RegistryUnreachable):
        return


def _codes(
    dialect: Dialect, owner: Publisher, known: contract.Contract
) -> Mapping[str, Mapping[str, str]]:
    """Return the code lists by the dialect's names; code lists are per publisher and layout."""
    chosen = owner.layouts[dialect.id].codes
    return {name: known.code_lists[chosen[name]].values for name in dialect.code_lists()}


def _waiting_before(job: _Job) -> pl.DataFrame:
    """Return what waits in the layout before the file is read: its rows may mend some of it."""
    folder, publisher = job.settings.mianti_ledger, job.request.publisher
    with open_ledger(folder, publisher, job.family) as ledger:
        return ledger.waiting(job.match.dialect.id)


def _release(job: _Job) -> None:
    """End what waits for this file in other families, where it had failed before its layout was known."""
    if not job.request.dry_run:
        others = [family for family in job.owner.families if family != job.family]
        name, digest = job.request.name, job.rows.digest
        release_file(job.settings, job.request.publisher, job.owner, name, digest, others)


def _map_file(
    job: _Job, aside: Spill, outcome: Outcome, progress: Progress, doubts: Doubts
) -> Iterator[pl.DataFrame]:
    """Read, map and check every row; set the events aside and yield the faults."""
    dialect = job.match.dialect
    to_events = map_native if dialect.native else map_rows
    named = named_events if dialect.native else named_rows
    sender = job.sender(dt.datetime.now(dt.UTC))  # the edition is the ledger's to say, later
    records = Records(job.rows, job.match)
    for rows in records:
        outcome.read += rows.height
        outcome.skipped = records.skipped
        mapped = to_events(rows, dialect, job.context)
        doubts.filled |= mapped.filled
        stamped = stamp(mapped.events, sender)
        judged = with_reasons(stamped, _checks(stamped, job))
        bad = judged.filter(pl.col("__why").is_not_null()).select("__row").unique()
        good = mapped.events.join(bad, on="__row", how="anti") if bad.height else mapped.events
        aside.add(good)
        if len(outcome.shown) < job.request.show:
            outcome.shown += preview(good, job.request.show - len(outcome.shown))
        # What else is wrong with a row that has a fault is said at once, too.
        faulty = stamp(mapped.faulty, sender) if mapped.faulty.height else None
        wrong = [mapped.faults.cast(_FAULT)]
        if bad.height:
            wrong.append(_found_by_checks(stamped.join(bad, on="__row", how="semi"), job))
        if faulty is not None:
            # A part that could not be read is empty in the event: that is no mismatch of its own.
            also = _found_by_checks(faulty, job)
            wrong.append(also.filter(pl.col("code") != "content_mismatch"))
        found = pl.concat(wrong)
        if found.height:
            doubts.note_faulty(mapped.faulty)
            refused = rows.join(found, on="__row", how="semi", maintain_order="left")
            doubts.refuse(refused, named(refused, dialect, job.context), found, dialect)
        doubts.look_for(rows, lambda rows: named(rows, dialect, job.context), dialect)
        yield found
        progress("reading", job.rows.position(), job.rows.size)


def _found_by_checks(events: pl.DataFrame, job: _Job) -> pl.DataFrame:
    return faults_of(all_reasons(events, _checks(events, job))).cast(_FAULT)


def _checks(events: pl.DataFrame, job: _Job) -> Iterator[Check]:
    """Yield the checks of every event, and those that only a publisher makes."""
    yield from checks(events, job.family, job.owner, job.request.publisher)
    yield from date_checks(events, job.family, job.context.now)


def _publish_parts(
    job: _Job,
    way: _Way,
    aside: Spill,
    outcome: Outcome,
    progress: Progress,
    doubts: Doubts,
) -> Iterator[pl.DataFrame]:
    floor = way.ledger.floor(way.sender.layout)
    through = 0
    for spilled in aside.parts():
        events, unstated = doubts.without_unstated(spilled)
        yield unstated.cast(_FAULT)
        stamped, twice = known_records(stamp(events, way.sender), way.ledger)
        keys = stamped["record_key"]
        given = stamped.filter(pl.col("sequence").is_not_null())["record_key"]
        held = Held(way.ledger.latest(keys), way.ledger.exact(given), way.ledger.unsent(keys))
        made = plan(stamped, held, job.family, floor, job.match.dialect.moves)
        fixes = corrections(made.publish, way.ledger, job.family)
        same = repeated(twice, way.ledger, job.family, way.sender.publisher)
        doubts.add(made, way.ledger, by_facet=job.match.dialect.native)
        if way.delivery is None:
            doubts.planned.append(made.publish)
        editions = [outcome.edition, *stamped.select(_NEWEST).row(0)]
        outcome.edition = max(filter(None, editions), default=None)
        outcome.published += made.publish["__row"].n_unique()
        outcome.corrected += made.corrected
        outcome.merged += twice.height
        _count_moves(outcome, fixes)
        if way.delivery is not None:
            way.delivery.sent = _counting(through, aside.events, progress)
            outcome.events += _carry_out(made, [same, fixes], way.delivery, job.family)
        through += spilled.height
        progress("sending", through, aside.events)
        yield made.refused.cast(_FAULT)


def _waiting(job: _Job, ledger: Ledger) -> pl.DataFrame:
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


def _finish(job: _Job, way: _Way, outcome: Outcome, doubts: Doubts, refused: pl.DataFrame) -> None:
    """State what the file says of completeness, or, having changed nothing, that it came.

    A rebuilt ledger must know the newest edition sent: one no event tells of is stated, too; and
    for whom nothing is complete is stated as soon as that changes.
    """
    outcome.edition = edition = outcome.edition or way.sender.edition
    digest, layout, name = job.rows.digest, way.sender.layout, job.request.name
    known = way.ledger.knows_file(digest, layout, None)
    waiting, outcome.unreadable = doubts.settled(
        way.ledger, layout, way.sender.edition, name, refused, known=known
    )
    unread = _unread_sheets(outcome, name, digest)
    waiting = merged(without_file(waiting, name, digest), unread)
    excepted, everyone = held_by(waiting)
    _tell_held(outcome, waiting)
    through = job.request.complete_through
    if 2 * outcome.unreadable > outcome.read:
        outcome.not_complete.append(_MOSTLY_NOBODY)
    if outcome.not_complete:
        through = None
    if way.delivery is None or way.client is None:
        return
    newest = way.ledger.newest(layout)
    new = not way.ledger.knows_file(digest, layout, through)
    untold = newest is None or edition > newest
    untold |= fingerprint(waiting) != way.ledger.stated(layout)
    said = through is not None or outcome.published == 0 or not waiting.is_empty()
    # What is refused now waits even if its statement cannot be sent: the next run sends it.
    way.ledger.note_waiting(layout, waiting)
    if untold or (new and said):
        sender = replace(way.sender, edition=edition)
        code, rows, unreadable = job.owner.code, outcome.read, outcome.unreadable
        state(
            *(way.delivery, way.client, way.topic, sender, code, through, rows),
            *(excepted, everyone, unreadable),
        )
        way.ledger.note_edition(layout, edition)
        way.ledger.note_stated(layout, fingerprint(waiting))
    way.ledger.note_file(digest, layout, way.sender.edition, through)
    if isinstance(job.rows, Source) and job.request.edition is None:
        way.ledger.note_dated(layout, dated=job.named is not None)
    _release_layouts(way.ledger, layout, name, digest)
    state_rest(way.delivery, way.client, way.topic, way.sender, job.owner.code)


def _unread_sheets(outcome: Outcome, name: str, digest: str) -> pl.DataFrame:
    """Return what waits for sheets that hold rows and were not read: they may be about anyone."""
    if not (outcome.not_complete and (outcome.left_sheets or outcome.hidden_sheets)):
        return pl.DataFrame(schema=WAITING)
    now = dt.datetime.now(dt.UTC)
    return failed_file(name, digest, "sheet_unread", now, now)


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
        after = without_file(before, name, digest)
        if after.height < before.height:
            ledger.note_waiting(layout, after)


def _account(outcome: Outcome, refused: pl.DataFrame, job: _Job) -> None:
    """Count the refusals, keep a few examples, and give the refused rows back."""
    rows = refused["__row"].unique().sort()
    outcome.refused = rows.len()
    outcome.unchanged = outcome.read - outcome.published - outcome.refused
    places = _places(job.match)
    told = _told_each(refused, places, job.rows)
    each = told.unique(["__row", "code"])
    counts = each.group_by("code").len().sort("len", "code", descending=[True, False])
    outcome.reasons = dict(counts.iter_rows())
    # A program has no refused file to look into: it gets them all.
    few = rows.head(_EXAMPLES) if isinstance(job.rows, Source) else rows
    shown = told.filter(pl.col("__row").is_in(few.implode()))
    outcome.examples = [
        {"__row": row, "place": _place(row, job.rows), "code": code} | sentences
        for row, code, sentences in shown.select(
            "__row", "code", pl.struct("sentence_en", "sentence_zh")
        ).iter_rows()
    ]
    outcome.shown = [one for one in outcome.shown if one["row"] not in set(rows)]
    path = job.request.refused_path
    # A dry run changes no file: that of an earlier run may be being mended.
    if (
        told.height
        and path is not None
        and isinstance(job.rows, Source)
        and not job.request.dry_run
    ):
        outcome.refused_file = _give_back(job.rows, told, path, job.settings)


def _told_each(refused: pl.DataFrame, places: Mapping[str, str], rows: Rows) -> pl.DataFrame:
    """Add the sentences; a fault that two checks found is told once."""
    distinct = refused.select("code", "where").unique(maintain_order=True)
    told = [_told(code, where, places, rows) for code, where in distinct.iter_rows()]
    sentences = distinct.with_columns(
        sentence_en=pl.Series([english for english, _ in told], dtype=pl.String),
        sentence_zh=pl.Series([chinese for _, chinese in told], dtype=pl.String),
    )
    joined = refused.join(
        sentences, on=["code", "where"], nulls_equal=True, how="left", maintain_order="left"
    )
    return joined.unique(["__row", "sentence_en"], keep="first", maintain_order=True)


def _places(match: Match) -> dict[str, str]:
    """Return, for an event field or a column of the layout, the file's own column names."""
    own = {column: name for name, column in match.names.items()}
    fields = columns_by_path(match.dialect)
    found = {path: "+".join(own.get(c, c) for c in at.split("+")) for path, at in fields.items()}
    return found | {column: own.get(column, column) for column in match.dialect.columns}


def _told(code: str, where: str | None, places: Mapping[str, str], rows: Rows) -> tuple[str, str]:
    if code in FAULTS:
        at = f"{places.get(where, where)}: " if where else ""
        english, chinese = FAULTS[code]
        return at + english, at + chinese
    other = _place(int(where), rows) if where and code == "contradictory" else where
    words = sentence(code, places.get(where or "", other))
    return words.en, words.zh


def _place(row: int, rows: Rows) -> str:
    """Say where a row stands, as its sender finds it."""
    return rows.place(row) if isinstance(rows, Source) else str(row)


def _give_back(source: Source, told: pl.DataFrame, path: Path, settings: Settings) -> str | None:
    """Write the refused rows in the sender's own layout with the reasons beside each."""
    notes = settings.mianti_home / "refused" / "written"
    writer = RefusedFile(free_name(path, notes), source)
    for chunk in source.chunks():
        here = chunk.rows.join(told.select("__row"), on="__row", how="semi")
        if here.height:
            why = told.join(here.select("__row"), on="__row", how="semi", maintain_order="left")
            writer.add(here, why.select("__row", "code", "sentence_en", "sentence_zh"))
    written = writer.close()
    if written is None:
        return None
    remember(written, notes)
    return str(written)
