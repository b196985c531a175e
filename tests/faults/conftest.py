"""Faults on the Kafka that all tests share, and the table of what came of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connectors.settings import Settings
from tests.conftest import running_kafka
from tests.faults.broker import Broker
from tests.faults.reliability import Fault, Noting, Reliability
from tests.support.exchange import Exchange

_OPTION = "--reliability"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Only who asks for it has the table written: `make faults`."""
    parser.addoption(_OPTION, type=Path, help="write what came of each fault into this file")


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker that says what is broken and how."""
    config.addinivalue_line("markers", "fault(what, how): what is broken, and by which means")
    config.addinivalue_line("markers", "long: waits for minutes; run by name, or by `make faults`")
    path: Path | None = config.getoption(_OPTION, None)
    if path is not None:
        config.pluginmanager.register(Noting(), "noting")
        if not hasattr(config, "workerinput"):  # of several processes, one writes
            config.pluginmanager.register(Reliability(path), "reliability")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what waits for minutes, unless it is named or the table is written."""
    if config.option.keyword or config.getoption(_OPTION, None) is not None:
        return
    long = [item for item in items if item.get_closest_marker("long")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


@pytest.fixture
def fault(request: pytest.FixtureRequest) -> Iterator[Fault]:
    """Give what a test notes how much flowed on: one that notes nothing has shown nothing."""
    noted = Fault()
    request.node.stash[Fault.KEY] = noted
    yield noted
    marked = request.node.get_closest_marker("fault")
    assert marked is not None, "the test does not say which fault it makes"


@pytest.fixture(scope="module")
def new_lake() -> Callable[[Path], str]:
    """Give the lake a directory in its home."""
    return lambda home: str(home / "lake")


@pytest.fixture(scope="module")
def broker(new_home: Callable[[], Path]) -> Iterator[Broker]:
    """A broker of the module's own, to be killed, stopped and frozen."""
    settings = Settings(mianti_home=new_home(), kafka_bootstrap_servers=None)
    with running_kafka(settings) as address:
        yield Broker(settings, address)


@pytest.fixture
def exchange(kafka: str, tmp_path: Path, new_lake: Callable[[Path], str]) -> Iterator[Exchange]:
    """An exchange for one test; its topics are deleted afterwards."""
    made = Exchange(tmp_path, kafka, new_lake(tmp_path))
    yield made
    made.close()
