"""Clients of Kafka: whatever they raise, a caller is told one clear sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
from kafka.errors import CorruptRecordError, NodeNotReadyError

from connectors.clients import KafkaUnreachable, client, kept


def once(ask: Callable[[], object]) -> None:
    with client("kind", object, lambda _: None):
        ask()


def away() -> None:
    raise NodeNotReadyError("No node_id provided")


@pytest.mark.parametrize("held", [kept, nullcontext], ids=["kept", "not kept"])
def test_a_kafka_that_goes_away_while_it_is_asked_is_one_that_does_not_answer(
    held: Callable[[], AbstractContextManager[None]],
) -> None:
    with held():
        once(lambda: None)
        with pytest.raises(KafkaUnreachable, match="NodeNotReadyError"):
            once(away)
        once(lambda: None)


@pytest.mark.parametrize("error", [ZeroDivisionError, CorruptRecordError])
def test_what_is_no_silence_of_kafka_comes_through(error: type[Exception]) -> None:
    def ask() -> None:
        raise error

    with pytest.raises(error):
        once(ask)


def test_a_kept_client_is_made_once_and_closed_at_the_end() -> None:
    made = numbers()
    closed: list[Any] = []
    with kept():
        for _ in range(2):
            with client("kind", lambda: next(made), closed.append) as one:
                assert one == 0
        assert closed == []
    assert closed == [0]


def numbers() -> Iterator[int]:
    yield from range(9)
