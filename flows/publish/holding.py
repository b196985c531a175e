"""Statements about what waits: sent whenever the enterprises that a layout holds have changed."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass

import polars as pl
from kafka import KafkaProducer

from connectors.errors import MiantiError
from connectors.ledger import Ledger, open_ledger
from connectors.schema_ids import id_to_write
from connectors.sending import producer
from connectors.settings import Settings
from connectors.topic_settings import prepare_topic
from connectors.topics import topic_name
from flows.publish.deliver import Delivery
from flows.publish.events import Sender
from flows.publish.recover import catch_up
from flows.publish.statement import Said, state
from flows.publish.waiting import failed_file, held_by, merged, without_file
from schemas import contract
from schemas.publishers import Publisher


@dataclass(frozen=True)
class FailedFile:
    """A file that could not be published at all. `digest`: SHA-256 (hex) of its bytes.

    `layout`: None where it is not known, so that every layout of the publisher waits for it.
    """

    name: str
    digest: str
    layout: str | None
    code: str


def fingerprint(waiting: pl.DataFrame) -> str | None:
    """Return a digest of whom entries hold; None: nobody."""
    named, everyone = held_by(waiting)
    if waiting.is_empty():
        return None
    text = "\n".join([str(everyone), *named])
    return hashlib.sha256(text.encode()).hexdigest()


def is_stated(ledger: Ledger, layout: str) -> bool:
    """Return whether the layout's last statement holds whom its entries hold now."""
    return ledger.stated(layout) == fingerprint(ledger.waiting(layout))


def state_rest(
    delivery: Delivery, client: KafkaProducer, topic: str, sender: Sender, code: str
) -> int:
    """State each layout of a ledger whose holding has changed; return how many layouts that were.

    `sender`: whose layout, version and edition are set for each.
    """
    ledger, done = delivery.ledger, 0
    for layout in ledger.waiting_layouts():
        if not is_stated(ledger, layout):
            waiting = ledger.waiting(layout)
            edition = ledger.newest(layout) or dt.datetime.now(dt.UTC)
            own = Sender(
                sender.publisher, sender.family, layout, sender.layout_version, None, edition
            )
            named, everyone = held_by(waiting)
            state(delivery, client, topic, own, code, Said(None, 0, named, everyone, 0))
            ledger.note_stated(layout, fingerprint(waiting))
            done += 1
    return done


def state_now(settings: Settings, publisher: str, owner: Publisher, family: str) -> int:
    """State at once what a publisher's ledger of one family holds; return how many layouts.

    Raises what sending raises.
    """
    topic, number = topic_name(family, publisher), id_to_write(settings, family)
    with open_ledger(settings.mianti_ledger, publisher, family) as ledger:
        prepare_topic(settings, topic)
        catch_up(ledger, settings, topic, family)
        with producer(settings) as client:
            delivery = Delivery(ledger, client, topic, family, number)
            sender = Sender(publisher, family, "", "1", None, dt.datetime.now(dt.UTC))
            return state_rest(delivery, client, topic, sender, owner.code)


def hold_for_file(
    settings: Settings, publisher: str, owner: Publisher, file: FailedFile
) -> list[str]:
    """Hold everyone until a failed file is published or discarded; return the layouts that wait.

    It is noted in the ledger first. Where Kafka cannot be reached it is stated by the next run.
    """
    layouts = _layouts(settings, owner, file.layout)
    now = dt.datetime.now(dt.UTC)
    for family, mine in layouts.items():
        with open_ledger(settings.mianti_ledger, publisher, family) as ledger:
            for layout in mine:
                ledger.note_waiting(layout, _with_failure(ledger, layout, file, now))
    for family in layouts:
        try:
            state_now(settings, publisher, owner, family)
        except MiantiError:
            continue  # the next run states it
    return sorted(layout for mine in layouts.values() for layout in mine)


def _with_failure(ledger: Ledger, layout: str, file: FailedFile, now: dt.datetime) -> pl.DataFrame:
    """Return what waits in a layout with a failed file, in the place of an attempt to mend it."""
    recurs = ledger.name_recurs(file.name, file.digest, layout)
    entry = failed_file(
        *(file.name, file.digest, file.code, now, now),
        any_layout=file.layout != layout,
        recurs=recurs,
    )
    name = None if recurs else file.name
    return merged(without_file(ledger.waiting(layout), name, file.digest), entry)


def release_file(
    settings: Settings,
    publisher: str,
    owner: Publisher,
    name: str,
    digest: str,
    families: Iterable[str],
) -> None:
    """End what waits for a failed file in other families, once it was published in one of them."""
    for family in families:
        if not (settings.mianti_ledger / f"{publisher}.{family}.sqlite").exists():
            continue
        changed = False
        with ExitStack() as stack:
            ledger = stack.enter_context(open_ledger(settings.mianti_ledger, publisher, family))
            for layout in ledger.waiting_layouts():
                before = ledger.waiting(layout)
                after = without_file(before, name, digest, own_layout=False)
                if after.height < before.height:
                    ledger.note_waiting(layout, after)
                changed = changed or not is_stated(ledger, layout)
        if changed:
            state_now(settings, publisher, owner, family)


def _layouts(settings: Settings, owner: Publisher, layout: str | None) -> dict[str, list[str]]:
    """Return by family the layouts that wait for a file; all of the publisher where none is known."""
    dialects = contract.dialects(settings.mianti_dialects)
    known = [name for name in owner.layouts if name in dialects]
    chosen = [layout] if layout in known else known
    found: dict[str, list[str]] = {}
    for name in chosen:
        found.setdefault(dialects[name].family, []).append(name)
    return {family: mine for family, mine in found.items() if family in owner.families}
