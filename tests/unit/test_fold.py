"""The fold is a union and a maximum: order, repetition and batching change nothing."""

from __future__ import annotations

import datetime as dt
import hashlib
import zlib
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.fold import KEPT, fold, union, whole
from flows.log import history_columns
from schemas.avro import dataset_columns
from tests.oracle.layout import Content
from tests.oracle.publishing import Version
from tests.oracle.state import state

DAYS = [dt.date(2026, 3, day) for day in range(1, 9)]
#: Every day on which anything could differ, and a day on either side.
CALENDAR = [DAYS[0] - dt.timedelta(days=1), *DAYS, DAYS[-1] + dt.timedelta(days=1)]
TIMES = [dt.datetime(2026, 3, 1, hour, tzinfo=dt.UTC) for hour in range(4)]
SUBJECTS = ["91990100MA0000001G", "91990100MA0000002K"]
STATES = {
    "licence": ["in_force", "suspended", "revoked", "annulled"],
    "credit": ["in_force", "annulled", "removed", "ended"],
    "registration": ["in_business", "closed_temporarily", "cancelled", "annulled"],
}
FACETS = {
    "licence": ["decision", "standing", "objection", "withdrawal"],
    "credit": ["decision", "standing", "repair", "objection", "withdrawal"],
    "registration": ["decision", "standing", "objection", "withdrawal"],
}
FILLED: dict[str, dict[str, Any]] = {
    "licence": {"term": "not_stated", "identifier_check": "none", "previous_identifiers": []}
    | {"addresses": [], "permits": []},
    "credit": {"kind": "penalty", "categories": []},
    "registration": {"term": "not_stated"},
}
DATED = {
    "licence": ("valid_from", "valid_to"),
    "credit": ("publication_to",),
    "registration": ("valid_from", "valid_to"),
}
#: Further ahead than anybody says that a licence will be lost.
SLIP = dt.date(2062, 3, 1)
_days = st.sampled_from([None, None, *DAYS])


@st.composite
def versions(draw: st.DrawFn, family: str) -> Version:
    """Return a landed version of one of a few records; sequences collide now and then."""
    facet = draw(st.sampled_from(["decision", *FACETS[family]]))
    fields: dict[str, Any] = {}
    if facet == "decision":
        fields |= {"remarks": draw(st.sampled_from("ab"))}
        fields |= {name: draw(_days) for name in DATED[family]}
    elif facet == "standing":
        fields["state"] = draw(st.sampled_from(STATES[family]))
    elif facet == "repair":
        fields["state"] = draw(st.sampled_from(["none", "applied", "approved"]))
    elif facet == "objection":
        fields["state"] = draw(st.sampled_from(["none", "raised"]))
    else:
        fields["state"] = draw(st.sampled_from(["none", "none", "withdrawn"]))
    content = Content(
        draw(st.sampled_from(SUBJECTS)),
        tuple(fields.items()),
        draw(st.one_of(_days, st.just(SLIP))),
        draw(_days),
        void_ab_initio=fields.get("state") == "annulled",
    )
    key = draw(st.sampled_from(["a/1", "a/1", "a/2", "a/3", "a/4"]))
    sequence = draw(st.integers(1, 5))
    return Version(
        *(key, facet, sequence, content),
        landed_at=draw(st.sampled_from(TIMES)),
        overrules=_overruled_by(sequence, content),
    )


def _overruled_by(sequence: int, content: Content) -> int | None:
    """Return which greater sequence a content overrules, one in four; the same for the same event."""
    chance = zlib.crc32(repr(content).encode())
    return None if chance % 4 else sequence + 1 + chance // 4 % 3


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, list[Version]]:
    """Return a family and versions of it: of many records at once, for a fold's cost is its start."""
    family = draw(st.sampled_from(["licence", "licence", "credit", "registration"]))
    return family, draw(st.lists(versions(family), max_size=50))


def frame(family: str, found: list[Version]) -> pl.DataFrame:
    """Return versions as the log has them, each at an offset of its own."""
    rows = [_row(family, version, offset) for offset, version in enumerate(found)]
    return pl.DataFrame(rows, schema=history_columns(family))


