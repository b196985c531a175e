"""What all tests share: no skip counts as a pass under CI, and the real Kafka."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import boto3
import pytest

from connectors.settings import Settings
from connectors.stack import Stack
from deploy.local import jars
from deploy.local import kafka as local_kafka
from deploy.local.lifecycle import down
from tests.support import lake

ROOT = Path(__file__).parents[1]
CI = os.environ.get("CI", "").lower() == "true"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Under CI a skipped test has failed: nobody would look at it. (-rs prints them elsewhere.)"""
    report = yield
    if CI and report.skipped and not hasattr(report, "wasxfail"):
        _fail(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Under CI a skipped module has failed, too."""
    report = yield
    if CI and report.skipped:
        _fail(report)
    return report


def _fail(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome = "failed"
    report.longrepr = f"Nothing may be skipped under CI=true. {reason}"


@pytest.fixture(scope="session")
def kafka_jars() -> Path:
    """The directory of Kafka's jars, the same for all test runs of this checkout."""
    libs = local_kafka.kafka_home(ROOT / ".mianti") / "libs"
    with _alone("jars"):
        if not jars.jars_are_here(libs):
            jars.fetch_jars(libs)
    return libs


@pytest.fixture(scope="session")
def new_home(
    kafka_jars: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Path]]:
    """Makes a MIANTI_HOME with Kafka's jars in place; whatever runs in it ends with the tests."""
    guards: list[subprocess.Popen[bytes]] = []

    def make() -> Path:
        home = tmp_path_factory.mktemp("home")
        local_kafka.kafka_home(home).mkdir()
        (local_kafka.kafka_home(home) / "libs").symlink_to(kafka_jars)
        guards.append(guarding(home))
        return home

    yield make
    for guard in guards:
        guard.communicate()


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a real Kafka: the one that is set, else one of our own for this test run.

    It is shared by all tests of the run: give topics names that no other test uses.
    """
    given = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if given:
        yield given
        return
    home: Path = request.getfixturevalue("new_home")()
    with running_kafka(Settings(mianti_home=home)) as address:
        yield address


@pytest.fixture(scope="session")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URI of a bucket on a real S3 server, which this process's environment names from then on."""
    folder, tools = tmp_path_factory.mktemp("s3"), ROOT / ".mianti" / "tools"
    with _alone("tools"):
        lake.fetch(tools)
    with (
        lake.server(tools, folder) as told,
        pytest.MonkeyPatch.context() as env,
    ):
        for name, value in told.items():
            env.setenv(name, value)
        boto3.client("s3").create_bucket(Bucket=lake.BUCKET)
        yield f"s3://{lake.BUCKET}"


@pytest.fixture(scope="module", params=["directory", "s3"])
def new_lake(request: pytest.FixtureRequest) -> Callable[[Path], str]:
    """Gives a place for the lake of a home: in it, and in a bucket; each test runs with both."""
    if request.param == "directory":
        return lambda home: str(home / "lake")
    bucket: str = request.getfixturevalue("bucket")
    return lambda _: f"{bucket}/{uuid4().hex}"


@contextmanager
def running_kafka(settings: Settings) -> Iterator[str]:
    """A Kafka of its own, for tests that kill or stop it."""
    server = local_kafka.launch(settings, None)
    Stack(kafka=server).write(settings.mianti_home)
    try:
        local_kafka.wait(settings, server)
        yield server.address
    finally:
        down(settings)


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """Let one process of a test run after the other: the first one fetches for all."""
    place = ROOT / ".mianti" / f"{name}.lock"
    place.parent.mkdir(exist_ok=True)
    with place.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def guarding(home: Path) -> "subprocess.Popen[bytes]":
    """Start what stops a home's servers however this process ends."""
    return subprocess.Popen(
        [sys.executable, str(ROOT / "tests" / "guard.py"), str(home)],
        stdin=subprocess.PIPE,
        start_new_session=True,  # an interrupt from the keyboard is not for it
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
