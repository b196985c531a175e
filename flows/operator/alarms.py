"""Alarms: what waits is told once as an event, again each day that it lasts, and when it ends."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, TypeAlias

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from flows.matters import Matter

RAISED: Final = "mianti.alarm.raised"
ENDED: Final = "mianti.alarm.ended"
#: One event a look that raised or ended any: what the webhook is called with.
TOLD: Final = "mianti.alarms"
_AGAIN: Final = dt.timedelta(days=1)
#: How long a thing must have waited.
SURE: Final = dt.timedelta(minutes=1)

#: The event's name and its payload.
Alarm: TypeAlias = tuple[str, dict[str, Any]]


class Raised(BaseModel):
    """The alarms that are raised: by their names, when each was told last (UTC).

    `seen`: since when each thing waits that waits now. What is over within a minute raises nothing:
    a window that is just being opened, a landing that begins.
    """

    told: dict[str, AwareDatetime] = {}
    seen: dict[str, AwareDatetime] = Field(default={}, exclude=True)

    @classmethod
    def read(cls, file: Path) -> Raised:
        """Return what a file says was told; nothing where there is none that is whole."""
        try:
            return cls.model_validate_json(file.read_bytes())
        except (FileNotFoundError, ValidationError):
            return cls()

    def write(self, file: Path) -> None:
        """Put the file in place whole; what was seen begins anew with each process."""
        part = file.with_suffix(".part")
        part.write_text(self.model_dump_json(), "utf-8")
        part.replace(file)

    def after(self, found: Iterable[Matter], now: dt.datetime) -> tuple[Raised, list[Alarm]]:
        """Return what is raised after a look, and the events to tell; pure."""
        every = {one.key: one for one in found}
        seen = {key: self.seen.get(key, now) for key in every}
        due = [key for key in every if self._is_due(key, seen[key], now)]
        told = {key: at for key, at in self.told.items() if key in every} | dict.fromkeys(due, now)
        alarms = [(RAISED, _payload(every[key])) for key in due]
        alarms += [
            (ENDED, {"event": ENDED, "alarm": key}) for key in self.told.keys() - every.keys()
        ]
        return Raised(told=told, seen=seen), alarms

    def _is_due(self, key: str, since: dt.datetime, now: dt.datetime) -> bool:
        if key in self.told:
            return now - self.told[key] >= _AGAIN
        return now - since >= SURE


def together(alarms: Iterable[Alarm]) -> Alarm:
    """Return several alarms as one event: Prefect's calls of one webhook disturb each other."""
    every = [payload for _, payload in alarms]
    raised = [one for one in every if one["event"] == RAISED]
    ended = [one["alarm"] for one in every if one["event"] == ENDED]
    return TOLD, {"event": TOLD, "raised": raised, "ended": ended}


def _payload(one: Matter) -> dict[str, Any]:
    english, chinese = one.sentences
    return {
        "event": RAISED,
        "alarm": one.key,
        "kind": one.kind,
        "about": one.about,
        "en": english,
        "zh": chinese,
        "count": one.count,
        "since": one.since.isoformat() if one.since else None,
    }
