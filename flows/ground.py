"""What a landing relies on: topics of known publishers, in which what was landed is still there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

from kafka import KafkaConsumer, TopicPartition

from connectors.reading import bounds, check_bounds, made_anew, marks_at, overwritten
from connectors.settings import Settings
from connectors.topic_settings import Remark, TopicSettings, require_no_compaction, topic_settings
from connectors.topics import family_topics, partitions, publisher_of, topic_numbers
from flows.log import COMPACTED, mark_id, offset_id, partitions_id, topic_id

#: Positions whose marks a client has compared, or has read up to itself. A topic put back from a
#: backup needs a broker that was stopped, and with it a new client.
_COMPARED: Final[WeakKeyDictionary[KafkaConsumer, dict[TopicPartition, int]]] = WeakKeyDictionary()


@dataclass
class Topics:
    """The topics of a family as Kafka has them now.

    `unlisted`: topics of the family that belong to no publisher of the table; they are not read.
    `numbers`: by topic, the number that tells it from another of its name.
    """

    topics: list[str]
    unlisted: list[str]
    configs: dict[str, TopicSettings]
    numbers: dict[str, int]
    parts: list[TopicPartition]


@dataclass
class Ground(Topics):
    """The same, and where the log stands in them.

    `start`: the next offset to land; `first`, `ends`: what Kafka holds. `counts`: as
    `flows.judge.judge` takes them.
    """

    start: dict[TopicPartition, int]
    first: dict[TopicPartition, int]
    ends: dict[TopicPartition, int]
    counts: dict[str, tuple[int, int]]


def told_of_topics(unlisted: Collection[str], compacted: int) -> Iterator[Remark]:
    """Yield what must be said of topics that were not read, and of messages that were gone."""
    if unlisted:
        names = ", ".join(unlisted)
        yield (
            f"Not read, because the publishers' table has no such publisher: {names}. Add the "
            "publisher to the table, or find out who writes there and delete the topic.",
            f"未读取（发布部门表中没有对应部门）：{names}。请在发布部门表中登记，或查明来源后删除该主题。",
        )
    if compacted:
        yield (
            f"{compacted} messages were gone before they were landed: their topic was compacted. Set "
            "its cleanup.policy to delete and ask its publisher to send everything again.",
            f"有 {compacted} 条消息在入库前已丢失（主题曾被压缩清理）。请将 cleanup.policy 改为 delete，"
            "并请发布部门重新报送全部数据。",
        )


def compacted_so_far(known: Mapping[str, int]) -> int:
    """Return how many messages were gone before they were landed, by the log's transactions."""
    return sum(count for name, count in known.items() if name.startswith(COMPACTED))


def split_topics(
    topics: Collection[str], publishers: Collection[str]
) -> tuple[list[str], list[str]]:
    """Return the topics of known publishers, and the others; both sorted."""
    listed = sorted(topic for topic in topics if publisher_of(topic) in publishers)
    return listed, sorted(set(topics) - set(listed))


def survey(
    settings: Settings, family: str, client: KafkaConsumer, publishers: Collection[str]
) -> Topics:
    """Ask Kafka for a family's topics."""
    topics, unlisted = split_topics(family_topics(settings, family), publishers)
    numbers = topic_numbers(settings, topics)
    told = topic_settings(settings, topics)
    parts = [part for topic in topics for part in partitions(client, topic)]
    return Topics(topics, unlisted, told, numbers, parts)


def stand(found: Topics, client: KafkaConsumer, known: Mapping[str, int]) -> Ground:
    """Return where the log stands in its topics. `known`: its transactions, read just before.

    What another run lands in between is lost on this one, so nothing slow is asked here.
    """
    start = positions(known, found.parts)
    first, ends = bounds(client, found.parts)
    return Ground(
        **vars(found),
        start=start,
        first=first,
        ends=ends,
        counts=partition_counts(found.parts, known),
    )


def positions(known: Mapping[str, int], parts: list[TopicPartition]) -> dict[TopicPartition, int]:
    """Return the next offset of each partition by the log's transactions; 0 where it has none."""
    return {part: known.get(offset_id(part.topic, part.partition), 0) for part in parts}


def partition_counts(
    parts: Collection[TopicPartition], known: Mapping[str, int]
) -> dict[str, tuple[int, int]]:
    """Return the least and the greatest number of partitions when what is not landed was sent.

    Partitions can only be added. The log remembers how many there were when the topic was first
    landed, or when a statement last said so; the log of an earlier release does not, and any number
    up to today's is possible.
    """
    now: dict[str, int] = {}
    landed: set[str] = set()
    for part in parts:
        now[part.topic] = now.get(part.topic, 0) + 1
        if offset_id(part.topic, part.partition) in known:
            landed.add(part.topic)
    return {
        topic: (min(known.get(partitions_id(topic), 1 if topic in landed else count), count), count)
        for topic, count in now.items()
    }


def partitions_known(known: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """Return the same for messages that were landed: what the log remembers of each topic."""
    prefix = partitions_id("")
    named = {name.removeprefix(prefix): n for name, n in known.items() if name.startswith(prefix)}
    return {topic: (count, count) for topic, count in named.items()}


def require_sound(
    ground: Ground, client: KafkaConsumer, known: Mapping[str, int], *, accept: bool = False
) -> dict[str, int]:
    """Return the transactions by which the log learns what it does not know yet of these topics.

    Raises TopicCompacts; OffsetGone where Kafka no longer has what the log goes on from, or has a
    topic or messages other than those that were landed (unless `accept`: an operator takes what
    Kafka has now for the right one).
    """
    require_no_compaction(ground.configs)
    for part in ground.parts:
        check_bounds(part, ground.start[part], ground.first[part], ground.ends[part])
    numbers = {topic_id(topic): number for topic, number in ground.numbers.items()}
    other = {name: n for name, n in numbers.items() if known.get(name, n) != n}
    if other and not accept:
        raise made_anew(min(other).removeprefix(topic_id("")))
    learnt = other | _compare_marks(ground, client, known, accept=accept)
    note_compared(client, ground.start)
    return learnt


def note_compared(client: KafkaConsumer, positions: Mapping[TopicPartition, int]) -> None:
    """Note up to where a client has read, or compared, what was landed."""
    _COMPARED.setdefault(client, {}).update(positions)


def _compare_marks(
    ground: Ground, client: KafkaConsumer, known: Mapping[str, int], *, accept: bool
) -> dict[str, int]:
    """Return the marks that the log lacks. Raises OffsetGone where one is another than the log's."""
    compared = _COMPARED.get(client, {})
    held = {part: at for part, at in ground.start.items() if at > ground.first[part]}
    asked = {part: at for part, at in held.items() if accept or compared.get(part) != at}
    learnt = {}
    for part, mark in marks_at(client, asked).items():
        name = mark_id(part.topic, part.partition)
        before = known.get(name)
        if before == mark:
            continue
        # A mark of another position was left by a release that kept none.
        if before is not None and _position(before) == _position(mark) and not accept:
            raise overwritten(part, asked[part])
        learnt[name] = mark
    return learnt


def _position(mark: int) -> int:
    return mark >> 32
