"""Schema ids: not there, not to be asked for, changed; by a real registry, and by `schemas/ids.yaml`."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from click.testing import CliRunner

from connectors.registry import RegistryUnreachable
from deploy.cli.main import cli
from flows.land import land
from flows.quarantine import Chosen, listed
from flows.redrive import Redriven, redrive
from tests.conftest import ROOT, _alone
from tests.faults.processes import again, mianti
from tests.faults.reliability import Fault
from tests.faults.scene import Scene
from tests.faults.whole import published
from tests.support import kafka as raw
from tests.support import registry as registries
from tests.support.exchange import Exchange
from tests.support.lake import delta
from tests.support.registry import NONE, Answer, Registry, stand_in

_NAME: Final = "mianti.licence.LicenceEvent"
_MAIN: Final = "from deploy.cli.main import main; main()"
_TABLES: Final = ("log", "history", "datasets")
_STOPPED: Final = 2
_EVERY: Final = Chosen()
#: The built-in ids of every version.
_IDS: Final = [*range(1, 7)]
#: Nothing that says "there is none": the registry is as good as away.
_NO_ANSWERS: Final[dict[str, Answer]] = {
    "hung up": None,
    "500": (500, b'{"error_code":50001,"message":"down"}'),
    "503, no JSON": (503, b"<html>busy</html>"),
    "401": (401, b'{"error_code":40101,"message":"who"}'),
    "another 404": (404, b'{"error_code":404,"message":"no such page"}'),
    "moved": (302, b"{}"),
    "a page": (200, b"<html>welcome</html>"),
    "no schema": (200, b'{"schema":null}'),
    "a list": (200, b"[1]"),
}


@pytest.fixture(scope="session")
def apicurio() -> Path:
    """The registry's program, fetched once for all test runs of this checkout."""
    with _alone("registry"):
        return registries.fetch(ROOT / ".mianti" / "registry")


