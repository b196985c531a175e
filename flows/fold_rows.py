"""The fold once more, over the rows of one enterprise: what a window answers from in a millisecond.

Pure. The columns of `flows.fold` cost some milliseconds to begin with, whatever they hold, which
is nothing for a bucket of subjects and too much for one. Both are tested to give the same rows.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final, TypeAlias

from flows.clock import CHINA
from flows.fold import ENVELOPE, SIDES, whole_columns
from flows.overruled import OVERRULES, counting_rows
from flows.stated import Pair, Stated
from schemas.facets import (
    DECISION,
    FAR,
    FINAL_STANDINGS,
    NEUTRAL,
    OBJECTION,
    STANDING,
    STATEMENT,
)

#: One version landed: the columns of `flows.log.history_columns`; those that are null may lack.
Version = Mapping[str, Any]
#: Of two versions the greater counts: sequence and event id.
_Order: TypeAlias = tuple[int, str]
#: A statement by its record key, which is one partition's, and its sequence.
_Named: TypeAlias = tuple[str, int]
_DAY: Final = dt.timedelta(days=1)
_ENVELOPE: Final = (*ENVELOPE, "effective_from", "effective_to")


def whole_rows(
    versions: Iterable[Version], family: str, on: dt.date, known_at: dt.datetime | None = None
) -> list[dict[str, Any]]:
    """Return what `flows.fold.whole` gives of the same versions, as rows, sorted by record.

    `on` is a calendar day in China; `known_at` (UTC) leaves out what was landed after it.
    """
    records: dict[tuple[str, str], list[Version]] = defaultdict(list)
    for version in counting_rows(_union(versions, known_at)):
        if version["facet"] != STATEMENT:
            records[version["subject"], version["record_key"]].append(version)
    return [_record(key, records[key], family, on) for key in sorted(records)]


class Statements:
    """What a family's statements come to, taken in one by one: in any order, and as often as they come.

    Of each field the newest that was stated stands, so that nothing is looked at twice: but where a
    statement overrules one that may have been taken in, all have to be taken in anew (`spoiled`).
    `overruled`: the statements that are known to count no more.
    """

    def __init__(self, overruled: frozenset[_Named] = frozenset()) -> None:
        self._newest: dict[Pair, dict[int, dict[str, tuple[_Order, Any]]]] = defaultdict(dict)
        self.overruled = overruled
        self.spoiled = False

    def add(self, version: Version) -> None:
        """Take in a version; one that is no statement says nothing."""
        said = version.get(STATEMENT)
        if version["facet"] != STATEMENT or said is None:
            return
        overrules = version.get(OVERRULES)
        gone = (version["record_key"], overrules["sequence"]) if overrules else None
        if gone is not None and gone not in self.overruled:
            self.overruled |= {gone}
            self.spoiled = True
        if (version["record_key"], version["sequence"]) in self.overruled:
            return
        parts = self._newest[version["publisher"], version["layout"]]
        part, order = parts.setdefault(said["partition"], {}), _order(version)
        for name, value in said.items():
            if value is not None and (name not in part or part[name][0] < order):
                part[name] = order, value

    def by_layout(self) -> dict[Pair, Stated]:
        """Return what `flows.complete.complete_through` says, by publisher and layout."""
        found = {}
        for key, parts in self._newest.items():
            told: list[Any] = [
                {n: value for n, (_, value) in one.items()} for one in parts.values()
            ]
            through = [said.get("complete_through") for said in told]
            wanted = max(said["partitions"] for said in told)
            whole = len(parts) == wanted and None not in through
            excepted = [code for said in told for code in said.get("excepted") or []]
            everyone = any(said.get("unnamed") for said in told)
            found[key] = Stated(min(through) if whole else None, frozenset(excepted), everyone)
        return found


def _union(versions: Iterable[Version], known_at: dt.datetime | None) -> Iterable[Version]:
    """Give each event once, as it was first landed."""
    first: dict[str, Version] = {}
    for version in versions:
        if known_at is not None and version["landed_at"] > known_at:
            continue
        other = first.get(version["event_id"])
        if other is None or _landing(version) < _landing(other):
            first[version["event_id"]] = version
    return first.values()


def _landing(version: Version) -> tuple[Any, ...]:
    return version["landed_at"], version["topic"], version["partition"], version["offset"]


def _order(version: Version) -> _Order:
    return version["sequence"], version["event_id"]


def _record(
    key: tuple[str, str], versions: list[Version], family: str, on: dt.date
) -> dict[str, Any]:
    facets: dict[str, list[Version]] = defaultdict(list)
    for version in versions:
        facets[version["facet"]].append(version)
    winners, conflicted, coming = _winners(facets, family, on)
    decision = winners.get(DECISION)
    sides = {
        side: won for side in SIDES if (won := winners.get(side)) and not _lapsed(won, family, on)
    }
    row = dict.fromkeys(_columns(family)) | _content(decision)
    said = {side: won[side]["state"] for side, won in sides.items()}
    row |= {"subject": key[0], "record_key": key[1], "as_of": on}
    row["state"] = _state(row, said.get("standing"), family, on)
    row["objection"] = "raised" if said.get("objection") == "raised" else None
    row["unusable_reason"] = _unusable(row, said, family, on, conflicted=conflicted)
    row["usable"] = "yes" if row["unusable_reason"] is None else "no"
    turns = [version["effective_from"] - _DAY for version in coming]
    row["usable_until"] = _until(row, sides, turns, family, on)
    standing = sides.get(STANDING)
    row["standing_event_id"] = standing["event_id"] if standing is not None else None
    row["standing_from"] = standing.get("effective_from") if standing is not None else None
    row["standing_reason"] = standing[STANDING].get("reason") if standing is not None else None
    row["doubt"] = _doubt(row, winners, sides, coming, family)
    landed = [version["landed_at"] for version in versions]
    row |= {"first_landed_at": min(landed), "last_landed_at": max(landed)}
    return row | {"versions": len(versions), "bucket": versions[0]["bucket"]}


@cache
def _columns(family: str) -> tuple[str, ...]:
    return tuple(whole_columns(family))


def _winners(
    facets: Mapping[str, list[Version]], family: str, on: dt.date
) -> tuple[dict[str, Version], bool, list[Version]]:
    """Return the greatest version in effect of each facet, whether one has rivals, and those that
    may win on a day to come."""
    winners, conflicted, coming = {}, False, []
    for facet, versions in facets.items():
        effective = [version for version in versions if _effective(version, family, on)]
        won = max(effective, key=_order, default=None)
        if won is not None:
            winners[facet] = won
            conflicted |= sum(v["sequence"] == won["sequence"] for v in versions) > 1
        least = won["sequence"] if won is not None else 0
        coming += [
            version
            for version in versions
            if not _effective(version, family, on) and version["sequence"] >= least
        ]
    return winners, conflicted, coming


def _doubt(
    row: Version,
    winners: Mapping[str, Version],
    sides: Mapping[str, Version],
    coming: Iterable[Version],
    family: str,
) -> str | None:
    """Return why a record may not hold though its state is good, as in `flows.fold`."""
    decision, objection = winners.get(DECISION), sides.get(OBJECTION)
    if decision is not None and objection is not None:
        upheld = objection[OBJECTION]["state"] == "upheld"
        if upheld and decision["landed_at"] <= objection["landed_at"]:
            return "upheld"
    if family == "credit":
        left = winners.get(STANDING) if STANDING not in sides else None
        removed = left is not None and left[STANDING]["state"] in FINAL_STANDINGS
        return "removed" if removed and row["kind"] == "grade" else None
    begins = [one["effective_from"] for one in coming if one["facet"] == DECISION]
    within = row["valid_to"] is None or (begins and min(begins) <= row["valid_to"])
    return "to_come" if begins and within else None


def _effective(version: Version, family: str, on: dt.date) -> bool:
    begins = version.get("effective_from")
    return (
        begins is None
        or begins <= on
        or version.get("void_ab_initio") == "yes"
        or _untold(version, family, begins)
    )


def _untold(version: Version, family: str, begins: dt.date) -> bool:
    """Return whether a beginning yet to come is a slip of the pen (`flows.fold`)."""
    landed: dt.date = version["landed_at"].astimezone(CHINA).date()
    if family == "credit":
        decided = version["facet"] == DECISION and version[DECISION]["kind"] != "grade"
        return decided and begins > landed
    stated = version["facet"] == STANDING
    lost = stated and version[STANDING]["state"] not in NEUTRAL[STANDING]
    return lost and begins > landed + FAR


def _lapsed(version: Version, family: str, on: dt.date) -> bool:
    return _before(_end(version, family), on)


def _end(version: Version, family: str) -> dt.date | None:
    """Return the last day of a version; a standing that is final has none."""
    final = (
        family != "credit"
        and version["facet"] == STANDING
        and version[STANDING]["state"] in FINAL_STANDINGS
    )
    return None if final else version.get("effective_to")


def _content(decision: Version | None) -> dict[str, Any]:
    if decision is None:
        return {}
    told: dict[str, Any] = {name: decision.get(name) for name in _ENVELOPE}
    told |= decision[DECISION]
    return told | {"decision_event_id": decision["event_id"]}


def _state(row: Version, standing: str | None, family: str, on: dt.date) -> str:
    ended = _before(row["effective_to"], on)
    if family == "credit":
        return "ended" if ended else standing or "in_force"
    if standing in FINAL_STANDINGS:
        return str(standing)
    if row["valid_from"] is not None and row["valid_from"] > on:
        return "not_yet_valid"
    if _before(row["valid_to"], on) or ended:
        return "expired"
    return standing or ("in_business" if family == "registration" else "in_force")


def _unusable(
    row: Version, said: Mapping[str, str], family: str, on: dt.date, *, conflicted: bool
) -> str | None:
    """Return why a record may not be used, the gravest first, as in `flows.fold`."""
    if conflicted:
        return "conflicted"
    if said.get("withdrawal") == "withdrawn":
        return "withdrawn"
    if said.get("standing") == "annulled":
        return "annulled"
    if family == "credit" and said.get("repair") == "approved":
        return "repaired"
    ended = family == "credit" and row["state"] in ("removed", "ended")
    if ended or (family == "credit" and _before(row["publication_to"], on)):
        return "publication_ended"
    return "undecided" if row["decision_event_id"] is None else None


def _until(
    row: Version, sides: Mapping[str, Version], turns: list[dt.date], family: str, on: dt.date
) -> dt.date | None:
    named = ("standing", "objection", "withdrawal", *(("repair",) if family == "credit" else ()))
    ends = [row["effective_to"], row["publication_to" if family == "credit" else "valid_to"]]
    ends += [_end(sides[side], family) for side in named if side in sides]
    coming = [end for end in ends if end is not None and end >= on]
    begins = row["valid_from"] if family != "credit" else None
    if begins is not None and begins > on:
        coming.append(begins - _DAY)
    return min([*coming, *turns], default=None)


def _before(day: dt.date | None, on: dt.date) -> bool:
    return day is not None and day < on
