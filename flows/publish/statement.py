"""What a publisher says of its own exports: how far they are complete.

A statement is written to every partition of the topic, after the file's events are delivered. It
holds once it was landed from all of them: Kafka keeps the order within a partition, so no event
it speaks of can then be missing.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

import polars as pl
from kafka import KafkaProducer

from flows.publish.deliver import Delivery
from flows.publish.events import Sender, by_hand
from schemas.bucket import partition
from schemas.facets import STATEMENT
from schemas.names_held import is_unified

#: Enterprises one statement names at most: beyond it everyone is held, and even in one partition the
#: message stays far below Kafka's 1 MiB.
MOST_EXCEPTED: Final = 5_000


@dataclass(frozen=True)
class Said:
    """What is stated: through when (UTC; None: not said) how many rows are complete, but for whom.

    `excepted`: the enterprises for whom nothing is complete. `everyone`: how many rows and files may
    be about any enterprise; `unreadable`: how many refused rows have no valid code.
    """

    complete_through: dt.datetime | None
    rows: int
    excepted: pl.Series
    everyone: int
    unreadable: int


def state(
    delivery: Delivery,
    producer: KafkaProducer,
    topic: str,
    sender: Sender,
    code: str,
    said: Said,
) -> int:
    """Deliver a statement about the sender's layout; return how many events that took.

    `code` is the publisher's own USCC, which stands for subject and issuer. Each partition's copy
    names its own enterprises, behind whose mended rows it comes. An organisation code or a name may
    be in any partition: every copy names it.
    """
    named = said.excepted.sort().head(MOST_EXCEPTED)
    unnamed = max(said.excepted.len() - MOST_EXCEPTED, 0) + said.everyone
    numbers = sorted(producer.partitions_for(topic))
    entries = named.to_frame("subject").select(
        partition(pl.col("subject"), len(numbers)).alias("part"),
        anywhere=~is_unified(pl.col("subject")),
    )

    def content(number: int) -> dict[str, Any]:
        return {
            "complete_through": said.complete_through,
            "partition": number,
            "partitions": len(numbers),
            "rows": said.rows,
            "excepted": named.filter((entries["part"] == number) | entries["anywhere"]).to_list(),
            "unnamed": unnamed,
            "unreadable": said.unreadable,
        }

    def event(number: int) -> dict[str, Any]:
        key = f"{code}/statement/{sender.layout}/{number}"
        return {
            "publisher": sender.publisher,
            "issuer": code,
            "subject": code,
            "record_key": key,
            "facet": STATEMENT,
            "event_type": STATEMENT,
            "sequence": delivery.ledger.next_sequence(key, STATEMENT),
            "edition": sender.edition,
            "layout": sender.layout,
            "layout_version": sender.layout_version,
            "file_digest": sender.file_digest,
            STATEMENT: content(number),
        }

    events = by_hand(sender.family, [event(number) for number in numbers])
    return delivery.deliver(events, pl.Series(numbers))
