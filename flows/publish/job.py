"""One publication: what the caller asks for, and what it is held against before any row is read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from connectors.errors import MiantiError
from connectors.settings import Settings
from flows.clock import CLOCKS_DIFFER
from flows.publish.events import Sender
from flows.publish.fields import Context
from flows.publish.recognise import Match
from flows.publish.source import Rows
from schemas import contract
from schemas.dialect import Dialect
from schemas.publishers import Publisher

Step = Literal["reading", "sending"]
#: Told, while publishing, how much of a step is done, and of how much: bytes read, events sent.
Progress = Callable[[Step, int, int], None]


def no_progress(_step: Step, _done: int, _of: int) -> None:
    """Ignore progress."""


class UnknownPublisher(MiantiError):
    """The publishers' table has no such line."""


class StatedTooEarly(MiantiError):
    """A file is said to be complete through a time that is yet to come."""


@dataclass(frozen=True)
class Request:
    """What the caller asks for. Times are UTC. `name` stands for the file in messages.

    Without an `edition` a file has the one in its name. `show`: how many rows of a dry run to show
    as events. `as_promised`: completeness is stated where the publisher's line promises it of each
    file of the layout (`schemas.publishers.Layout`).
    """

    publisher: str
    name: str
    layout: str | None = None
    edition: dt.datetime | None = None
    complete_through: dt.datetime | None = None
    dry_run: bool = False
    refused_path: Path | None = None
    show: int = 0
    as_promised: bool = False


@dataclass(frozen=True)
class Job:
    """What one publication works on. `named`: the edition in the file's name (UTC)."""

    rows: Rows
    request: Request
    settings: Settings
    owner: Publisher
    match: Match
    context: Context
    named: dt.datetime | None = None

    @property
    def family(self) -> str:
        """Return the family of the layout."""
        return self.match.dialect.family

    def sender(self, edition: dt.datetime) -> Sender:
        """Return what all events of the file share."""
        dialect, request = self.match.dialect, self.request
        digest = self.rows.digest
        return Sender(request.publisher, self.family, dialect.id, dialect.version, digest, edition)


def require_complete_past(through: dt.datetime | None) -> None:
    """Raise StatedTooEarly where a file is said to be complete through a time yet to come (UTC)."""
    now = dt.datetime.now(dt.UTC)
    if through is not None and through > now + CLOCKS_DIFFER:
        raise StatedTooEarly(
            f"Nothing can be complete through {_shown(through)}, which is yet to come "
            f"(now {_shown(now)}): give the time the export was made.",
            f"完整截至时间 {_shown(through)} 尚未到来（现在 {_shown(now)}）：请填写导出时间。",
        )


def _shown(time: dt.datetime) -> str:
    """Write a time in the machine's zone, which it names."""
    return time.astimezone().isoformat(" ", "minutes")


def publisher_line(settings: Settings, name: str) -> Publisher:
    """Return the publisher's line of the table. Raises UnknownPublisher."""
    table = contract.publishers(settings.mianti_publishers).publishers
    if name not in table:
        known = ", ".join(sorted(table))
        raise UnknownPublisher(
            f"The publishers' table has no {name!r}; it has: {known}. Add a line to "
            "schemas/publishers.yaml (or the file MIANTI_PUBLISHERS names).",
            f"发布部门表中没有 {name!r}；已有：{known}。请在 schemas/publishers.yaml"
            "（或 MIANTI_PUBLISHERS 指定的文件）中登记。",
        )
    return table[name]


def record_places(settings: Settings, publisher: str) -> list[str]:
    """Return where in a JSON object the records of a publisher's layouts may be.

    Nothing for a publisher that is not in the table: publishing says so.
    """
    table = contract.publishers(settings.mianti_publishers).publishers
    dialects = contract.dialects(settings.mianti_dialects)
    layouts = table[publisher].layouts if publisher in table else {}
    own = [dialects[name].records for name in layouts if name in dialects]
    return list(dict.fromkeys(place for place in own if place))


def chosen_codes(
    dialect: Dialect, owner: Publisher, known: contract.Contract
) -> Mapping[str, Mapping[str, str]]:
    """Return the code lists by the dialect's names; code lists are per publisher and layout."""
    chosen = owner.layouts[dialect.id].codes
    return {name: known.code_lists[chosen[name]].values for name in dialect.code_lists()}