def _row(family: str, v: Version, offset: int) -> dict[str, Any]:
    said = v.content
    identity = repr((v.record_key, v.facet, v.sequence, said))
    content = dict(said.fields) | (FILLED[family] if v.facet == "decision" else {})
    return {
        "event_id": hashlib.sha256(identity.encode()).hexdigest()[:32],
        "publisher": "p",
        "issuer": "a",
        "subject": said.subject,
        "record_key": v.record_key,
        "facet": v.facet,
        "sequence": v.sequence,
        "effective_from": said.effective_from,
        "effective_to": said.effective_to,
        "void_ab_initio": "yes" if said.void_ab_initio else "no",
        "topic": "t",
        "partition": 0,
        "offset": offset,
        "landed_at": v.landed_at,
        "bucket": SUBJECTS.index(said.subject),
        "overrules": None if v.overrules is None else {"sequence": v.overrules, "reason": "…"},
        v.facet: content,
    }


def decided(effective_from: dt.date | None = None, **more: Any) -> Version:
    """Return a decision of a licence, landed at the first time."""
    return Version(
        "a/1",
        "decision",
        more.pop("sequence", 1),
        Content(SUBJECTS[0], tuple(more.items()), effective_from),
        landed_at=TIMES[0],
    )


def stands(
    word: str, sequence: int, at: int = 0, *, first: dt.date | None = None, **more: Any
) -> Version:
    """Return a standing of that licence, landed at one of `TIMES`."""
    void = word == "annulled"
    content = Content(SUBJECTS[0], (("state", word),), first, more.get("last"), void_ab_initio=void)
    return Version("a/1", "standing", sequence, content, landed_at=TIMES[at])


def one(found: list[Version], day: dt.date, known_at: dt.datetime | None = None) -> dict[str, Any]:
    """Return the only row of a licence."""
    (row,) = fold(frame("licence", found), "licence", day, known_at).to_dicts()
    return row


#: What the model says only of contents that name their event; these do not.
BY_EVENT = {"holding", "standing_event_id"}


@given(case=cases(), day=st.sampled_from(CALENDAR), known_at=st.sampled_from([None, *TIMES]))
@settings(deadline=None, max_examples=150)
def test_the_fold_agrees_with_the_slow_model(
    case: tuple[str, list[Version]], day: dt.date, known_at: dt.datetime | None
) -> None:
    family, found = case
    rows = fold(frame(family, found), family, day, known_at)
    expected = state(found, family, day, known_at)
    assert list(rows.select("subject", "record_key").iter_rows()) == sorted(expected)
    for row in rows.iter_rows(named=True):
        wanted = expected[row["subject"], row["record_key"]]
        named = wanted.keys() - BY_EVENT
        assert {name: row[name] for name in named} == {name: wanted[name] for name in named}
        assert row["as_of"] == day
    assert rows.schema == dataset_columns(family)


@given(case=cases(), data=st.data(), day=st.sampled_from(CALENDAR))
@settings(deadline=None, max_examples=40)
def test_order_and_repetition_change_nothing(
    case: tuple[str, list[Version]], data: st.DataObject, day: dt.date
) -> None:
    family, found = case
    rows = frame(family, found)
    repeated = data.draw(st.lists(st.sampled_from(range(rows.height)))) if found else []
    shuffled = data.draw(st.permutations([*range(rows.height), *repeated]))
    assert fold(rows[shuffled], family, day).equals(fold(rows, family, day))


def once(*frames: pl.DataFrame) -> pl.DataFrame:
    """Return the union of frames, in an order of its own."""
    return union(pl.concat(frames)).sort("event_id")


@given(case=cases(), cuts=st.tuples(st.integers(0, 50), st.integers(0, 50)))
@settings(deadline=None, max_examples=40)
def test_union_is_idempotent_commutative_and_associative(
    case: tuple[str, list[Version]], cuts: tuple[int, int]
) -> None:
    family, found = case
    rows = frame(family, found)
    low, high = sorted(cuts)
    a, b, c = rows[:low], rows[low:high], rows[high:]
    whole = once(rows)
    assert whole["event_id"].is_unique().all()
    assert once(whole).equals(whole)
    assert once(c, b, a).equals(whole)
    assert once(once(a, b), c).equals(whole)
    assert once(a, once(b, c, a)).equals(whole)


