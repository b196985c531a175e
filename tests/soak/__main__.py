"""`python -m tests.soak`: a soak with its own Kafka, in a folder of its own; see `make soak`."""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.settings import Settings
from deploy.local import kafka as local_kafka
from tests.conftest import ROOT, guarding, running_kafka
from tests.soak.figures import Told, tell
from tests.soak.judge import judge
from tests.soak.parts import Broker
from tests.soak.run import run
from tests.soak.table import table
from tests.soak.town import Plan, Town, found


def soak(home: Path, plan: Plan) -> Told:
    """Run a soak in an empty home with Kafka's jars in place; return what it came to."""
    settings = Settings(mianti_home=home, kafka_bootstrap_servers=None)
    with running_kafka(settings) as address:
        town = found(home, Broker(settings, address), plan)
        return judged(town)


def judged(town: Town) -> Told:
    """Run it in a town, and judge it while its Kafka is there."""
    ran = run(town)
    return tell(town, ran, judge(town, ran))


@contextmanager
def _home(keep: Path | None) -> Iterator[Path]:
    home = keep or Path(tempfile.mkdtemp(prefix="mianti-soak-"))
    kafka = local_kafka.kafka_home(home)
    kafka.mkdir(parents=True)
    kept = Settings(mianti_home=ROOT / ".mianti", kafka_bootstrap_servers=None)
    if not local_kafka.is_prepared(kept):
        local_kafka.prepare(kept)
    (kafka / "libs").symlink_to(local_kafka.kafka_home(ROOT / ".mianti").resolve() / "libs")
    guard = guarding(home)
    try:
        yield home
    finally:
        guard.communicate()


def _plan(given: argparse.Namespace) -> Plan:
    seed = random.randrange(10**6) if given.seed is None else given.seed
    victims = tuple(one.strip() for one in given.victims.split(",") if one.strip())
    return Plan(given.seconds, given.rate, given.asks, given.kill_every, seed, victims)


def main() -> int:
    """Run it as it is told; return 0 when all is sound and within its bounds."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=900.0)
    parser.add_argument("--rate", type=float, default=5_000.0, help="events a second")
    parser.add_argument("--asks", type=float, default=50.0, help="questions a second")
    parser.add_argument("--kill-every", type=float, default=30.0, help="seconds")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--victims", default="", help="parts to kill in turn, with commas")
    parser.add_argument("--keep", type=Path, default=None, help="an empty folder that stays")
    parser.add_argument("--report", type=Path, default=ROOT / ".mianti" / "soak.json")
    given = parser.parse_args()
    plan = _plan(given)
    print(f"seed {plan.seed}", flush=True)
    with _home(given.keep) as home:
        told = soak(home, plan)
    text = json.dumps(told.as_json(), indent=1, ensure_ascii=False)
    given.report.write_text(f"{text}\n", "utf-8")
    print(table(told))
    print(f"All figures: {given.report}")
    if told.sound and given.keep is None:
        shutil.rmtree(home)
    else:
        print(f"What it has left: {home}")
    return 0 if told.sound and told.bounded else 1


if __name__ == "__main__":
    sys.exit(main())
