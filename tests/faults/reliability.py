"""Writes the table of `docs/reliability.md` out of a run: never by hand, never by a plain run."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, cast

import pytest

_PROPERTY: Final = "fault"
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


class Noting:
    """A plugin that puts what came of a fault beside its report: a test may run in another process."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item):  # type: ignore[no-untyped-def] # noqa: ANN201
        """Note the test's line; what fails while it is made or taken down counts, too."""
        report: pytest.TestReport = yield
        marked = item.get_closest_marker("fault")
        if marked is None or (report.when != "call" and report.passed):
            return report
        noted = item.stash.get(Fault.KEY, None)
        line = _Line(
            what=marked.args[0],
            how=marked.kwargs["how"],
            flowed=noted.flowed if noted is not None else None,
            result=_result(report),
            name=item.name,
        )
        report.user_properties.append((_PROPERTY, asdict(line)))
        return report


class Reliability:
    """A plugin that writes what came of the faults of a run."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: dict[str, _Line] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what was noted; a failure of a test's end counts more than its call."""
        for name, told in report.user_properties:
            if name == _PROPERTY:
                self._lines[report.nodeid] = _Line(**cast("dict[str, Any]", told))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Put the rows in the place of the last ones; a run of some tests keeps those of the others."""
        when = f"{dt.datetime.now(dt.UTC):%Y-%m-%d}"
        before, _, table = self._path.read_text("utf-8").partition(_BEGIN)
        rows = dict(_rows(table)) if _partial(session.config) else {}
        # Files run side by side, each from its first test to its last.
        by_file = sorted(self._lines, key=lambda nodeid: nodeid.partition("::")[0])
        rows |= {self._lines[nodeid].name: self._lines[nodeid].row(when) for nodeid in by_file}
        self._path.write_text(f"{before}{_BEGIN}\n{_HEAD}{''.join(rows.values())}", "utf-8")


def _rows(table: str) -> Iterator[tuple[str, str]]:
    """Yield the rows of a table as it was written, by their tests' names."""
    for line in table.splitlines(keepends=True):
        named = re.search(r"\| `(test_[^`]+)` \|$", line)
        if named:
            yield named[1], line


def _partial(config: pytest.Config) -> bool:
    faults = Path(__file__).parent
    whole = any(faults.is_relative_to(Path(one).resolve()) for one in config.args)
    return bool(config.option.keyword) or not whole


def _result(report: pytest.TestReport) -> str:
    if hasattr(report, "wasxfail"):
        return f"**known fault**: {report.wasxfail.removeprefix('reason: ')}"
    return "whole" if report.passed else f"**{report.outcome}**"