@given(case=cases(), day=st.sampled_from(CALENDAR), known_at=st.sampled_from(TIMES))
@settings(deadline=None, max_examples=40)
def test_what_was_known_does_not_depend_on_what_came_later(
    case: tuple[str, list[Version]], day: dt.date, known_at: dt.datetime
) -> None:
    family, found = case
    then = [v for v in found if v.landed_at is not None and v.landed_at <= known_at]
    assert fold(frame(family, found), family, day, known_at).equals(
        fold(frame(family, then), family, day)
    )


@given(case=cases())
@settings(deadline=None, max_examples=40)
def test_a_row_holds_until_the_day_it_names(case: tuple[str, list[Version]]) -> None:
    family, found = case
    rows = frame(family, found)
    by_day = [{_key(r): r for r in _rows(rows, family, day)} for day in CALENDAR]
    dates = {d for v in found for d in _dates(v)}
    for place, day in enumerate(CALENDAR):
        for key, row in by_day[place].items():
            until = row["usable_until"]
            for later, others in zip(CALENDAR[place:], by_day[place:], strict=True):
                if until is None or later <= until:
                    assert others[key] | {"as_of": day} == row, (day, later)
            assert until is None or until >= day
            after = None if until is None else until + dt.timedelta(days=1)
            assert until is None or until in dates or after in dates


@given(case=cases(), day=st.sampled_from(CALENDAR))
@settings(deadline=None, max_examples=40)
def test_a_row_that_may_not_be_used_keeps_its_key_and_the_reason_alone(
    case: tuple[str, list[Version]], day: dt.date
) -> None:
    family, found = case
    for row in _rows(frame(family, found), family, day):
        if row["usable"] == "no":
            assert {name for name, value in row.items() if value is not None} <= set(KEPT)
            assert row["unusable_reason"] is not None
        else:
            assert row["unusable_reason"] is None
            assert row["decision_event_id"] is not None


@given(case=cases(), day=st.sampled_from(CALENDAR), known_at=st.sampled_from([None, *TIMES]))
@settings(max_examples=200, deadline=None)
def test_the_whole_rows_say_the_same_and_hide_nothing(
    case: tuple[str, list[Version]], day: dt.date, known_at: dt.datetime | None
) -> None:
    family, found = case
    rows = frame(family, found)
    told, hidden = whole(rows, family, day, known_at), fold(rows, family, day, known_at)
    kept = pl.col("usable") == "yes"
    assert told.filter(kept).select(hidden.columns).equals(hidden.filter(kept))
    assert told.select(KEPT).equals(hidden.select(KEPT))
    alone = [v for v in found if v.facet == "decision" and v.content.effective_from is None]
    if known_at is None:
        shown = {row["record_key"] for row in told.to_dicts() if row["decision_event_id"]}
        assert {version.record_key for version in alone} <= shown


def test_a_version_not_yet_in_effect_shows_from_its_day_on() -> None:
    found = [decided(), stands("suspended", 1, first=DAYS[3])]
    before = one(found, DAYS[2])
    assert (before["state"], before["usable_until"]) == ("in_force", DAYS[2])
    assert one(found, DAYS[3])["state"] == "suspended"


def test_a_standing_whose_end_has_passed_lapses() -> None:
    found = [decided(), stands("revoked", 1), stands("suspended", 2, last=DAYS[3])]
    assert one(found, DAYS[3])["state"] == "suspended"
    assert one(found, DAYS[3])["usable_until"] == DAYS[3]
    assert one(found, DAYS[4])["state"] == "in_force"


def test_two_contents_with_one_sequence_stop_the_use_until_a_higher_one_comes() -> None:
    rivals = [decided(), stands("in_force", 2), stands("suspended", 2, at=1)]
    assert one(rivals, DAYS[0])["unusable_reason"] == "conflicted"
    assert one(rivals, DAYS[0], TIMES[0])["state"] == "in_force"
    assert one([*rivals, stands("suspended", 3, at=2)], DAYS[0])["state"] == "suspended"
    later = stands("suspended", 3, first=DAYS[3])
    assert one([*rivals, later], DAYS[2])["unusable_reason"] == "conflicted"
    assert one([*rivals, later], DAYS[3])["unusable_reason"] is None


