"""A matter's form, filled from the evidence that its papers are decided by. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from flows.answer.decide import Decision
from flows.answer.evidence import judge
from flows.answer.facts import Facts
from flows.answer.verdict import LACKING, Reason, Verdict
from flows.answer.words import NO_TITLES, layout_name, why
from schemas.catalogue.grammar import (
    SUBJECT,
    Catalogue,
    FormField,
    PromiseEvidence,
    columns_for_forms,
    origin,
)
from schemas.dialect import Words
from schemas.publishers import PublishersTable

#: What the words of a reason say of a record that speaks against the enterprise.
_TERM: Final = ("valid_from", "valid_to", "effective_to")


@dataclass(frozen=True)
class Filled:
    """A field of a form: its value and the record it was taken from, or why it has none.

    `source`: the publisher; `events`: ids of the record's events; `through` (UTC): until when all
    sources of the evidence are complete; `layout`: the one that says so. The subject's own code comes from no evidence.
    """

    id: str
    name: Words
    value: Any = None
    evidence: str | None = None
    source: str | None = None
    record_key: str | None = None
    events: tuple[str, ...] = ()
    through: dt.datetime | None = None
    layout: str | None = None
    unfilled: Decision | None = None

    @property
    def reason(self) -> Reason | None:
        """Return why it is not filled."""
        return self.unfilled.reason if self.unfilled is not None else None


def prefill(catalogue: Catalogue, code: str, subject: str, facts: Facts) -> list[Filled]:
    """Return the fields of a matter's form, in its order; none where it has no form.

    Only evidence that may be relied on, and used for this matter, fills a field.
    """
    matter = catalogue.matters[code]
    fields = catalogue.forms[matter.form] if matter.form is not None else []
    purpose = catalogue.departments[matter.department].purposes[matter.purpose]
    wanted = {origin(one)[0] for field in fields for one in field.origins if one != SUBJECT}
    verdicts = {id_: _judged(catalogue, id_, purpose.may_use, facts) for id_ in wanted}
    return [_filled(catalogue, field, subject, verdicts) for field in fields]


def _judged(catalogue: Catalogue, id_: str, may_use: list[str], facts: Facts) -> Verdict:
    evidence = catalogue.evidence[id_]
    if id_ not in may_use or isinstance(evidence, PromiseEvidence):
        return Verdict("no_right")
    return judge(evidence, facts)


def _filled(
    catalogue: Catalogue, field: FormField, subject: str, verdicts: Mapping[str, Verdict]
) -> Filled:
    """Try what a field may come from, the best first; if in vain, tell what speaks against first."""
    failed: list[Decision] = []
    for reference in field.origins:
        if reference == SUBJECT:
            return Filled(field.id, field.name, subject)
        id_, column = origin(reference)
        verdict, row = verdicts[id_], verdicts[id_].record
        given = column in columns_for_forms(catalogue.evidence[id_])
        if verdict.reason is None and row is not None and given and row[column] is not None:
            events = (row["decision_event_id"], row["standing_event_id"])
            return Filled(
                id=field.id,
                name=field.name,
                value=row[column],
                evidence=id_,
                source=row["publisher"],
                record_key=row["record_key"],
                events=tuple(one for one in events if one is not None),
                through=verdict.source.through if verdict.source else None,
                layout=verdict.source.layout if verdict.source else None,
            )
        failed.append(_unfilled(catalogue, field, id_, verdict))
    told = next((one for one in failed if one.reason not in LACKING), failed[0])
    return Filled(
        id=field.id,
        name=field.name,
        evidence=told.evidence,
        source=told.source,
        through=told.through,
        layout=told.layout,
        unfilled=told,
    )


def _unfilled(catalogue: Catalogue, field: FormField, id_: str, verdict: Verdict) -> Decision:
    """Return why, in the shape that words are found for; of a record, its term alone."""
    row, state = verdict.record or {}, verdict.source
    return Decision(
        material=field.id,
        necessity="optional",
        outcome="must_bring",
        reason=verdict.reason or "none_on_file",  # a record, without this column
        evidence=id_,
        rule=catalogue.evidence[id_].rule,
        record={name: row[name] for name in _TERM if row.get(name) is not None},
        through=state.through if state else None,
        source=state.publisher if state else None,
        by=verdict.by,
        state=verdict.state,
        since=verdict.since,
        document=verdict.document,
        excepted=state is not None and state.excepted,
        layout=state.layout if state else None,
        uncounted=state.uncounted if state else None,
    )


def as_json(
    fields: list[Filled],
    catalogue: Catalogue,
    table: PublishersTable,
    titles: Mapping[str, Words] = NO_TITLES,
) -> list[dict[str, Any]]:
    """Return a form as JSON; times are UTC, texts in both languages."""
    # Many fields lack one piece of evidence for one reason, which is put into words once.
    lacking = {(one.evidence, one.reason): one.unfilled for one in fields}
    reasons = {key: why(one, catalogue, table, titles).both for key, one in lacking.items() if one}
    return [_field(one, catalogue, table, reasons, titles) for one in fields]


def _field(
    one: Filled,
    catalogue: Catalogue,
    table: PublishersTable,
    reasons: Mapping[tuple[str | None, Reason | None], dict[str, str]],
    titles: Mapping[str, Words],
) -> dict[str, Any]:
    evidence = catalogue.evidence.get(one.evidence or "")
    publisher = table.publishers.get(one.source or "")
    return {
        "id": one.id,
        "name": one.name.both,
        "value": _plain(one.value),
        "evidence": one.evidence,
        "evidence_name": evidence.name.both if evidence else None,
        "source": one.source,
        "source_name": publisher.name.both if publisher else None,
        "layout_name": layout_name(one.source, one.layout, table, titles),
        "record_key": one.record_key,
        "events": [*one.events],
        "complete_through": one.through.isoformat() if one.through else None,
        "reason": one.reason,
        "why": reasons[one.evidence, one.reason] if one.unfilled else None,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
