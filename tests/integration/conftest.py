"""Exchanges of a test's own on the Kafka that all tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.exchange import Exchange


@pytest.fixture
def exchange(kafka: str, tmp_path: Path) -> Iterator[Exchange]:
    """An exchange for one test; its topics are deleted afterwards."""
    made = Exchange(tmp_path, kafka)
    yield made
    made.close()


@pytest.fixture(scope="module")
def make_exchange(
    kafka: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Exchange]]:
    """Makes exchanges for several tests of one module."""
    made: list[Exchange] = []

    def make() -> Exchange:
        made.append(Exchange(tmp_path_factory.mktemp("exchange"), kafka))
        return made[-1]

    yield make
    for one in made:
        one.close()
