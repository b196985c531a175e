"""Arbitrary bytes in a topic: each message is accepted, or quarantined with its reason.

Read in columns and record by record, which must agree; and judged by the oracle, which must, too.
Then the whole way, through a real Kafka.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.clients import kept
from flows.judge import judge
from flows.land import land
from flows.settle import settle
from flows.verify import verify
from tests import oracle
from tests.oracle import contract
from tests.oracle.kafka_reader import Message
from tests.oracle.verdict import judge as model
from tests.property.effort import some
from tests.property.law_rows import NUMBERS, SUBJECTS
from tests.property.law_world import FAMILY, ISSUER, founded
from tests.property.mortal import Mortal
from tests.property.mutations import damaged
from tests.support import batches as b
from tests.support import kafka as raw

LINES = contract.publishers(Path(oracle.__file__).parents[2] / "schemas" / "publishers.yaml")
FRAMES = tuple(bytes(4) + bytes([number]) for number in (1, 2, 3, 9))
Spoilt = tuple[bytes | None, bytes | None]


def spoilt(sound: list[tuple[bytes, bytes]]) -> st.SearchStrategy[Spoilt]:
    """Return keys and values: right ones, those with damage, what is none of ours at all."""
    chosen = st.sampled_from(sound)
    arbitrary = st.none() | st.binary(max_size=60)
    return st.one_of(
        chosen,
        chosen.flatmap(lambda one: st.tuples(st.just(one[0]), damaged(one[1], FRAMES, most=2))),
        chosen.flatmap(lambda one: st.tuples(arbitrary, st.just(one[1]))),
        st.tuples(arbitrary, arbitrary),
        st.tuples(arbitrary, st.builds(bytes.__add__, st.sampled_from(FRAMES), st.binary())),
    )


@cache
def _messages() -> list[b.Message]:
    return [b.message(b.licence(n, scope="食品" * n, valid_to=None)) for n in range(1, 5)]


def licences() -> list[tuple[bytes, bytes]]:
    return [(key, value) for key, value, _ in _messages() if key and value]


def headers_of(sent: bytes | None) -> list[tuple[str, bytes | None]]:
    """Return a message's own headers, or those of the first where it is spoilt."""
    return next((said for _, value, said in _messages() if value == sent), _messages()[0][2])


def test_whatever_a_topic_holds_has_a_verdict_and_both_ways_and_the_oracle_agree() -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=some(120))
    @given(st.lists(spoilt(licences()), min_size=1, max_size=6), st.sampled_from([0, b.LZ4]))
    def agree(sent: list[Spoilt], codec: int) -> None:
        fetched = b.batch([(k, v, headers_of(v)) for k, v in sent], codec=codec)
        fast, plain = (
            judge(b.read(fetched, whole=whole), "licence", b.PUBLISHERS).sort("offset")
            for whole in (True, False)
        )
        assert fast.to_dicts() == plain.to_dicts()
        assert fast["offset"].to_list() == [*range(len(sent))]
        for (key, value), row in zip(sent, fast.iter_rows(named=True), strict=True):
            seen[row["verdict"]] += 1
            seen[str(row["reason"])] += 1
            said = tuple(headers_of(value))
            _as_the_oracle_says(
                Message(b.PART.topic, b.PART.partition, row["offset"], key, value, said), row
            )

    agree()
    assert seen["accepted"] > some(20)
    assert seen["quarantined"] > some(20)
    assert seen >= Counter(["bad_frame", "bad_body", "tombstone", "key_mismatch", "unknown_schema"])


def _as_the_oracle_says(message: Message, row: dict[str, Any]) -> None:
    assert row["verdict"] in ("accepted", "quarantined")
    verdict = model(message, LINES)
    if verdict is None:
        return
    assert (row["verdict"] == "accepted") == verdict.accepted, verdict.reasons
    if not verdict.accepted:
        where = row["reason_where"]
        assert {row["reason"], f"{row['reason']}:{where}"} & verdict.reasons


@pytest.mark.timeout(some(1800))
def test_whatever_is_sent_to_a_topic_is_landed_with_a_verdict(kafka: str) -> None:
    sent = 0
    with founded(Mortal, kafka) as world, kept():
        row = {"代码": SUBJECTS[0], "机关": ISSUER, "状态": "2", "内容": "食品"}
        world.file([row | {"编号": number} for number in NUMBERS], None)
        world.land()
        first = [(one.key, one.value) for one in world.messages()]
        sendable = spoilt(first).filter(lambda one: one != (None, None))

        @settings(max_examples=some(20))
        @given(st.lists(sendable, min_size=1, max_size=12), st.booleans(), st.integers(0, 3))
        def whole_path(messages: list[Spoilt], plain: bool, partition: int) -> None:
            nonlocal sent
            sent += len(messages)
            raw.send(kafka, world.topic, messages, partition=partition)
            landed = land(world.settings, FAMILY, plain=plain)
            [mine] = [part for part in landed.parts if part.topic == world.topic]
            assert mine.accepted + mine.quarantined == len(messages)
            assert sum(landed.reasons.values()) == landed.quarantined

        whole_path()
        settle(world.settings, FAMILY, everything=True)
        found = verify(world.settings, FAMILY)
        assert found.differences == []
        world.follow()
        told = world.examined()
        world.close()
    assert told.messages == told.accepted + told.quarantined == sent + len(first)
    assert told.accepted > len(first)
    assert told.quarantined > some(20)
    assert told.unjudged <= told.messages // 20
    assert told.replica_rows == told.accepted