def test_what_is_void_from_the_start_counts_before_its_day() -> None:
    found = [decided(), stands("annulled", 1, first=DAYS[5])]
    assert one(found, DAYS[0])["unusable_reason"] == "annulled"
    revoked = [decided(), stands("revoked", 1, first=DAYS[5])]
    assert one(revoked, DAYS[0])["state"] == "in_force"


def test_a_record_without_a_decision_in_effect_is_undecided() -> None:
    found = [decided(DAYS[3]), stands("suspended", 1)]
    assert one(found, DAYS[2])["unusable_reason"] == "undecided"
    assert one(found, DAYS[2])["usable_until"] == DAYS[2]
    assert one(found, DAYS[3])["state"] == "suspended"


def test_a_version_landed_twice_is_known_from_the_first_time_on() -> None:
    found = [decided(), stands("suspended", 1, at=3), stands("suspended", 1, at=1)]
    assert one(found, DAYS[0], TIMES[0])["state"] == "in_force"
    assert one(found, DAYS[0], TIMES[1])["state"] == "suspended"
    assert one(found, DAYS[0])["last_landed_at"] == TIMES[1]
    assert one(found, DAYS[0])["versions"] == 2


def _rows(rows: pl.DataFrame, family: str, day: dt.date) -> list[dict[str, Any]]:
    return fold(rows, family, day).to_dicts()


def _key(row: dict[str, Any]) -> tuple[str, str]:
    return row["subject"], row["record_key"]


def _dates(version: Version) -> set[dt.date]:
    said = version.content
    found = [said.effective_from, said.effective_to, *(value for _, value in said.fields)]
    return {value for value in found if isinstance(value, dt.date)}


@pytest.mark.parametrize("word", ["revoked", "annulled", "cancelled", "transferred_out"])
def test_what_ends_a_licence_for_good_does_not_lapse(word: str) -> None:
    found = [decided(), stands(word, 1, first=DAYS[1], last=DAYS[2])]
    row = whole(frame("licence", found), "licence", DAYS[5]).to_dicts()[0]
    assert row["state"] == word
    assert row["usable_until"] is None


def test_a_suspension_still_lapses() -> None:
    found = [decided(), stands("suspended", 1, first=DAYS[1], last=DAYS[2])]
    assert one(found, DAYS[2])["state"] == "suspended"
    assert one(found, DAYS[3])["state"] == "in_force"


@pytest.mark.parametrize("word", ["revoked", "suspended", "cancelled"])
def test_a_loss_from_a_day_that_nobody_can_mean_counts_at_once(word: str) -> None:
    assert one([decided(), stands(word, 1, first=SLIP)], DAYS[3])["state"] == word


def test_a_day_that_nobody_can_mean_gives_nothing_back() -> None:
    found = [decided(), stands("revoked", 1), stands("in_force", 2, first=SLIP)]
    assert one(found, DAYS[3])["state"] == "revoked"


def test_a_loss_announced_for_the_coming_months_begins_with_its_day() -> None:
    found = [decided(), stands("cancelled", 1, first=dt.date(2026, 9, 1))]
    assert one(found, DAYS[3])["state"] == "in_force"
    assert one(found, dt.date(2026, 9, 1))["state"] == "cancelled"


@pytest.mark.parametrize(("kind", "told"), [("penalty", True), ("listing", True), ("grade", False)])
def test_a_penalty_decided_after_it_was_told_of_counts_at_once(kind: str, told: bool) -> None:
    content = Content(SUBJECTS[0], (("kind", kind),), SLIP)
    found = frame("credit", [Version("a/1", "decision", 1, content, landed_at=TIMES[0])])
    rows = found.with_columns(pl.col("decision").struct.with_fields(kind=pl.lit(kind)))
    row = whole(rows, "credit", DAYS[3]).to_dicts()[0]
    assert (row["unusable_reason"] is None) is told
