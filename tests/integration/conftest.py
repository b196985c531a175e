"""Exchanges of a test's own on the Kafka that all tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.exchange import Exchange


@pytest.fixture(scope="module", params=["directory", "s3"])
def new_lake(request: pytest.FixtureRequest) -> Callable[[Path], str]:
    """Gives a place for the lake of a home: in it, and in a bucket; each test runs with both."""
    if request.param == "directory":
        return lambda home: str(home / "lake")
    bucket: str = request.getfixturevalue("bucket")
    return lambda _: f"{bucket}/{uuid4().hex}"


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
