"""What a publisher says of its own exports: how far they are complete.

A statement is written to every partition of the topic, after the file's events are delivered. It
holds once it was landed from all of them: Kafka keeps the order within a partition, so no event
it speaks of can then be missing.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import polars as pl
from kafka import KafkaProducer

from flows.publish.deliver import Delivery
from flows.publish.events import Sender, single
from schemas.bucket import partition
from schemas.facets import STATEMENT

#: Enterprises one statement leaves out at most: beyond it nothing is stated complete, and even in
#: one partition the message stays far below Kafka's 1 MiB.
MOST_EXCEPTED: Final = 5_000


def state(
    delivery: Delivery,
    producer: KafkaProducer,
    topic: str,
    sender: Sender,
    code: str,
    complete_through: dt.datetime | None,
    rows: int,
    excepted: pl.Series,
    unreadable: int,
) -> int:
    """Deliver a statement about the sender's layout; return how many events that took.

    `code` is the publisher's own USCC, which stands for subject and issuer. `excepted`: for whom
    nothing is complete; each partition's copy names its own, behind whose mended rows it comes.
    """
    named = pl.DataFrame({"subject": excepted.sort().head(MOST_EXCEPTED)})
    unnamed = max(excepted.len() - MOST_EXCEPTED, 0)
    numbers = sorted(producer.partitions_for(topic))
    for number in numbers:
        here = partition(pl.col("subject"), len(numbers)) == number
        key = f"{code}/statement/{sender.layout}/{number}"
        content = {
            "complete_through": complete_through if not unnamed else None,
            "partition": number,
            "partitions": len(numbers),
            "rows": rows,
            "excepted": named.filter(here)["subject"].to_list(),
            "unnamed": unnamed,
            "unreadable": unreadable,
        }
        event = single(
            sender.family,
            {
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
                STATEMENT: content,
            },
        )
        delivery.deliver(event, partition=number)
    return len(numbers)
