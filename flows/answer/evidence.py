"""Whether one piece of evidence may be relied on: what is on file, and whether its source may be.

Pure. A wrong 免提交 is worse than a paper too many: whatever is doubtful is not relied on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from flows.answer.credit_check import UNCOUNTED, check_credit
from flows.answer.facts import Facts, Row, source_state
from flows.answer.stopping import folded, stopped_by
from flows.answer.verdict import Reason, Verdict
from schemas.catalogue.grammar import FieldEvidence, LicenceEvidence, SharedEvidence

_FORCE: Final = ("in_force", "in_business")


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
        and (row["type_code"] in evidence.type_codes or row["name"] in evidence.certificates)
    ]

    def judged(row: Row) -> Verdict:
        verdict = _record(row, "licence", _FORCE, facts)
        within = any(word in (row["scope"] or "") for word in evidence.scope)
        if verdict.reason is None and evidence.scope and not within:
            return Verdict("mismatch", row)
        return verdict

    return _best(mine, "licence", evidence, facts, judged)


def _fields(evidence: FieldEvidence, facts: Facts) -> Verdict:
    """A row without the field that is asked for, the first, is none."""
    family, needed = evidence.family, evidence.fields[0]
    told = {column: of for column, of in evidence.where.items() if column != "state"}
    states = tuple(evidence.where.get("state", _FORCE))
    mine = [
        row
        for row in facts.of(family)
        if row["publisher"] in evidence.sources
        and all(row[column] in of for column, of in told.items())
        and not (family == "credit" and row["unusable_reason"] in UNCOUNTED)
    ]

    def judged(row: Row) -> Verdict:
        verdict = _record(row, family, states, facts)
        if verdict.reason is None and row[needed] is None:
            return Verdict("none_on_file")
        years = evidence.period_years
        if verdict.reason is None and years is not None and _older(row["period"], facts.on, years):
            return Verdict("expired", row)
        return verdict

    return _best(mine, family, evidence, facts, judged)


def _older(period: str | None, on: dt.date, years: int) -> bool:
    """Return whether a year is too long ago, or is no year."""
    return period is None or not period.isdecimal() or on.year - int(period) > years


def _best(
    rows: list[Row],
    family: str,
    evidence: SharedEvidence,
    facts: Facts,
    judged: Callable[[Row], Verdict],
) -> Verdict:
    """Return the verdict on the record to rely on, else on the newest, else on the sources."""
    source = source_state(evidence, facts)
    newest = sorted(rows, key=_since, reverse=True)
    verdicts = [judged(row) for row in newest]
    for row, verdict in zip(newest, verdicts, strict=True):
        against = [
            later
            for other, later in zip(newest, verdicts, strict=True)
            if other is not row and _overtakes(other, later, row, family)
        ]
        if verdict.reason is None and not against:
            told = row["layout"] in evidence.sources[row["publisher"]]
            fault: Reason | None = source.fault if told else "source_incomplete"
            return Verdict(fault, row, source)
    bad = next((one for one in verdicts if one.reason is not None), None)
    return (
        replace(bad, source=source)
        if bad
        else Verdict(source.fault or "none_on_file", None, source)
    )


def _overtakes(other: Row, verdict: Verdict, row: Row, family: str) -> bool:
    """Return whether another record of the same licence, not older, speaks against this one.

    Exports key a licence by its decision document: issue, change and revocation are three records
    with one number. An enterprise has one registration.
    """
    same = family == "registration" or (
        row.get("number") is not None and other.get("number") == row.get("number")
    )
    # A renewal that has not begun leaves the licence before it in force.
    against = verdict.reason not in (None, "not_yet_valid")
    return same and against and _since(other)[0] >= _since(row)[0]


def _since(row: Row) -> tuple[dt.date, str]:
    day = row["effective_from"] or row.get("valid_from") or dt.date.min
    return day, row["record_key"]


def _record(row: Row, family: str, good: tuple[str, ...], facts: Facts) -> Verdict:
    """Return whether a record may be used on the day; content that may not be used is not shown."""
    issuer = row["issuer_name"] or row["issuer"]
    if row["unusable_reason"] == "conflicted":
        return Verdict("conflicted")
    if row["unusable_reason"] == "annulled":
        return Verdict("stopped", by=issuer)
    if row["unusable_reason"] is not None:
        return Verdict("not_usable")
    if row["objection"] is not None:
        return Verdict("objection", row)
    if row["state"] in ("expired", "not_yet_valid"):
        return Verdict(row["state"], row)
    if row["state"] not in good:
        return Verdict("stopped", row, by=issuer)
    if family == "credit":
        return Verdict(None, row)
    penalty = stopped_by(row, family, facts)
    if penalty is not None:
        return Verdict("stopped", row, by=penalty["issuer_name"] or penalty["issuer"])
    if family == "licence" and not _same_holder(row, facts):
        return Verdict("mismatch", row)
    if family == "licence" and row["valid_to"] is None and row["term"] == "not_stated":
        return Verdict("no_end_stated", row)
    return Verdict(None, row)


def _same_holder(licence: Row, facts: Facts) -> bool:
    """Compare the holder's name with the register's, where both are known."""
    rows = facts.of("registration")
    names = {folded(row["name"]) for row in rows if row["usable"] == "yes" and row["name"]}
    written = licence["subject_name"]
    return not written or not names or folded(written) in names
