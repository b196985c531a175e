"""The state of each record on a day, as known at a time: facet by facet, version by version."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from tests.oracle.layout import CHINA, Content
from tests.oracle.publishing import Version

#: Standings that no date ends; of a licence or a registration, no end of their own either.
FINAL = ("revoked", "annulled", "cancelled", "transferred_out", "removed", "ended")

State = dict[tuple[str, str], dict[str, Any]]


def state(
    versions: Iterable[Version], family: str, day: dt.date, known_at: dt.datetime | None = None
) -> State:
    """Return, by (subject, record_key), what a reader may know of each record.

    `usable`, `unusable_reason`, `usable_until`, `versions`, `first_landed_at`, `last_landed_at`; and
    where it may be used `state`, `objection`, `effective_from`, `effective_to`, the decision's own
    fields. Where contents have a field `event_id`: `holding`, those that win on the day, and
    `standing_event_id`. Where they have none, nobody can tell which of a record's rivals wins, and
    a conflicted record has no `usable_until` here. What another version of a facet overrules is as
    if it had never been landed.
    """
    records: dict[tuple[str, str], dict[tuple[str, int, Content], dt.datetime]] = {}
    gone: set[tuple[tuple[str, str], str, int]] = set()
    for v in versions:
        if v.landed_at is None or (known_at is not None and v.landed_at > known_at):
            continue
        key = (v.content.subject, v.record_key)
        record, name = records.setdefault(key, {}), (v.facet, v.sequence, v.content)
        record[name] = min(v.landed_at, record.get(name, v.landed_at))
        if v.overrules is not None:
            gone.add((key, v.facet, v.overrules))
    for key, record in records.items():
        for name in [name for name in record if (key, *name[:2]) in gone]:
            del record[name]
    return {key: _row(record, family, day) for key, record in records.items()}


def _row(
    record: dict[tuple[str, int, Content], dt.datetime], family: str, day: dt.date
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "versions": len(record),
        "first_landed_at": min(record.values()),
        "last_landed_at": max(record.values()),
    }
    winners: dict[str, Content] = {}
    turns: list[dt.date] = []
    conflicted = False
    for facet in {facet for facet, _, _ in record}:
        mine = [(sequence, content) for f, sequence, content in record if f == facet]
        effective = [
            (s, c)
            for s, c in mine
            if _effective(c, day) or _slip(facet, c, family, record[facet, s, c])
        ]
        coming = [one for one in mine if one not in effective]
        if not effective:
            turns += [_eve(c.effective_from) for _, c in coming]
            continue
        greatest = max(s for s, _ in effective)
        turns += [_eve(c.effective_from) for s, c in coming if s >= greatest]
        conflicted |= sum(1 for s, _ in mine if s == greatest) > 1
        winners[facet] = max((c for s, c in effective if s == greatest), key=_name)
    standing = winners.get("standing")
    if standing is not None and family != "credit" and standing.get("state") in FINAL:
        winners["standing"] = replace(standing, effective_to=None)
    reason = _reason(winners, family, day, conflicted=conflicted)
    row["usable"] = "no" if reason else "yes"
    row["holding"] = {winner.get("event_id") for winner in winners.values()} - {None}
    if row["holding"] or not conflicted:
        row["usable_until"] = min((*turns, *_ends(winners, family, day)), default=None)
    row["unusable_reason"] = reason
    return row if reason else row | _shown(winners, family, day)


def _name(content: Content) -> str:
    """Of rivals, the one with the greatest id wins."""
    return str(content.get("event_id") or "")


def _ends(winners: dict[str, Content], family: str, day: dt.date) -> list[dt.date]:
    """Return the days, from this one on, behind which what holds now no longer does."""
    decision = winners.get("decision")
    dates: list[Any] = [winner.effective_to for winner in winners.values()]
    if decision is not None and family == "credit":
        dates.append(decision.get("publication_to"))
    elif decision is not None:
        begins: Any = decision.get("valid_from")
        dates += [decision.get("valid_to"), _eve(begins) if begins and begins > day else None]
    return [date for date in dates if date is not None and date >= day]


def _eve(day: Any) -> dt.date:
    found: dt.date = day - dt.timedelta(days=1)
    return found


def _slip(facet: str, content: Content, family: str, landed_at: dt.datetime) -> bool:
    """Return whether a day yet to come cannot be meant: nobody decides a penalty after he tells of
    it, nor says a year ahead that a licence is lost."""
    landed = landed_at.astimezone(CHINA).date()
    begins = content.effective_from
    if begins is None or begins <= landed:
        return False
    if family == "credit":
        return facet == "decision" and content.get("kind") != "grade"
    lost = content.get("state") not in ("in_force", "in_business")
    return facet == "standing" and lost and (begins - landed).days > 366


def _effective(content: Content, day: dt.date) -> bool:
    begun = content.effective_from is None or content.effective_from <= day
    return begun or content.void_ab_initio


def _reason(
    winners: dict[str, Content], family: str, day: dt.date, *, conflicted: bool
) -> str | None:
    if conflicted:
        return "conflicted"
    if _stated(winners, "withdrawal", day) == "withdrawn":
        return "withdrawn"
    if _stated(winners, "standing", day) == "annulled":
        return "annulled"
    if "decision" not in winners:
        return _credit_reason(winners, day) if family == "credit" else "undecided"
    return _credit_reason(winners, day) if family == "credit" else None


def _credit_reason(winners: dict[str, Content], day: dt.date) -> str | None:
    decision = winners.get("decision")
    if _stated(winners, "repair", day) == "approved":
        return "repaired"
    published_to: Any = decision.get("publication_to") if decision else None
    over = published_to is not None and published_to < day
    if over or _state(winners, "credit", day) in ("removed", "ended"):
        return "publication_ended"
    return None if decision else "undecided"


def _stated(winners: dict[str, Content], facet: str, day: dt.date) -> Any:
    """Return what is stated of a facet; a statement whose end has passed has lapsed."""
    winner = winners.get(facet)
    if winner is None or (winner.effective_to is not None and winner.effective_to < day):
        return None
    return winner.get("state")


def _state(winners: dict[str, Content], family: str, day: dt.date) -> str:
    standing = _stated(winners, "standing", day)
    decision = winners.get("decision")
    ends = decision.effective_to if decision else None
    if family == "credit":
        return "ended" if ends is not None and ends < day else standing or "in_force"
    if standing in FINAL:
        return str(standing)
    begins: Any = decision.get("valid_from") if decision else None
    until: Any = decision.get("valid_to") if decision else None
    if begins is not None and begins > day:
        return "not_yet_valid"
    if any(end is not None and end < day for end in (until, ends)):
        return "expired"
    return standing or ("in_business" if family == "registration" else "in_force")


def _shown(winners: dict[str, Content], family: str, day: dt.date) -> dict[str, Any]:
    decision = winners["decision"]
    raised = _stated(winners, "objection", day) == "raised"
    standing = winners["standing"] if _stated(winners, "standing", day) else None
    return dict(decision.fields) | {
        "standing_event_id": standing.get("event_id") if standing else None,
        "state": _state(winners, family, day),
        "objection": "raised" if raised else None,
        "effective_from": decision.effective_from,
        "effective_to": decision.effective_to,
    }
