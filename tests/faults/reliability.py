"""Writes the table of `docs/reliability.md` out of a run: never by hand, never by a plain run."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

import pytest

_BEGIN: Final = "<!-- The table is written by `make faults`. -->\n"
_HEAD: Final = (
    "| fault | how it is made | events that flowed | result | when last run | `-k` |\n"
    "|---|---|---|---|---|---|\n"
)


@dataclass
class Fault:
    """What a test of a fault notes: how many events it has seen arrive in all."""

    KEY: ClassVar[pytest.StashKey[Fault]]
    flowed: int | None = None


Fault.KEY = pytest.StashKey()


@dataclass(frozen=True)
class _Line:
    what: str
    how: str
    flowed: int | None
    result: str
    name: str

    def row(self, when: str) -> str:
        count = "–" if self.flowed is None else f"{self.flowed:,}"
        return f"| {self.what} | {self.how} | {count} | {self.result} | {when} | `{self.name}` |\n"


class Reliability:
    """A plugin that keeps what came of each test of a fault, in the order they ran."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: dict[str, _Line] = {}
        self._order: dict[str, int] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the order of all tests, of those left out by `-k`, too."""
        self._order = {item.name: number for number, item in enumerate(items)}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item):  # type: ignore[no-untyped-def] # noqa: ANN201
        """Keep the test's line; what fails while it is made or taken down counts, too."""
        report: pytest.TestReport = yield
        marked = item.get_closest_marker("fault")
        if marked is None or (report.when != "call" and report.passed):
            return report
        noted = item.stash.get(Fault.KEY, None)
        what, how = marked.args[0], marked.kwargs["how"]
        flowed = noted.flowed if noted is not None else None
        self._lines[item.nodeid] = _Line(what, how, flowed, _result(report), item.name)
        return report

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Put the rows in the place of the last ones; a run of some tests keeps those of the others."""
        when = f"{dt.datetime.now(dt.UTC):%Y-%m-%d}"
        before, _, table = self._path.read_text("utf-8").partition(_BEGIN)
        rows = dict(_rows(table)) if _partial(session.config) else {}
        rows |= {line.name: line.row(when) for line in self._lines.values()}
        ordered = sorted(rows, key=lambda name: self._order.get(name, len(self._order)))
        text = f"{before}{_BEGIN}\n{_HEAD}{''.join(rows[name] for name in ordered)}"
        self._path.write_text(text, "utf-8")


def _rows(table: str) -> Iterator[tuple[str, str]]:
    """Yield the rows of a table as it was written, by their tests' names."""
    for line in table.splitlines(keepends=True):
        named = re.search(r"\| `(test_[^`]+)` \|$", line)
        if named:
            yield named[1], line


def _partial(config: pytest.Config) -> bool:
    asked = {Path(one).resolve() for one in config.args}
    return bool(config.option.keyword) or asked != {Path(__file__).parent}


def _result(report: pytest.TestReport) -> str:
    if hasattr(report, "wasxfail"):
        return f"**known fault**: {report.wasxfail.removeprefix('reason: ')}"
    return "whole" if report.passed else f"**{report.outcome}**"
