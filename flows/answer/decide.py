"""The decision on each paper of a matter. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from flows.answer.evidence import judge
from flows.answer.facts import Facts, Row
from flows.answer.verdict import LACKING, LOST, Reason, Verdict
from schemas.catalogue.grammar import (
    Catalogue,
    Evidence,
    FieldEvidence,
    LicenceEvidence,
    Material,
    Necessity,
    PromiseEvidence,
)

#: 免提交（电子证照）, 免提交（数据共享）, 告知承诺, 容缺受理, 须提交, 不予认可.
Outcome = Literal[
    "exempt_by_licence",
    "exempt_by_data",
    "on_promise",
    "may_follow",
    "must_bring",
    "not_accepted",
]
EXEMPT: Final = ("exempt_by_licence", "exempt_by_data")
#: Columns of a record that an answer shows; a credit check shows none.
_SHOWN: Final = (
    *("record_key", "number", "name", "subject_name", "scope", "state"),
    *("issuer", "issuer_name", "publisher"),
    *("valid_from", "valid_to", "effective_from", "effective_to", "period"),
    *("last_landed_at", "decision_event_id", "standing_event_id"),
)


@dataclass(frozen=True)
class Decision:
    """What is decided of one paper.

    `evidence`, `rule`: what it rests on, or what was looked at first and was not enough. `record`:
    the columns of the record that may be shown; `fields`: values for the matter's form. `through`
    (UTC): until when the source is complete; `late`: the publisher that is not. `due`: the last
    day (China) a paper that may follow may be brought. `by`, `state`, `since`, `document`: who
    stopped what cannot be accepted, and how (`flows.answer.verdict`). `excepted`, `layout`,
    `uncounted`: what is told of the source (`flows.answer.facts.SourceState`).
    """

    material: str
    necessity: Necessity
    outcome: Outcome
    reason: Reason | None = None
    evidence: str | None = None
    rule: str | None = None
    record: Mapping[str, Any] | None = None
    fields: Mapping[str, Any] | None = None
    through: dt.datetime | None = None
    source: str | None = None
    by: str | None = None
    state: str | None = None
    since: dt.date | None = None
    document: str | None = None
    due: dt.date | None = None
    excepted: bool = False
    layout: str | None = None
    uncounted: str | None = None


def decide(catalogue: Catalogue, code: str, facts: Facts) -> list[Decision]:
    """Return the decision on every paper of a matter, in its order."""
    matter = catalogue.matters[code]
    purpose = catalogue.departments[matter.department].purposes[matter.purpose]
    decisions = []
    for use in matter.materials:
        material = catalogue.materials[use.material]
        made = _replaced(catalogue, use.material, material, use.necessity, purpose.may_use, facts)
        if (
            made.outcome == "must_bring"
            and made.reason in LACKING
            and use.necessity == "may_follow"
            and matter.follow_within is not None
        ):
            due = facts.on + dt.timedelta(days=matter.follow_within)
            made = replace(made, outcome="may_follow", due=due)
        decisions.append(made)
    return decisions


def _replaced(
    catalogue: Catalogue,
    id_: str,
    material: Material,
    necessity: Necessity,
    may_use: list[str],
    facts: Facts,
) -> Decision:
    """Try what may stand in for a paper, the best first, and a promise last of all.

    What speaks against the enterprise is told before what is lacking, and no promise helps then.
    """
    offered = [(name, catalogue.evidence[name]) for name in material.replaced_by]
    failed: list[Decision] = []
    for name, evidence in offered:
        if not isinstance(evidence, PromiseEvidence):
            verdict = judge(evidence, facts) if name in may_use else Verdict("no_right")
            made = _decision(id_, necessity, name, evidence, verdict)
            if made.outcome in EXEMPT:
                return made
            failed.append(made)
    against = [one for one in failed if one.reason not in LACKING]
    promises = [(n, e) for n, e in offered if isinstance(e, PromiseEvidence)]
    if promises and not against:
        name, promise = promises[0]
        return Decision(id_, necessity, "on_promise", None, name, promise.rule)
    if failed:
        return (against or failed)[0]
    reason: Reason = "own_paper" if material.origin != "issued" else "source_incomplete"
    return Decision(id_, necessity, "must_bring", reason)


def _decision(
    id_: str, necessity: Necessity, name: str, evidence: Evidence, verdict: Verdict
) -> Decision:
    # What was suspended, revoked or annulled helps nobody who brings it.
    outcome: Outcome = "not_accepted" if verdict.state in LOST else "must_bring"
    if verdict.reason is None:
        outcome = "exempt_by_licence" if isinstance(evidence, LicenceEvidence) else "exempt_by_data"
    fields = None
    if isinstance(evidence, FieldEvidence) and verdict.reason is None and verdict.record:
        fields = {column: verdict.record[column] for column in evidence.fields}
    source = verdict.source
    return Decision(
        material=id_,
        necessity=necessity,
        outcome=outcome,
        reason=verdict.reason,
        evidence=name,
        rule=evidence.rule,
        record=_shown(verdict.record),
        fields=fields,
        through=source.through if source else None,
        source=source.publisher if source else None,
        by=verdict.by,
        state=verdict.state,
        since=verdict.since,
        document=verdict.document,
        excepted=source is not None and source.excepted,
        layout=source.layout if source else None,
        uncounted=source.uncounted if source else None,
    )


def _shown(record: Row | None) -> Mapping[str, Any] | None:
    if record is None:
        return None
    return {name: record[name] for name in _SHOWN if record.get(name) is not None}
