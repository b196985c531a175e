"""Whether one piece of evidence may be relied on: what is on file, and whether its source may be.

Pure. A wrong 免提交 is worse than a paper too many: whatever is doubtful is not relied on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from flows.answer.credit_check import UNCOUNTED, check_credit
from flows.answer.ending import ending
from flows.answer.facts import Facts, Row, held, source_state
from flows.answer.lost import begun, is_later, is_lost, may_change, may_mean, spoken
from flows.answer.naming import is_called, same_number
from flows.answer.scope import permits
from flows.answer.stopping import stop_of, stopped_by
from flows.answer.verdict import Verdict
from schemas.catalogue.grammar import FieldEvidence, LicenceEvidence, SharedEvidence
from schemas.folding import fold_text
from schemas.years import years_in

#: States that are good standing.
FORCE: Final = ("in_force", "in_business")


def judge(evidence: SharedEvidence, facts: Facts) -> Verdict:
    """Return the verdict on one piece of evidence; papers and forms ask for one again and again."""
    known = facts.judged.get(id(evidence))
    if known is None:
        known = facts.judged[id(evidence)] = (evidence, _judge(evidence, facts))
    verdict: Verdict = known[1]
    return verdict


def _judge(evidence: SharedEvidence, facts: Facts) -> Verdict:
    if isinstance(evidence, LicenceEvidence):
        return _licence(evidence, facts)
    if isinstance(evidence, FieldEvidence):
        return _fields(evidence, facts)
    return check_credit(evidence, facts)


def _licence(evidence: LicenceEvidence, facts: Facts) -> Verdict:
    mine = [
        row
        for row in facts.of("licence")
        if row["publisher"] in evidence.sources
        and (
            row["type_code"] in evidence.type_codes or is_called(row["name"], evidence.certificates)
        )
    ]

    def judged(row: Row) -> Verdict:
        verdict = _record(row, "licence", FORCE, facts)
        if verdict.reason is None and evidence.scope and not permits(row["scope"], evidence.scope):
            return Verdict("mismatch", row)
        return verdict

    return _best(mine, "licence", FORCE, evidence, facts, judged)


def _fields(evidence: FieldEvidence, facts: Facts) -> Verdict:
    """A row without the field that is asked for, the first, is none."""
    family, needed = evidence.family, evidence.fields[0]
    told = {column: of for column, of in evidence.where.items() if column != "state"}
    states = tuple(evidence.where.get("state", FORCE))
    first = first_period(evidence, facts)
    mine = [
        row
        for row in facts.of(family)
        if row["publisher"] in evidence.sources
        and all(row[column] in of for column, of in told.items())
        and not (family == "credit" and row["unusable_reason"] in UNCOUNTED)
    ]

    others = [
        row
        for row in (facts.of("credit") if first is not None else [])
        if row["publisher"] in evidence.sources
        and row["kind"] == "grade"
        and not all(row[column] in of for column, of in told.items())
        and row["unusable_reason"] not in UNCOUNTED
    ]

    def judged(row: Row) -> Verdict:
        verdict = _record(row, family, states, facts)
        if verdict.reason is None and row[needed] is None:
            return Verdict("none_on_file")
        if verdict.reason is None and first is not None:
            recent = is_recent(row["period"], first, facts.on.year)
            if not recent or any(graded_since(row, other) for other in others):
                return Verdict("expired", row)
        return verdict

    return _best(mine, family, states, evidence, facts, judged)


def first_period(evidence: FieldEvidence, facts: Facts) -> int | None:
    """Return the first year that a grade may be of, None where any will do.

    The newest list there is has every grade that holds: one of an older list holds no longer.
    """
    if evidence.period_years is None:
        return None
    pairs = [(id_, layout) for id_, layouts in evidence.sources.items() for layout in layouts]
    newest = [facts.newest[pair] for pair in pairs if pair in facts.newest]
    return max([facts.on.year - evidence.period_years, *newest])


def is_recent(period: str | None, first: int, last: int) -> bool:
    """Return whether a period is a year of some years; a year yet to come is a slip of the pen."""
    years = years_in(period)
    return bool(years) and first <= min(years) and max(years) <= last


def graded_since(row: Row, other: Row) -> bool:
    """Return whether another grade of one scheme is of the same year as a record's or a newer one.

    The same publisher gave it: B of 2025 ends A of 2024. A scheme that is not told may be the same.
    """
    schemes = {scheme for scheme in (row["grade_scheme"], other["grade_scheme"]) if scheme}
    since = max(years_in(other["period"]), default=None)
    return len(schemes) < 2 and since is not None and since >= max(years_in(row["period"]))


def _best(
    rows: list[Row],
    family: str,
    good: tuple[str, ...],
    evidence: SharedEvidence,
    facts: Facts,
    judged: Callable[[Row], Verdict],
) -> Verdict:
    """Return the verdict on the record to rely on, else on the newest, else on the sources."""
    source, on = source_state(evidence, facts), facts.on
    verdicts = [(row, judged(row)) for row in rows]
    relied = [row for row, verdict in verdicts if verdict.reason is None]
    relied.sort(key=lambda row: (begun(row, on), row["record_key"]), reverse=True)
    bad = [(row, verdict) for row, verdict in verdicts if verdict.reason is not None]
    every = facts.of(family) if family != "credit" else []
    lost = [row for row in every if is_lost(row, good, on)]
    stopping: list[Row] = []
    for row in relied:
        overtaking = [
            one
            for one, verdict in bad
            if _overtakes(one, verdict, row, family, on)
            or _may_change(one, verdict, row, family, facts)
        ]
        against = [
            one
            for one in lost
            if one is not row and is_later(one, row, on) and may_mean(one, row, family, every)
        ]
        if not overtaking and not against:
            if held(row, evidence, facts):
                return Verdict("source_incomplete", row, replace(source, excepted=True))
            if row["layout"] in evidence.sources[row["publisher"]]:
                return Verdict(source.fault, row, source)
            return Verdict("source_incomplete", row, replace(source, uncounted=row["layout"]))
        stopping += [*against, *overtaking]
    known = [row for row, _ in bad]
    others = [one for one in stopping if not any(one is row for row in known)]
    bad += [(one, _lost(one, family, good, facts)) for one in others]
    newest = max(bad, key=lambda one: (spoken(one[0], on), one[0]["record_key"]), default=None)
    if newest is not None:
        row, verdict = newest
        day = spoken(row, on)
        # Its own decision ended another record: that is the day. A state alone tells none.
        own = verdict.reason == "stopped" and verdict.since is None and day <= on
        if own and any(one is row for one in stopping):
            verdict = replace(verdict, since=day)
        return replace(verdict, source=source)
    return Verdict(source.fault or "none_on_file", None, source)


def _lost(row: Row, family: str, good: tuple[str, ...], facts: Facts) -> Verdict:
    """Return why a record that is no licence of the kind asked for ends one that is."""
    if row["unusable_reason"] == "undecided":
        return Verdict("stopped", state=row["state"], since=_stated_from(row, facts.on))
    verdict = _record(row, family, good, facts)
    return (
        verdict
        if verdict.reason not in (None, "not_yet_valid")
        else Verdict("stopped", row, state="other")
    )


def _overtakes(other: Row, verdict: Verdict, row: Row, family: str, on: dt.date) -> bool:
    """Return whether another record of the same licence, not older, speaks against this one.

    Exports key a licence by its decision document: issue, change and revocation are three records
    with one number. An enterprise has one registration.
    """
    same = family == "registration" or (
        family == "licence" and same_number(row["number"], other["number"])
    )
    # A renewal that has not begun leaves the licence before it in force.
    against = verdict.reason not in (None, "not_yet_valid")
    return same and against and is_later(other, row, on)


def _may_change(other: Row, verdict: Verdict, row: Row, family: str, facts: Facts) -> bool:
    """Return whether a newer document, of another scope and without a number, may change this one."""
    if family != "licence" or verdict.reason != "mismatch" or not is_later(other, row, facts.on):
        return False
    return may_change(other, row, family, facts.of(family))


def _record(row: Row, family: str, good: tuple[str, ...], facts: Facts) -> Verdict:
    """Return whether a record may be used on the day; content that may not be used is not shown."""
    issuer = row["issuer_name"] or row["issuer"]
    if row["unusable_reason"] == "conflicted":
        return Verdict("conflicted")
    if row["unusable_reason"] == "annulled":
        return Verdict("stopped", by=issuer, state="annulled", since=_stated_from(row, facts.on))
    if row["unusable_reason"] is not None:
        return Verdict("not_usable")
    if row["objection"] is not None:
        return Verdict("objection", row)
    if row["state"] in ("expired", "not_yet_valid"):
        return Verdict(row["state"], row)
    document = row.get("document_number")
    if row["state"] not in good:
        state, since = row["state"] or "other", _stated_from(row, facts.on)
        # A state with a day of its own was decided then, by another document than the record's.
        told = document if since is None else None
        return Verdict("stopped", row, by=issuer, state=state, since=since, document=told)
    if row["doubt"] is not None:
        return Verdict("objection" if row["doubt"] == "upheld" else "conflicted", row)
    if family == "credit":
        return Verdict(None, row)
    if (made := ending(row)) is not None:
        day = spoken(row, facts.on)
        since = day if day <= facts.on else None
        return Verdict("stopped", row, by=issuer, state=made, since=since, document=document)
    penalty = stopped_by(row, family, facts)
    if penalty is not None:
        return Verdict("stopped", row, **stop_of(penalty))
    if family == "licence" and not _same_holder(row, facts):
        return Verdict("mismatch", row)
    if family == "licence" and row["valid_to"] is None and row["term"] == "not_stated":
        return Verdict("no_end_stated", row)
    return Verdict(None, row)


def _stated_from(row: Row, on: dt.date) -> dt.date | None:
    """Return since when a record is in its state, as far as that is stated and not yet to come."""
    day: dt.date | None = row["standing_from"]
    return day if day is not None and day <= on else None


def _same_holder(licence: Row, facts: Facts) -> bool:
    """Compare the holder's name with the register's, where both are known."""
    rows = facts.of("registration")
    names = {fold_text(row["name"]) for row in rows if row["usable"] == "yes" and row["name"]}
    written = licence["subject_name"]
    return not written or not names or fold_text(written) in names
