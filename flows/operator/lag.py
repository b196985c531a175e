"""What a family's topics hold that its log does not."""

from __future__ import annotations

from connectors import lake
from connectors.reading import bounds, consumer
from connectors.settings import Settings
from connectors.topics import family_topics, partitions
from connectors.transactions import transactions
from flows.ground import positions, split_topics
from schemas import contract


def lags(settings: Settings, family: str) -> dict[tuple[str, int], int]:
    """Return, by topic and partition, how many messages wait now that the log has not landed.

    Topics of no known publisher are not landed, and so left out. Raises NotRunning when Kafka cannot be found.
    """
    log = lake.open_table(settings, "log", family)
    publishers = contract.publishers(settings.mianti_publishers).publishers
    with consumer(settings) as client:
        topics, _ = split_topics(family_topics(settings, family), publishers)
        parts = [part for topic in topics for part in partitions(client, topic)]
        first, ends = bounds(client, parts)
    at = positions(transactions(log), parts)
    return {(p.topic, p.partition): ends[p] - max(at[p], first[p]) for p in parts}
