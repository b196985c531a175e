"""The runbook of backup and restore, its own commands, while departments go on publishing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import polars as pl

from connectors.settings import Settings
from flows.ingest import ingest
from flows.publish import Publisher
from flows.receipt.verify import verify as prove
from flows.replica import place, rebuild
from flows.verify import verify
from schemas.avro import FAMILIES
from tests.conftest import running_kafka
from tests.support import kafka as raw
from tests.support.codes import uscc
from tests.support.exchange import Exchange
from tests.support.lake import read
from tests.support.window import (
    LICENCE,
    SUBJECT,
    Window,
    follow,
    penalty,
    serving,
    shipped,
    token,
)

ROOT = Path(__file__).parents[2]
BACKUP, COLD, RESTORE = re.findall(
    r"```sh\n(.*?)```", (ROOT / "docs/runbooks/backup.md").read_text("utf-8"), re.DOTALL
)


def run(block: str, home: Path, backup: Path) -> int:
    """Run a block of the runbook as an operator would."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = os.environ | {"MIANTI_HOME": str(home), "BACKUP": str(backup), "PATH": path}
    return subprocess.run(["bash", "-c", block], env=env, check=False).returncode


def ask(settings: Settings) -> dict[str, Any]:
    follow(settings)
    with serving(settings) as url:
        signed = {"Authorization": f"Bearer {token(settings)}"}
        body = {"subject": SUBJECT, "matter": "SP-1"}
        told: dict[str, Any] = httpx.post(
            f"{url}/v1/ask", json=body, headers=signed, timeout=30
        ).json()
    return told


def content(settings: Settings, family: str) -> pl.DataFrame:
    rows = read(f"{settings.mianti_lake}/datasets/{family}")
    landed = ("first_landed_at", "last_landed_at")  # of the restored landing
    return rows.drop(landed).sort("subject", "record_key")


def test_a_restored_installation_has_all_and_goes_on(
    new_home: Callable[[], Path], tmp_path: Path
) -> None:
    home, fresh, backup = new_home(), new_home(), tmp_path / "backup"
    with running_kafka(Settings(mianti_home=home)) as address:
        window = Window(Exchange(home, address, str(home / "lake")))
        food, settings = window.food, window.settings
        window.publish(*(food.licence(n) for n in range(1, 21)))
        window.punish(penalty(window.police, 5, CF_XDR_SHXYM=uscc(5)))
        before = ask(settings)
        assert shipped(settings) >= 1
        copied = threading.Event()

        def go_on() -> None:
            number = 100
            while not copied.is_set() or number < 103:
                window.publish(food.licence(number))
                number += 1

        publishing = threading.Thread(target=go_on)
        publishing.start()
        try:
            assert any(run(BACKUP, home, backup) == 0 for _ in range(10))
        finally:
            copied.set()
            publishing.join()
        there = {family: content(settings, family) for family in ("licence", "credit")}
        sent = len(raw.messages(address, food.topic()))
        assert there["licence"].height >= 23
        assert run(COLD, home, backup) == 0
    for lost in ("lake", "ledger", "window"):
        shutil.rmtree(home / lost)

    assert run(RESTORE, fresh, backup) == 0
    with running_kafka(Settings(mianti_home=fresh)) as address:
        ours: dict[str, Any] = {"mianti_home": fresh, "mianti_lake": str(fresh / "lake")}
        ours |= {"kafka_bootstrap_servers": address, "mianti_window_name": "window-2"}
        kept = ("mianti_publishers", "mianti_catalogue")
        again = Settings(**ours, **{name: getattr(settings, name) for name in kept})
        assert len(raw.messages(address, food.topic())) == sent
        for family in FAMILIES:
            ingest(again, family)
            assert verify(again, family).differences == []
        for family, rows in there.items():
            assert content(again, family).equals(rows)
        with place(again).alone():
            assert rebuild(again) > 0
        with closing(place(again).open()) as replica:
            assert {*replica.versions(SUBJECT)} == {"licence"}

        assert prove(again, before["receipt"]["id"]).flaws == []
        after = ask(again)
        assert after["receipt"]["id"] == "window-2-2"
        assert shipped(again) >= 1
        assert prove(again, after["receipt"]["id"]).flaws == []
        first = food.folder / "0.csv"
        publisher = Publisher(food.id, again)
        same = publisher.publish_file(first, layout=LICENCE)
        assert (same.read, same.published) == (20, 0)
        more = food.file([food.licence(900)], "more.csv")
        assert publisher.publish_file(more, layout=LICENCE).published == 1
        ingest(again, "licence")
        assert content(again, "licence").height == there["licence"].height + 1
        assert verify(again, "licence").differences == []
