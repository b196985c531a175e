"""Two departments, one matter, and what a window is told: for tests of asking."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from threading import Thread
from typing import Any

import polars as pl
import uvicorn
import yaml

from connectors.receipts import Receipts, answering
from connectors.settings import Settings
from deploy.window.app import make_app, server_config
from deploy.window.tokens import Caller, issue
from flows.answer.ask import as_json, ask, cycles, gather
from flows.answer.asked import ASKED
from flows.answer.at_window import Gathering
from flows.answer.batch import ask_all
from flows.receipt.register import is_registered, register
from flows.receipt.ship import ship
from flows.replica import Follower, place
from tests.support.codes import uscc
from tests.support.exchange import Department, Exchange

LICENCE, PENALTY = "cn-sgs-2018-licence", "cn-sgs-2018-penalty"
SUBJECT = uscc(1)


def words(text: str) -> dict[str, str]:
    return {"en": text, "zh": text}


class Window:
    """A food department and a police of trade, one matter, and what it is told."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.food = exchange.department("food")
        self.police = exchange.department("police")
        self.catalogue = exchange.home / "catalogue"
        self.catalogue.mkdir()
        self.write(parts_of(self.food, self.police))

    def write(self, parts: dict[str, Any]) -> None:
        (self.catalogue / "all.yaml").write_text(yaml.safe_dump(parts), "utf-8")

    def publish(self, *rows: dict[str, Any], complete: bool = True) -> None:
        """Publish the food department's rows; say that they are complete until now."""
        through = dt.datetime.now(dt.UTC) if complete else None
        name = f"{len([*self.food.folder.iterdir()])}.csv"
        self.food.publish([*rows], name, layout=LICENCE, complete_through=through)
        self.exchange.ingest()

    def punish(self, *rows: dict[str, Any]) -> None:
        """Publish the police's penalties, complete until now."""
        name = f"{len([*self.police.folder.iterdir()])}.csv"
        now = dt.datetime.now(dt.UTC)
        self.police.publish([*rows], name, layout=PENALTY, complete_through=now)
        self.exchange.ingest("credit")

    @property
    def settings(self) -> Settings:
        """Return the settings with this catalogue."""
        return self.exchange.settings_with(mianti_catalogue=self.catalogue)

    def told(self, **options: Any) -> dict[str, tuple[str, str | None]]:
        settings = self.settings
        [answer] = ask(settings, SUBJECT, "SP-1", **options)
        told = as_json(answer, settings)
        assert json.dumps(told)
        return {one["material"]: (one["outcome"], one["reason"]) for one in told["papers"]}


def told_by_all(window: Window, subject: str = SUBJECT, paper: str = "no-stop") -> tuple[str, Any]:
    """Return what the lake answers of a paper; the window's and the batch's must be the same."""
    settings = window.settings
    [answer] = ask(settings, subject, "SP-1")
    lake = {one.material: (one.outcome, one.reason) for one in answer.decisions}
    asked = pl.DataFrame(
        {"row": [1, 2], "subject": [subject, uscc(9)], "matter": "SP-1", "fault": None}, ASKED
    )
    batch = pl.concat(ask_all(settings, asked)).filter(pl.col("subject") == subject)
    assert {m: (o, r) for m, o, r in batch["material", "outcome", "reason"].iter_rows()} == lake
    follow(settings)
    with closing(place(settings).open()) as replica:
        here = Gathering(replica, cycles(settings)).gather(subject).facts
    there = gather(settings, subject, None, None)
    assert (here.complete, here.excepted) == (there.complete, there.excepted)
    return lake[paper]


def penalty(police: Department, number: int = 1, **changes: Any) -> dict[str, Any]:
    row = {
        "CF_XDR_MC": "示范企业1有限公司",
        "CF_XDR_LB": "法人及非法人组织",
        "CF_XDR_SHXYM": SUBJECT,
        "CF_WSH": f"示罚〔2026〕{number}号",
        "CF_WFXW": "违反食品安全规定",
        "CF_CFLB": "罚款",
        "CF_NR": "罚款",
        "CF_NR_FK": "0.2",
        "CF_NR_ZKDX": "",
        "CF_JDRQ": "2026-02-01",
        "CF_YXQ": "2099-12-31",
        "CF_GSJZQ": "2029-02-01",
        "CF_CFJG": police.name,
        "CF_CFJGDM": police.code,
    }
    return row | changes


def parts_of(food: Department, police: Department) -> dict[str, Any]:
    licence = {
        "kind": "licence",
        "name": words("食品经营许可证"),
        "certificates": ["食品经营许可证"],
        "rule": "r",
        "sources": {food.id: [LICENCE]},
        "max_age": "P10D",
    }
    check = {
        "kind": "credit_check",
        "name": words("核查"),
        "question": words("?"),
        "bars": [{"kind": "penalty", "categories": ["责令停产停业"]}],
        "rule": "r",
        "sources": {police.id: [PENALTY]},
        "max_age": "P10D",
    }
    materials = [{"material": "licence"}, {"material": "no-stop"}, {"material": "form"}]
    return {
        "rules": {"r": {"law": words("法"), "article": "7", "says": words("…"), "source": "…"}},
        "evidence": {"licence": licence, "no-stop": check},
        "materials": {
            "licence": {"name": words("证"), "origin": "issued", "replaced_by": ["licence"]},
            "no-stop": {"name": words("明"), "origin": "issued", "replaced_by": ["no-stop"]},
            "form": {"name": words("表"), "origin": "own"},
        },
        "departments": {
            "d": {
                "name": words("d"),
                "code": uscc(9, kind="11"),
                "purposes": {"p": {"name": words("p"), "may_use": ["licence", "no-stop"]}},
            }
        },
        "matters": {
            "SP-1": {
                "name": words("事项"),
                "department": "d",
                "purpose": "p",
                "basis": ["r"],
                "materials": materials,
            }
        },
    }


CLERK = Caller("c017", ("d",))


def token(settings: Settings, caller: Caller = CLERK) -> str:
    """Return a token for a caller."""
    return issue(settings, caller, dt.timedelta(hours=1))


def follow(settings: Settings) -> None:
    """Bring the replica up to the logs, as its follower does."""
    with place(settings).alone(), closing(Follower(settings)) as follower:
        follower.step()


def shipped(settings: Settings) -> int:
    """Ship this window's receipts; return how many."""
    with closing(Receipts(settings.mianti_window)) as receipts:
        return ship(settings, receipts)


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """Serve a window on real HTTP, at a port of its own, its key registered; give its URL."""
    if not is_registered(settings):
        register(settings)
    server = uvicorn.Server(server_config(make_app(settings), "127.0.0.1", 0))
    with answering(settings.mianti_window):
        thread = Thread(target=server.run)
        thread.start()
        try:
            while not server.started and thread.is_alive():
                thread.join(0.01)
            port = server.servers[0].sockets[0].getsockname()[1]
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join()
