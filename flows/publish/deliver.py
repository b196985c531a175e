"""Delivering events: written and read again, noted in the ledger, sent, acknowledged, confirmed.

In that order: what cannot be sent leaves nothing in the ledger.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
from kafka import KafkaProducer

from connectors.ledger import Ledger
from connectors.sending import send_all, written
from flows.publish.recover import ledger_rows

#: Events written down and sent between two confirmations.
_SLICE = 20_000


class Delivery:
    """A way to one topic: a ledger and a producer that belong together.

    `sent` is told, slice by slice, how many of the events of one call are acknowledged.
    """

    def __init__(
        self, ledger: Ledger, producer: KafkaProducer, topic: str, family: str, schema_id: int
    ) -> None:
        self.ledger = ledger
        self._producer = producer
        self._topic = topic
        self._family = family
        self._schema_id = schema_id
        self.sent: Callable[[int], None] = lambda _: None

    def deliver(self, events: pl.DataFrame, partitions: pl.Series | None = None) -> int:
        """Deliver whole events (with `content_digest`); return how many.

        `partitions`: where each goes; without, where its subject's belong.
        Raises NotDelivered, NotReadable, NotWritable.
        """
        for begin in range(0, events.height, _SLICE):
            piece = events.slice(begin, _SLICE)
            messages = written(piece, self._family, self._schema_id)
            self.ledger.write(ledger_rows(piece, sent=False))
            self.ledger.note_issuers(piece["issuer"])
            parts = partitions.slice(begin, _SLICE) if partitions is not None else None
            offsets = send_all(self._producer, self._topic, self._family, piece, parts, messages)
            self.ledger.confirm(piece)
            self._advance(offsets)
            self.sent(begin + piece.height)
        return events.height

    def _advance(self, offsets: dict[int, list[int]]) -> None:
        """Move the ledger's position where nothing of anyone else's lies in between."""
        position = self.ledger.position(self._topic)
        moved = [
            (part, max(given) + 1)
            for part, given in offsets.items()
            if position.get(part, 0) == min(given) and max(given) - min(given) + 1 == len(given)
        ]
        self.ledger.set_positions(self._topic, moved)
