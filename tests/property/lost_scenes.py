"""Departments and enterprises of their own: each scene loses one licence on the way to the exchange."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl

from connectors.topics import publisher_of
from flows.answer.ask import cycles, names_of, rights_of
from flows.answer.decide import EXEMPT, decide
from flows.answer.facts import Facts
from flows.catalogue import catalogue
from flows.clock import CHINA
from flows.complete import complete_through
from flows.fold_rows import whole_rows
from flows.judge import judge
from flows.log import ACCEPTED, QUARANTINED, history_columns
from flows.publish import Outcome
from flows.stated import Pair, Stated, completeness, together
from schemas import contract
from schemas.facets import STATEMENT
from tests.property.lost_deal import Deal
from tests.property.lost_kafka import Memory
from tests.support.codes import uscc
from tests.support.exchange import Department, Exchange
from tests.support.window import LICENCE, Window, parts_of, words


@dataclass
class Scene:
    """One department with one enterprise, which holds a licence; editions are a day apart."""

    number: int
    dept: Department
    police: Department
    province: Department
    deal: Deal
    memory: Memory
    name: str = ""
    day: dt.datetime = field(
        default_factory=lambda: dt.datetime.now(dt.UTC) - dt.timedelta(days=20)
    )

    @property
    def paper(self) -> str:
        """Return the paper that is asked for."""
        return f"licence-{self.number}"

    def row(self, **changes: Any) -> dict[str, Any]:
        """Return the licence's row."""
        return self.dept.licence(self.number, **changes)

    def lost(self, **changes: Any) -> dict[str, Any]:
        """Return the row by which it is revoked."""
        return self.row(**({"XK_ZT": "3"} | changes))

    def other(self, **changes: Any) -> dict[str, Any]:
        """Return a row about another enterprise."""
        return self.dept.licence(self.number + 500, **changes)

    def send(self, *rows: dict[str, Any], to: Department | None = None, **options: Any) -> Outcome:
        """Publish rows, stated complete, of the next day unless told otherwise."""
        dept = to or self.dept
        name = options.pop("name", f"{len([*dept.folder.iterdir()])}.csv")
        return dept.publish([*rows], name, **self.options(**options))

    def options(self, **options: Any) -> dict[str, Any]:
        """Return how a file is published: as the next day's, complete until now."""
        self.day += dt.timedelta(days=1)
        usual = {"layout": LICENCE, "edition": self.day}
        return {**usual, "complete_through": dt.datetime.now(dt.UTC)} | options

    def day_after(self) -> None:
        """Publish the next sound file, which is about somebody else."""
        self.send(self.other())

    def file(self, name: str, data: bytes) -> Path:
        """Write a file into the department's folder."""
        path = self.dept.folder / name
        path.write_bytes(data)
        return path

    def book(self, *sheets: list[dict[str, Any]], hidden: bool = False) -> Path:
        """Write a workbook; the last sheet is hidden or not."""
        made = openpyxl.Workbook()
        made.remove(made.active)
        for number, rows in enumerate(sheets):
            sheet = made.create_sheet(f"表{number}")
            for row in ([*rows[0]], *([*row.values()] for row in rows)):
                sheet.append(row)
        made.worksheets[-1].sheet_state = "hidden" if hidden else "visible"
        path = self.dept.folder / f"{len([*self.dept.folder.iterdir()])}.xlsx"
        made.save(path)
        return path


class Stage:
    """An exchange with a department for each of some scenes, one that punishes, one above them."""

    def __init__(self, exchange: Exchange, memory: Memory, count: int, deal: Deal) -> None:
        self.memory = memory
        self.window = Window(exchange)
        depts = [exchange.department(f"d{number}") for number in range(1, count + 1)]
        issuers = [dept.code for dept in depts]
        rights = {"facets": ["decision", "standing"], "issuers": issuers}
        above = exchange.department("above", families={"licence": rights})
        self.scenes = [
            Scene(number, dept, self.window.police, above, deal, memory)
            for number, dept in enumerate(depts, 1)
        ]
        self.window.write(self._parts())

    def _parts(self) -> dict[str, Any]:
        parts = parts_of(self.window.food, self.window.police)
        usual = parts["evidence"]["licence"]
        for scene in self.scenes:
            paper = scene.paper
            parts["evidence"][paper] = usual | {"sources": {scene.dept.id: [LICENCE]}}
            parts["materials"][paper] = {
                "name": words(paper),
                "origin": "issued",
                "replaced_by": [paper],
            }
            parts["matters"]["SP-1"]["materials"].append({"material": paper})
            parts["departments"]["d"]["purposes"]["p"]["may_use"].append(paper)
        return parts

    def begin(self) -> None:
        """Have every enterprise hold its licence."""
        for scene in self.scenes:
            scene.send(scene.row(), scene.other())

    def exempted(self) -> list[str]:
        """Return the scenes whose enterprise need not bring its paper, by all that was sent."""
        settings = self.window.settings
        asked_at, table = dt.datetime.now(dt.UTC), contract.publishers(settings.mianti_publishers)
        landed, told = {}, []
        for family in ("licence", "credit"):
            judged = judge(self.memory.of(family), family, table.publishers)
            log = judged.with_columns(landed_at=pl.lit(asked_at))
            accepted = log.filter(pl.col("verdict") == ACCEPTED)
            frame = accepted.match_to_schema(history_columns(family), extra_columns="ignore")
            landed[family] = frame.filter(pl.col("facet") != STATEMENT)
            waiting = log.filter(pl.col("verdict") == QUARANTINED).select("topic", "about")
            held = [(publisher_of(topic), about) for topic, about in waiting.iter_rows()]
            told.append(completeness(family, _statements(frame), held))
        known = together(told)
        names = pl.concat(names_of(frame, family, None) for family, frame in landed.items())
        found = catalogue(settings.mianti_catalogue)
        exempt = []
        for scene in self.scenes:
            who = uscc(scene.number)
            mine = {f: frame.filter(pl.col("subject") == who) for f, frame in landed.items()}
            on = asked_at.astimezone(CHINA).date()
            rows = {f: whole_rows(frame.to_dicts(), f, on) for f, frame in mine.items()}
            own = frozenset(names.filter(pl.col("subject") == who)["digest"])
            excepted = known.holding(who, own)
            facts = Facts(
                *(on, asked_at, rows, known.through, cycles(settings), excepted),
                rights=rights_of(table),
            )
            outcomes = {one.material: one.outcome for one in decide(found, "SP-1", facts)}
            if outcomes[scene.paper] in EXEMPT:
                exempt.append(scene.name)
        return exempt


def _statements(landed: pl.DataFrame) -> dict[Pair, Stated]:
    """Return what the statements landed say; only a publisher's own are its."""
    own = landed.filter(pl.col("subject") == pl.col("issuer"), pl.col("facet") == STATEMENT)
    return {
        (publisher, layout): Stated(through, frozenset(excepted), everyone)
        for publisher, layout, through, excepted, everyone in complete_through(own).iter_rows()
    }
