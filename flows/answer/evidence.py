"""Whether one piece of evidence may be relied on: what is on file, and whether its source may be.

Pure. A wrong 免提交 is worse than a paper too many: whatever is doubtful is not relied on.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from flows.answer.facts import Facts, Row, SourceState, source_state, stopped_by
from schemas.catalogue.grammar import (
    Bar,
    CreditEvidence,
    FieldEvidence,
    LicenceEvidence,
    SharedEvidence,
)

#: Why evidence is not relied on; the closed list of reasons for a paper to be brought.
Reason = Literal[
    "none_on_file",
    "source_incomplete",
    "too_old",
    "no_right",
    "expired",
    "not_yet_valid",
    "stopped",
    "mismatch",
    "objection",
    "conflicted",
    "not_usable",
    "barred",
    "own_paper",
]
#: Those that only say that evidence is lacking; the others speak against the enterprise, and
#: neither a promise nor a later day helps.
LACKING: Final = ("none_on_file", "source_incomplete", "too_old", "no_right", "own_paper")
_FORCE: Final = ("in_force", "in_business")
#: A credit record with one of these is neither shown nor counted (NDRC Order 36 art. 3).
_UNCOUNTED: Final = ("withdrawn", "repaired", "annulled", "publication_ended", "undecided")


@dataclass(frozen=True)
class Verdict:
    """What came of one piece of evidence; `reason` None: it may be relied on.

    `record`: the row relied on, or that speaks against it where it may be shown. `source`: None
    where the sources were not looked at. `by`: the organ that stopped it.
    """

    reason: Reason | None
    record: Row | None = None
    source: SourceState | None = None
    by: str | None = None
    scope: list[str] = field(default_factory=list)


def judge(evidence: SharedEvidence, facts: Facts) -> Verdict:
    """Return the verdict on one piece of evidence."""
    if isinstance(evidence, LicenceEvidence):
        return _licence(evidence, facts)
    if isinstance(evidence, FieldEvidence):
        return _fields(evidence, facts)
    return _credit(evidence, facts)


def _licence(evidence: LicenceEvidence, facts: Facts) -> Verdict:
    mine = [
        row
        for row in facts.rows.get("licence", [])
        if row["publisher"] in evidence.sources
        and (row["type_code"] in evidence.type_codes or row["name"] in evidence.certificates)
    ]
    return _best(mine, evidence, facts, lambda row: _licence_row(row, evidence, facts))


def _licence_row(row: Row, evidence: LicenceEvidence, facts: Facts) -> Verdict:
    verdict = _standing(row, _FORCE)
    if verdict.reason is not None:
        return verdict
    penalty = stopped_by(row, facts)
    if penalty is not None:
        return Verdict("stopped", row, by=penalty["issuer_name"] or penalty["issuer"])
    if not _same_holder(row, facts):
        return Verdict("mismatch", row)
    if evidence.scope and not any(word in (row["scope"] or "") for word in evidence.scope):
        return Verdict("mismatch", row, scope=evidence.scope)
    return verdict


def _same_holder(licence: Row, facts: Facts) -> bool:
    """Compare the holder's name with the register's, where both are known."""
    names = {
        _folded(row["name"])
        for row in facts.rows.get("registration", [])
        if row["usable"] == "yes" and row["name"]
    }
    written = licence["subject_name"]
    return not written or not names or _folded(written) in names


def _folded(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).split())


def _fields(evidence: FieldEvidence, facts: Facts) -> Verdict:
    told = {column: of for column, of in evidence.where.items() if column != "state"}
    mine = [
        row
        for row in facts.rows.get(evidence.family, [])
        if row["publisher"] in evidence.sources
        and all(row[column] in of for column, of in told.items())
        and not (evidence.family == "credit" and row["unusable_reason"] in _UNCOUNTED)
    ]
    states = tuple(evidence.where.get("state", _FORCE))
    return _best(mine, evidence, facts, lambda row: _standing(row, states))


def _best(
    rows: list[Row], evidence: SharedEvidence, facts: Facts, judged: Callable[[Row], Verdict]
) -> Verdict:
    """Return the verdict on the record to rely on, else on the newest, else on the sources."""
    source = source_state(evidence, facts)
    newest = sorted(rows, key=_since, reverse=True)
    verdicts = [judged(row) for row in newest]
    good = next((one for one in verdicts if one.reason is None), None)
    if good is not None:
        return Verdict(source.fault, good.record, source)
    if verdicts:
        first = verdicts[0]
        return Verdict(first.reason, first.record, source, first.by, first.scope)
    return Verdict(source.fault or "none_on_file", None, source)


def _since(row: Row) -> tuple[dt.date, str]:
    day = row["effective_from"] or row.get("valid_from") or dt.date.min
    return day, row["record_key"]


def _standing(row: Row, good: tuple[str, ...]) -> Verdict:
    """Return whether a record may be used on the day, by itself alone."""
    if row["unusable_reason"] == "conflicted":
        return Verdict("conflicted")
    if row["unusable_reason"] == "annulled":
        return Verdict("stopped", row, by=row["issuer_name"] or row["issuer"])
    if row["unusable_reason"] is not None:
        return Verdict("not_usable")
    if row["objection"] is not None:
        return Verdict("objection", row)
    if row["state"] in good:
        return Verdict(None, row)
    if row["state"] in ("expired", "not_yet_valid"):
        return Verdict(row["state"], row)
    return Verdict("stopped", row, by=row["issuer_name"] or row["issuer"])


def _credit(evidence: CreditEvidence, facts: Facts) -> Verdict:
    """Answer the question alone: no record is shown, whatever it says."""
    source = source_state(evidence, facts)
    counted = [
        row
        for row in facts.rows.get("credit", [])
        if row["publisher"] in evidence.sources
        and row["unusable_reason"] not in _UNCOUNTED
        and any(_bars(bar, row, facts.on) for bar in evidence.bars)
    ]
    if any(row["unusable_reason"] is None and row["objection"] is None for row in counted):
        return Verdict("barred", None, source)
    if any(row["unusable_reason"] == "conflicted" for row in counted):
        return Verdict("conflicted", None, source)
    if counted:
        return Verdict("objection", None, source)
    return Verdict(source.fault, None, source)


def _bars(bar: Bar, row: Row, on: dt.date) -> bool:
    said = row["categories"] or []
    decided = row["effective_from"]
    return (
        row["kind"] == bar.kind
        and (not bar.categories or any(c in text for c in bar.categories for text in said))
        and (not bar.lists or row["list_code"] in bar.lists)
        and (not bar.severities or row["severity"] in bar.severities)
        and (bar.within is None or decided is None or decided >= on - bar.within)
    )
