"""The parts of the local stack that need no server: prerequisites, ports, processes."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from connectors.settings import Settings
from connectors.stack import Server, start_mark
from deploy.local.lifecycle import up
from deploy.local.ports import PortTaken, choose_port, last_port
from deploy.local.prerequisites import Missing, java
from deploy.local.processes import NotStarted, log_file, start, stop, wait_until


def program(directory: Path, name: str, says: str) -> None:
    """A program that only says something on stderr, as `java -version` does."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_text(f"#!/bin/sh\necho '{says}' >&2\n")
    (directory / name).chmod(0o755)


@pytest.fixture
def only_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory that is all of PATH."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    for variable in ("JAVA_HOME", "KAFKA_BOOTSTRAP_SERVERS", "PREFECT_API_URL"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path / "bin"


def test_without_java_nothing_is_started_and_the_package_is_named(
    only_path: Path, tmp_path: Path
) -> None:
    with pytest.raises(Missing, match="apt-get install openjdk-17-jre-headless"):
        up(Settings(mianti_home=tmp_path / "home"))
    assert not (tmp_path / "home" / "stack.json").exists()


@pytest.mark.parametrize("version", ["1.8.0_392", "11.0.2", "16-ea"])
def test_an_old_java_is_no_java(only_path: Path, version: str) -> None:
    program(only_path, "java", f'openjdk version "{version}"')
    with pytest.raises(Missing, match="Java 17 or newer"):
        java()


@pytest.mark.parametrize("version", ["17.0.15", "25-ea"])
def test_java_home_goes_before_the_path(
    only_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    program(only_path, "java", 'openjdk version "11.0.2"')
    program(tmp_path / "jdk" / "bin", "java", f'openjdk version "{version}" 2025-04-15')
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jdk"))
    assert java() == str(tmp_path / "jdk" / "bin" / "java")


def test_without_maven_nothing_is_started_and_the_package_is_named(
    only_path: Path, tmp_path: Path
) -> None:
    program(only_path, "java", 'openjdk version "21"')
    with pytest.raises(Missing, match="apt-get install maven"):
        up(Settings(mianti_home=tmp_path / "home"))
    assert not (tmp_path / "home" / "stack.json").exists()


def test_with_servers_of_the_users_own_nothing_is_needed_or_started(
    only_path: Path, tmp_path: Path
) -> None:
    settings = Settings(
        mianti_home=tmp_path / "home",
        kafka_bootstrap_servers="theirs:9092",
        prefect_api_url="http://theirs/api",
    )
    stack = up(settings, flows=False)
    assert {server for _, server in stack} == {None}


def test_a_port_that_was_asked_for_is_taken_or_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken: int = other.getsockname()[1]
        with pytest.raises(PortTaken, match="MIANTI_KAFKA_PORT"):
            choose_port(taken, None, "MIANTI_KAFKA_PORT")
        assert choose_port(None, taken, "MIANTI_KAFKA_PORT") != taken
    assert choose_port(None, taken, "MIANTI_KAFKA_PORT") == taken


@pytest.mark.parametrize("address", ["127.0.0.1:21000", "http://127.0.0.1:21000/api"])
def test_the_last_port_is_read_from_an_address(address: str) -> None:
    assert last_port(Server(address=address)) == 21000


def test_a_process_that_ends_while_starting_is_told_with_its_log(tmp_path: Path) -> None:
    server = start("short", [sys.executable, "-c", "print('why')"], "-", home=tmp_path)
    with pytest.raises(NotStarted, match=r"short\.log"):
        wait_until(lambda: False, server, "short", home=tmp_path, seconds=30)
    assert log_file(tmp_path, "short").read_text() == "why\n"


def test_a_process_that_never_answers_is_told_at_the_deadline(tmp_path: Path) -> None:
    server = start("mute", ["sleep", "60"], "-", home=tmp_path)
    try:
        with pytest.raises(NotStarted, match="did not answer"):
            wait_until(lambda: False, server, "mute", home=tmp_path, seconds=0)
    finally:
        stop(server, seconds=0)


STUBBORN = (
    "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
)


def test_a_process_that_does_not_heed_is_killed(tmp_path: Path) -> None:
    server = start("deaf", [sys.executable, "-c", STUBBORN], "-", home=tmp_path)
    log = log_file(tmp_path, "deaf")
    wait_until(lambda: log.read_text() == "1\n", server, "deaf", home=tmp_path, seconds=30)
    assert stop(server, seconds=0.3) == Server(address="-")
    assert not server.alive


def test_what_a_server_started_ends_with_it(tmp_path: Path) -> None:
    server = start("nest", ["sh", "-c", "sleep 60 & echo $!; wait"], "-", home=tmp_path)
    log = log_file(tmp_path, "nest")
    wait_until(lambda: log.read_text() != "", server, "nest", home=tmp_path, seconds=30)
    child = int(log.read_text())
    assert start_mark(child) is not None
    stop(server, seconds=30)
    while start_mark(child) is not None:  # killed by now; the system takes a moment to see to it
        time.sleep(0.01)


def test_a_recycled_pid_is_never_killed() -> None:
    # The pid is this test's own, which started at another time than the server did.
    assert stop(Server(address="-", pid=os.getpid(), started="1"), seconds=0).pid is None
    assert start_mark(os.getpid()) is not None


def test_a_process_that_ended_before_it_was_looked_at_is_not_alive() -> None:
    assert not Server(address="-", pid=2**22 + 1).alive


def test_the_log_of_the_former_life_is_kept_beside(tmp_path: Path) -> None:
    for word in ("first", "second"):
        server = start("twice", ["echo", word], "-", home=tmp_path)
        while server.alive:
            time.sleep(0.01)
    log = log_file(tmp_path, "twice")
    assert log.read_text() == "second\n"
    assert log.with_suffix(".log.1").read_text() == "first\n"


@pytest.mark.parametrize("module", ["deploy.local.runs", "deploy.local.serve"])
def test_whatever_speaks_to_prefect_has_its_telemetry_off(module: str) -> None:
    """Also where no module of `flows`, which switches it off, was imported before."""
    code = f"import os, {module} as its; its.client_of; print(os.environ['DO_NOT_TRACK'])"
    plain = {name: value for name, value in os.environ.items() if name != "DO_NOT_TRACK"}
    told = subprocess.run(
        [sys.executable, "-c", code], env=plain, capture_output=True, text=True, check=True
    )
    assert told.stdout == "1\n"
