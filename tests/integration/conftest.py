"""Exchanges of a test's own on the Kafka that all tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.exchange import Exchange


@pytest.fixture
def exchange(kafka: str, tmp_path: Path, new_lake: Callable[[Path], str]) -> Iterator[Exchange]:
    """An exchange for one test; its topics are deleted afterwards."""
    made = Exchange(tmp_path, kafka, new_lake(tmp_path))
    yield made
    made.close()


@pytest.fixture(scope="module")
def make_exchange(
    kafka: str, tmp_path_factory: pytest.TempPathFactory, new_lake: Callable[[Path], str]
) -> Iterator[Callable[[], Exchange]]:
    """Makes exchanges for several tests of one module."""
    made: list[Exchange] = []

    def make() -> Exchange:
        home = tmp_path_factory.mktemp("exchange")
        made.append(Exchange(home, kafka, new_lake(home)))
        return made[-1]

    yield make
    for one in made:
        one.close()
