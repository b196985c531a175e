"""Keep what this release writes, for all later ones to go on from: `python -m tests.faults.freeze`.

A whole small installation of generated data, with keys made for it alone: Kafka's own files, lake,
ledgers, a window with its replica and receipts, and what a reader must find there. It is written
once, before a release, and never again: `test_upgrade.py` goes on from each.
"""

from __future__ import annotations

import json
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import yaml

from connectors.settings import Settings
from deploy.local.kafka import kafka_home
from flows.maintain import maintain
from flows.receipt.desk import change_key
from flows.receipt.register import register as register_keys
from tests.conftest import ROOT, running_kafka
from tests.faults.clerks import Asked
from tests.faults.whole import Place
from tests.support import kafka as raw
from tests.support.codes import uscc
from tests.support.exchange import Department, Exchange
from tests.support.window import Window, follow, penalty, serving, shipped

RELEASES: Final = Path(__file__).parent / "releases"
FAMILIES: Final = ("registration", "licence", "credit")
_PARTS: Final = ("catalogue", "files", "kafka/data", "lake", "ledger", "told.json", "window")


@dataclass
class Frozen:
    """An installation of a release: its exchange, and what was in it when it was kept.

    `rows`: every row published, by family, those that wait to be landed, too.
    """

    exchange: Exchange
    rows: dict[str, list[dict[str, Any]]]
    answers: list[dict[str, Any]]
    receipts: int
    landed: dict[str, int]
    bad: list[Place]

    @property
    def settings(self) -> Settings:
        """Return its settings."""
        return settings_of(self.exchange)

    def department(self, name: str) -> Department:
        """Return a department by the name it was made with."""
        return next(one for one in self.exchange.departments if one.id.startswith(f"{name}-"))


def settings_of(exchange: Exchange) -> Settings:
    """Return the settings of an installation: nothing that its home does not hold."""
    return exchange.settings_with(
        mianti_catalogue=exchange.home / "catalogue",
        mianti_window_behind_seconds=86_400,
        mianti_window_rate="100000/second",
    )


def thawed(archive: Path, home: Path) -> None:
    """Put a release's installation into a home."""
    with tarfile.open(archive) as kept:
        kept.extractall(home, filter="data")


def opened(home: Path, address: str) -> Frozen:
    """Return an installation whose Kafka runs."""
    exchange = Exchange(home, address, str(home / "lake"))
    [table] = home.glob("publishers-*.yaml")
    for id_, line in yaml.safe_load(table.read_text("utf-8"))["publishers"].items():
        one = Department(exchange, id_, line["code"], line["name"]["zh"], line)
        exchange.departments.append(one)
    told = json.loads((home / "told.json").read_text("utf-8"))
    told["bad"] = [tuple(place) for place in told["bad"]]
    return Frozen(exchange, **told)


def _fill(exchange: Exchange) -> dict[str, Any]:
    """Let departments publish, land, and a window answer; return what must be found there."""
    window = Window(exchange)
    code = uscc(len(exchange.departments) + 1, kind="11")
    rights = window.food.line["families"]["licence"] | {"issuers": [code]}
    register = exchange.department(
        "register", families={"registration": rights}, layouts={"mianti-registration": {}}
    )
    food, police = window.food, window.police
    licences = [food.licence(number) for number in range(1, 21)]
    fines = [penalty(police, number, CF_XDR_SHXYM=uscc(number)) for number in range(1, 6)]
    names = [_entry(register, number) for number in range(1, 11)]
    window.publish(*licences)
    window.punish(*fines)
    told = register.publisher.publish_rows("mianti-registration", names)
    assert told.published == len(names)
    exchange.ingest("registration")
    asked = Asked()
    _answer(exchange, asked)
    settings = settings_of(exchange)
    shipped(settings)
    change_key(settings.mianti_window, settings.mianti_window_name)
    register_keys(settings)
    changed = [food.licence(number, XK_ZT="2") for number in range(1, 6)]
    window.publish(*changed)
    bad = _poisoned(food)
    exchange.ingest()
    _answer(exchange, asked)
    for family in FAMILIES:
        maintain(settings, family)
    landed = {family: exchange.log(family).height for family in FAMILIES}
    waiting = [food.licence(number) for number in range(21, 31)]
    food.publish(waiting, "waiting.csv")
    return {
        "rows": {
            "licence": licences + changed + waiting,
            "credit": fines,
            "registration": names,
        },
        "answers": asked.answers,
        # Two keys are named in the chain.
        "receipts": len(asked.answers) + 2,
        "landed": landed,
        "bad": bad,
    }


def _entry(register: Department, number: int) -> dict[str, Any]:
    name = {"name": f"示范市第{number}食品有限公司"}
    return register.native(number, event_type="registered", subject=uscc(number), decision=name)


def _answer(exchange: Exchange, asked: Asked) -> None:
    settings = settings_of(exchange)
    follow(settings)
    with serving(settings) as url:
        asked.ask(url, settings, 3)


def _poisoned(department: Department) -> list[Place]:
    topic = department.topic()
    values = [(b"key", b"poison"), (b"key", None)]
    places = raw.send(department.exchange.address, topic, values, partition=1)
    return [(topic, *place) for place in places]


@contextmanager
def _home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        kafka_home(home).mkdir()
        (kafka_home(home) / "libs").symlink_to(kafka_home(ROOT / ".mianti") / "libs")
        yield home


def main() -> None:
    """Write this release's installation, unless it is there."""
    archive = RELEASES / f"{version('mianti')}.tar.xz"
    RELEASES.mkdir(exist_ok=True)
    with _home() as home, tarfile.open(archive, "x:xz", preset=9) as kept:
        with running_kafka(Settings(mianti_home=home)) as address:
            told = _fill(Exchange(home, address, str(home / "lake")))
        [*_, table] = sorted(home.glob("publishers-*.yaml"))
        (home / "told.json").write_text(json.dumps(told, ensure_ascii=False), "utf-8")
        for part in (*_PARTS, table.name):
            kept.add(home / part, part, filter=_nobodys)
    print(f"{archive}: {archive.stat().st_size:,} bytes")


def _nobodys(one: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Leave out locks, and whose the files were."""
    one.uid = one.gid = 0
    one.uname = one.gname = ""
    return None if one.name.endswith(".lock") else one


if __name__ == "__main__":
    main()
