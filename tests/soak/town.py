"""What a soak runs on: two offices of the small layout, a food department, a police, one matter."""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from connectors import following
from connectors.settings import Settings
from deploy.local.ports import HOST, choose_port, listens
from deploy.window.tokens import issue
from flows.receipt.register import register
from tests import oracle
from tests.soak import ask, publish, rows
from tests.soak.parts import Broker, Part, Program
from tests.support.exchange import Department, Exchange
from tests.support.window import CLERK, Window

_DIALECTS: Final = Path(oracle.__file__).parent / "dialects"
MATTER: Final = "SP-1"
_CODES: Final = {"state": "law-state", "objection": "law-objection"}
MIANTI: Final = ["-c", "from deploy.cli.main import main; main()"]
#: Of the whole rate.
_SHARES: Final = {"law": 0.4875, "food": 0.02, "fines": 0.005}


@dataclass(frozen=True)
class Plan:
    """How long (seconds), how fast (a second), a kill how often; `victims`: whom, in turn.

    Without victims a part is chosen at random each time, by the seed. A machine too slow for `least`
    messages in that time is given more.
    """

    seconds: float = 900.0
    rate: float = 5_000.0
    asks: float = 50.0
    kill_every: float = 30.0
    seed: int = 0
    victims: tuple[str, ...] = ()
    least: int = 0

    @property
    def settle_every(self) -> float:
        """Return how often the scheduled ingest runs: each minute, as it is deployed."""
        return min(60.0, self.seconds / 5)

    @property
    def maintain_every(self) -> float:
        """Return how often the tables are maintained: each soak has six nights."""
        return self.seconds / 6


@dataclass
class Town:
    """Where everything is, and what runs."""

    plan: Plan
    window: Window
    offices: list[Department]
    broker: Broker
    folder: Path
    port: int
    parts: list[Part] = field(default_factory=list)
    jobs: list[publish.Job] = field(default_factory=list)

    @property
    def exchange(self) -> Exchange:
        return self.window.exchange

    @property
    def settings(self) -> Settings:
        """Return the settings of everything in it."""
        return self.window.exchange.settings_with(
            mianti_catalogue=self.window.catalogue, mianti_window_rate="100000/second"
        )

    @property
    def environment(self) -> dict[str, str]:
        return self.exchange.environment | {
            "MIANTI_CATALOGUE": str(self.window.catalogue),
            "MIANTI_WINDOW_RATE": "100000/second",
            "MIANTI_WINDOW_PORT": str(self.port),
        }

    @property
    def topics(self) -> list[str]:
        return [job.topic for job in self.jobs]

    @property
    def answers(self) -> Path:
        return self.folder / "answers.jsonl"

    def programs(self) -> list[Program]:
        return [part for part in self.parts if isinstance(part, Program)]

    def part(self, name: str) -> Program:
        return next(part for part in self.programs() if part.name == name)


def found(home: Path, broker: Broker, plan: Plan) -> Town:
    """Found a town in an empty home, on a broker that runs."""
    exchange = Exchange(home, broker.address, str(home / "lake"))
    exchange.dialects = _DIALECTS
    window = Window(exchange)
    offices = [
        exchange.department(f"law-{n}", layouts={"law-licence": {"codes": _CODES}}) for n in (1, 2)
    ]
    folder = home / "soak"
    folder.mkdir()
    port = choose_port(None, None, "")
    town = Town(plan, window, offices, broker, folder, port)
    town.jobs = [_job(town, one, kind) for one, kind in _publishers(town)]
    town.parts = [broker, *_programs(town)]
    return town


def _publishers(town: Town) -> list[tuple[Department, str]]:
    offices = [(one, "law") for one in town.offices]
    return [*offices, (town.window.food, "food"), (town.window.police, "fines")]


def _job(town: Town, one: Department, kind: str) -> publish.Job:
    plan = town.plan
    return publish.Job(
        id=one.id,
        code=one.code,
        name=one.name,
        kind=kind,
        rate=plan.rate * _SHARES[kind],
        each=1.0 if kind == "law" else 5.0,
        seed=plan.seed,
        folder=str(one.folder),
        begin=str(town.folder / "begin"),
        stop=str(town.folder / "stop"),
    )


def _programs(town: Town) -> list[Program]:
    home, plan = town.exchange.home, town.plan
    listening = partial(_listens, f"{HOST}:{town.port}")
    made = [
        _program(town, f"publisher {job.kind} {n}", ["-m", "tests.soak.publish", _write(town, n)])
        for n, job in enumerate(town.jobs, start=1)
    ]
    for one in made:
        one.finish = True
    register(town.settings)
    asker = town.folder / "asker.json"
    asker.write_text(json.dumps(vars(_asking(town))))
    return [
        *made,
        _program(town, "follow", [*MIANTI, "ingest", "--follow"], partial(following.follows, home)),
        _scheduled(town, "ingest", plan.settle_every),
        _scheduled(town, "maintain", plan.maintain_every),
        _program(town, "replica", ["-m", "flows.follow_window"], _told_something(town, "replica")),
        _program(town, "window", ["-m", "deploy.window.app"], listening),
        _program(town, "asker", ["-m", "tests.soak.ask", str(asker)]),
    ]


def _write(town: Town, number: int) -> str:
    path = town.folder / f"publisher-{number}.json"
    path.write_text(json.dumps(vars(town.jobs[number - 1])), "utf-8")
    return str(path)


def _asking(town: Town) -> ask.Job:
    plan = town.plan
    lasts = dt.timedelta(seconds=plan.seconds, hours=12)
    enterprises = rows.FOOD + rows.FOOD // 10  # some are known to nobody but the offices
    token = issue(town.settings, CLERK, lasts)
    where = str(town.answers)
    return ask.Job(HOST, town.port, token, plan.asks, enterprises, MATTER, plan.seed, where)


def _scheduled(town: Town, what: str, every: float) -> Program:
    mark = str(town.folder / f"{what}.at-work")
    made = _program(town, what, ["-m", "tests.soak.scheduled", what, mark], partial(_marked, mark))
    made.every, made.due = every, time.monotonic() + every / 2
    return made


def _program(
    town: Town,
    name: str,
    command: Sequence[str],
    begun: Callable[[int], bool] | None = None,
) -> Program:
    log = town.folder / f"{name.replace(' ', '-')}.log"
    default = partial(_marked, f"{command[-1]}.at-work")
    python = [sys.executable, *command]
    return Program(name, python, town.environment, log, begun or default)


def _marked(mark: str, pid: int) -> bool:
    path = Path(mark)
    return path.exists() and path.read_text() == str(pid)


def _listens(address: str, _: int) -> bool:
    return listens(address)


def _told_something(town: Town, name: str) -> Callable[[int], bool]:
    """Whether a process has written to its log since it was started."""
    log, known = town.folder / f"{name}.log", dict[int, int]()

    def told(pid: int) -> bool:
        size = log.stat().st_size if log.exists() else 0
        return size > known.setdefault(pid, size)

    return told


def poison(seed: int, number: int) -> list[tuple[bytes | None, bytes | None]]:
    """Return messages that are no events, each in its own way."""
    text = f"{seed} {number}".encode()
    return [(b"key", b"poison " + text), (b"key", None), (text, b"\0\0\0\0\x09" + text)]