@pytest.fixture(scope="module")
def registry(apicurio: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A real registry, which all tests here put schemas into."""
    with registries.running(apicurio, tmp_path_factory.mktemp("registry")) as one:
        yield one


@pytest.mark.fault("a schema id that the registry does not have yet", how="Apicurio; redriven")
def test_no_schema_yet(exchange: Exchange, registry: Registry, fault: Fault) -> None:
    scene, early = registered(exchange, registry), registry.next_id()
    publish_by(scene, early, *range(31, 41))
    exchange.ingest()
    assert waiting(exchange) == {"unknown_schema": 10}
    assert exchange.dataset().height == 30
    still = Redriven("licence", reasons={"unknown_schema": 10})
    assert redrive(exchange.settings, "licence", _EVERY) == still

    assert registry.post(_NAME, registries.text("licence", doc=f"id {early}")) == early
    assert redrive(exchange.settings, "licence", _EVERY) == Redriven("licence", accepted=10)
    assert remembered(exchange, early)
    exchange.ingest()
    fault.flowed = scene.whole()
    assert fault.flowed == 30 + 10


@pytest.mark.fault("a schema id that the release does not have yet", how="`ids.yaml`; redriven")
def test_no_schema_in_this_release(exchange: Exchange, tmp_path: Path, fault: Fault) -> None:
    scene = Scene(exchange, exchange.department())
    scene.publish(*range(1, 31))
    older = release(tmp_path, lambda ids: [row for row in ids if row["family"] != "licence"])
    assert run(older, exchange).returncode == 0
    assert waiting(exchange) == {"unknown_schema": 30}

    assert redrive(exchange.settings, "licence", _EVERY) == Redriven("licence", accepted=30)
    assert remembered(exchange, 5)
    exchange.ingest()
    fault.flowed = scene.whole()
    assert fault.flowed == 30


@pytest.mark.fault("the registry killed", how="SIGKILL of Apicurio, started again, empty")
def test_killed(exchange: Exchange, apicurio: Path, tmp_path: Path, fault: Fault) -> None:
    with registries.running(apicurio, tmp_path) as registry:
        scene = registered(exchange, registry)
        assert register(exchange) == _IDS  # an empty one gives the built-in ids
        exchange.ingest()
        scene.publish(*range(31, 41))
        registry.kill()
        known_go_on_and_unknown_stop(scene, len(_IDS) + 1)
        ended = mianti(exchange.environment, "publish", str(file_of(scene, 51)), "--publisher",
                       scene.department.id)  # fmt: skip
        assert ended.returncode == _STOPPED
        assert f"The schema registry gives no answer about {_NAME} (ConnectError)" in ended.stderr
        assert len(published(exchange)) == 50

        registry.close()
        registry.start()
        assert register(exchange) == _IDS
        assert registry.post(_NAME, registries.text("licence", doc="new")) == len(_IDS) + 1
        again(exchange.environment, "ingest", "licence")
        fault.flowed = scene.whole()
        assert fault.flowed == 50


@pytest.mark.fault("the registry frozen", how="SIGSTOP of Apicurio, SIGCONT")
def test_frozen(exchange: Exchange, registry: Registry, fault: Fault) -> None:
    scene = registered(exchange, registry)
    exchange.ingest()
    scene.publish(*range(31, 41))
    new = registry.next_id()
    assert registry.post(_NAME, registries.text("licence", doc=f"id {new}")) == new
    registry.freeze()
    try:
        known_go_on_and_unknown_stop(scene, new)
    finally:
        registry.thaw()
    again(exchange.environment, "ingest", "licence")
    fault.flowed = scene.whole()
    assert fault.flowed == 50


@pytest.mark.fault("a registry that answers, and says nothing of use", how=", ".join(_NO_ANSWERS))
def test_no_answer_of_use(exchange: Exchange, registry: Registry, fault: Fault) -> None:
    scene = registered(exchange, registry)
    exchange.ingest()
    scene.publish(*range(31, 41))
    new = registry.post(_NAME, registries.text("licence", doc=f"id {registry.next_id()}"))
    both = asked(known_id(scene)), asked(new)
    with stand_in(registry.url) as liar:
        exchange.registry = liar.url
        liar.says = dict.fromkeys(both, (503, b""))
        exchange.ingest()  # the log knows what the registry does not tell
        assert waiting(exchange) == {}
        before = versions(exchange)
        publish_by(scene, new, *range(41, 51))
        for name, answer in _NO_ANSWERS.items():
            liar.says = dict.fromkeys(both, answer)
            with pytest.raises(RegistryUnreachable, match=f"no answer about schema id {new} "):
                land(exchange.settings, "licence")
            assert versions(exchange) == before, name
        liar.says = {}
        exchange.ingest()
        assert liar.asked[asked(new)] == len(_NO_ANSWERS) + 1  # once for each run
    fault.flowed = scene.whole()
    assert fault.flowed == 50


@pytest.mark.fault("another schema under a known id, in the registry", how="one answer changed")
def test_changed(exchange: Exchange, registry: Registry, fault: Fault) -> None:
    scene = registered(exchange, registry)
    exchange.ingest()
    before, known = versions(exchange), known_id(scene)
    scene.publish(*range(31, 41))
    with stand_in(registry.url) as liar:
        liar.schema(known, registries.text("registration"))
        exchange.registry = liar.url
        for _ in range(2):  # it goes on refusing
            told = refused(exchange)
            assert f"Schema id {known} has changed" in told
            assert "were landed as licence v2, and now it is registration v2." in told
        liar.schema(known, '{"type":"record","name":"Stranger","fields":[]}')
        assert "it is a schema that this release does not know" in refused(exchange)
        liar.schema(known, "nonsense")
        assert "it is no Avro schema" in refused(exchange)
        assert versions(exchange) == before

        liar.says[asked(known)] = NONE  # what was landed by it is proof enough
        exchange.ingest()
        assert waiting(exchange) == {}
        exchange.registry = registry.url
        scene.publish(*range(41, 46))
        liar.says, exchange.registry = {}, liar.url
        exchange.ingest()
    fault.flowed = scene.whole()
    assert fault.flowed == 45


@pytest.mark.fault("a registry that is wrong at first, and put right", how="one answer changed")
def test_wrong_at_first(exchange: Exchange, registry: Registry, fault: Fault) -> None:
    scene = registered(exchange, registry)
    known = known_id(scene)
    with stand_in(registry.url) as liar:
        liar.schema(known, registries.text("registration"))
        exchange.registry = liar.url
        exchange.ingest()
        assert waiting(exchange) == {"schema_of_other_family": 30}
        assert not remembered(exchange, known)  # nothing was read by it
    exchange.registry = registry.url
    assert redrive(exchange.settings, "licence", _EVERY) == Redriven("licence", accepted=30)
    exchange.ingest()
    fault.flowed = scene.whole()
    assert fault.flowed == 30


@pytest.mark.fault("another schema under a known id, in a release", how="two ids exchanged")
def test_changed_in_this_release(exchange: Exchange, tmp_path: Path, fault: Fault) -> None:
    scene = Scene(exchange, exchange.department())
    scene.publish(*range(1, 31))
    exchange.ingest()
    before = versions(exchange)
    scene.publish(*range(31, 41))
    other = {"registration": "licence", "licence": "registration"}
    wrong = release(
        tmp_path, lambda ids: [r | {"family": other.get(r["family"], r["family"])} for r in ids]
    )
    ended = run(wrong, exchange)
    assert ended.returncode == _STOPPED
    assert "Schema id 5 has changed: messages by it were landed as licence v2" in ended.stderr
    assert versions(exchange) == before
    exchange.ingest()
    fault.flowed = scene.whole()
    assert fault.flowed == 40


@pytest.mark.fault("schemas that no release of ours has", how="Apicurio; among good messages")
def test_strangers(exchange: Exchange, registry: Registry, fault: Fault) -> None:
    scene, known = registered(exchange, registry), registry.next_id()
    stranger = known - 1
    ids = {stranger: "foreign_schema", 0: "unknown_schema", 2**32 - 1: "unknown_schema"}
    topic, good = scene.department.topic(), next(iter(published(exchange).values())).value
    values = [struct.pack(">bI", 0, one) + good[5:] for one in ids for _ in range(2)]
    spread = [(b"key", value) for value in values]
    scene.bad += [(topic, *at) for at in raw.send(exchange.address, topic, spread, partition=1)]
    with stand_in(registry.url) as seen:
        exchange.registry = seen.url
        exchange.ingest()
        counts = {path: number for path, number in seen.asked.items() if "ids" in path}
        assert counts == {asked(one): 1 for one in (known_id(scene), stranger, 0)}
    assert waiting(exchange) == {"foreign_schema": 2, "unknown_schema": 4}
    assert redrive(exchange.settings, "licence", _EVERY).waiting == 6
    assert not any(remembered(exchange, one) for one in ids)
    fault.flowed = scene.whole()
    assert fault.flowed == 30 + 6


def test_publishing_needs_a_registered_schema(exchange: Exchange, registry: Registry) -> None:
    scene = registered(exchange, registry)
    with stand_in(registry.url) as lacking:
        lacking.says[f"/subjects/{_NAME}"] = NONE
        exchange.registry = lacking.url
        told = publishing(scene, 31)
        assert f"does not have {_NAME} v2 of this release: run `mianti schema register`" in told
        lacking.says[f"/subjects/{_NAME}"] = None
        assert f"no answer about {_NAME} (RemoteProtocolError)" in publishing(scene, 31)
        assert len(published(exchange)) == 30
        lacking.says = {}
        scene.publish(31)
    exchange.ingest()
    assert scene.whole() == 31


def registered(exchange: Exchange, registry: Registry) -> Scene:
    """Return an exchange with thirty licences published by the ids of a registry."""
    exchange.registry = registry.url
    assert len({*register(exchange)}) == len(_IDS)
    scene = Scene(exchange, exchange.department())
    scene.publish(*range(1, 31))
    return scene


def register(exchange: Exchange) -> list[int]:
    """Put the release's schemas into the registry; return their ids, in the built-in order."""
    told = CliRunner(env=exchange.environment).invoke(cli, ["schema", "register"])
    assert told.exit_code == 0, told.output
    lines = dict(line.rsplit(": ", 1) for line in told.output.splitlines())
    assert {f"{_NAME} v1", f"{_NAME} v2"} <= lines.keys()
    return [*map(int, lines.values())]


def publish_by(scene: Scene, schema_id: int, *numbers: int) -> None:
    """Publish licences by an id that another registry gives the publisher."""
    exchange = scene.exchange
    ours = exchange.registry
    with stand_in() as other:
        other.number(_NAME, schema_id)
        exchange.registry = other.url
        scene.publish(*numbers)
    exchange.registry = ours
    sent = [schema_of(message) for message in published(exchange).values()]
    assert sent.count(schema_id) == len(numbers)


def known_go_on_and_unknown_stop(scene: Scene, new: int) -> None:
    """Land what has come by the known id, and nothing of what comes by a new one."""
    exchange = scene.exchange
    landed = mianti(exchange.environment, "ingest", "licence")  # in a process that knows nothing
    assert landed.returncode == 0, landed.stderr
    assert exchange.dataset().height == 40
    assert waiting(exchange) == {}
    before = versions(exchange)
    publish_by(scene, new, *range(41, 51))
    ended = mianti(exchange.environment, "ingest", "licence")
    assert ended.returncode == _STOPPED
    assert f"The schema registry gives no answer about schema id {new} (" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert versions(exchange) == before


def refused(exchange: Exchange) -> str:
    """Ingest, which must be refused; return what is said."""
    told = CliRunner(env=exchange.environment).invoke(cli, ["ingest", "licence"])
    assert told.exit_code == _STOPPED, told.output
    return told.stderr


def publishing(scene: Scene, number: int) -> str:
    """Publish a file, which must be refused; return what is said."""
    command = ["publish", str(file_of(scene, number)), "--publisher", scene.department.id]
    told = CliRunner(env=scene.exchange.environment).invoke(cli, command)
    assert told.exit_code == _STOPPED, told.output
    return told.stderr


def file_of(scene: Scene, number: int) -> Path:
    return scene.department.file([scene.department.licence(number)], f"one-{number}.csv")


def waiting(exchange: Exchange) -> dict[str, int]:
    """Return how many messages wait in quarantine, by reason."""
    told = listed(exchange.settings, "licence", _EVERY)
    return dict(told.select("reason", "messages").iter_rows())


def remembered(exchange: Exchange, schema_id: int) -> bool:
    """Whether the log holds what an id means."""
    table = delta(f"{exchange.lake}/log/licence")
    return table.transaction_version(f"schema:{schema_id}") is not None


def versions(exchange: Exchange) -> dict[str, int]:
    return {kind: delta(f"{exchange.lake}/{kind}/licence").version() for kind in _TABLES}


def known_id(scene: Scene) -> int:
    """Return the id of the first message of all."""
    return schema_of(next(iter(published(scene.exchange).values())))


def schema_of(message: Any) -> int:
    return int(struct.unpack(">bI", message.value[:5])[1])


def asked(schema_id: int) -> str:
    return f"/schemas/ids/{schema_id}"


Ids = list[dict[str, Any]]


def release(folder: Path, change: Callable[[Ids], Ids]) -> Path:
    """Copy the contract, with other built-in ids."""
    schemas = folder / "release" / "schemas"
    shutil.copytree(ROOT / "schemas", schemas, ignore=shutil.ignore_patterns("__pycache__"))
    ids = change(yaml.safe_load((schemas / "ids.yaml").read_text("utf-8")))
    (schemas / "ids.yaml").write_text(yaml.safe_dump(ids), "utf-8")
    return schemas.parent


def run(release: Path, exchange: Exchange) -> subprocess.CompletedProcess[str]:
    """Ingest by another release."""
    env = os.environ | exchange.environment | {"PYTHONPATH": f"{release}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-c", _MAIN, "ingest", "licence"]
    return subprocess.run(
        command, env=env, cwd=release, capture_output=True, text=True, check=False
    )
