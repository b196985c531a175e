"""Where events of a file go: the publisher's ledger and topic, brought up to date first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from kafka import KafkaProducer

from connectors.clients import KafkaUnreachable
from connectors.files import Source
from connectors.ledger import Ledger, open_ledger
from connectors.registry import RegistryUnreachable
from connectors.schema_ids import id_to_write
from connectors.sending import producer
from connectors.settings import NotRunning, Settings
from connectors.topic_settings import prepare_topic
from connectors.topics import family_topics, topic_name
from flows.publish.deliver import Delivery
from flows.publish.edition import require_dated
from flows.publish.events import Sender
from flows.publish.job import Job
from flows.publish.recover import catch_up


@dataclass(frozen=True)
class Destination:
    """The destination. `delivery`, `client`: None in a dry run, which sends nothing."""

    ledger: Ledger
    sender: Sender
    topic: str
    delivery: Delivery | None = None
    client: KafkaProducer | None = None


@contextmanager
def open_destination(job: Job) -> Iterator[Destination]:
    """Open a job's destination, caught up with its topic. Raises what Kafka and the ledger raise."""
    request, settings = job.request, job.settings
    topic = topic_name(job.family, request.publisher)
    number = 0 if request.dry_run else id_to_write(settings, job.family)
    with open_ledger(settings.mianti_ledger, request.publisher, job.family) as ledger:
        if request.dry_run:
            _look_up(ledger, settings, topic, job.family)
        else:
            prepare_topic(settings, topic)
            catch_up(ledger, settings, topic, job.family)
        edition = _edition(job, ledger)
        sender = job.sender(edition)
        if request.dry_run:
            yield Destination(ledger, sender, topic)
            return
        with producer(settings) as client:
            delivery = Delivery(ledger, client, topic, job.family, number)
            yield Destination(ledger, sender, topic, delivery, client)


def _edition(job: Job, ledger: Ledger) -> dt.datetime:
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
