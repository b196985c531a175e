"""Setting right a facet that was given a sequence which nothing can follow.

Whoever may write into a topic, or a program of the publisher's own by mistake, may have sent a
version of one of the last sequences there are: it hides whatever is said afterwards. The event made
here names that sequence, and says again what the facet said before; see `flows.overruled`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from connectors.errors import MiantiError
from connectors.ledger import Ledger, NoSequenceLeft, open_ledger
from connectors.schema_ids import id_to_write
from connectors.sending import producer
from connectors.settings import Settings
from connectors.topic_settings import prepare_topic
from connectors.topics import topic_name
from flows.check import LARGEST_GIVEN, check
from flows.operators import known
from flows.overruled import OVERRULES, counting
from flows.publish.deliver import Delivery
from flows.publish.events import Sender, by_hand
from flows.publish.holding import state_rest
from flows.publish.job import publisher_line
from flows.publish.recover import catch_up, held_again, landed_of
from flows.publish.waiting import held_by, merged
from flows.quarantine import require_said
from schemas.avro import event_columns, facets, symbols
from schemas.facets import NEUTRAL, STATEMENT
from schemas.publishers import Publisher
from schemas.record_key import folded_key_text

#: The event by which a facet goes back to what a record says without it, the first the family has.
_BACK: Final = {
    "standing": ("status_stated", "standing_stated"),
    "repair": ("repair_stated",),
    "objection": ("objection_stated",),
    "withdrawal": ("restored",),
}
#: What an overruling statement says, beside whom it held before: everybody is held, until what waits
#: now is stated.
_EVERYBODY: Final[dict[str, Any]] = {
    "complete_through": None,
    "rows": 0,
    "unnamed": 1,
    "unreadable": 0,
}
#: No fingerprint of what waits: it is stated anew.
_UNSTATED: Final = "overruled"


class NothingToOverrule(MiantiError):
    """The facet has no version of such a sequence, or one that needs no overruling."""


class NothingToSay(MiantiError):
    """What the facet said before cannot be found, or may not be said again."""


@dataclass(frozen=True)
class Wrong:
    """What is to be overruled: a record's facet, and each of its sequences that is wrong."""

    record_key: str
    facet: str
    sequences: Sequence[int]


@dataclass(frozen=True)
class _Place:
    """Where it lies: one publisher's ledger and topic of one family."""

    settings: Settings
    ledger: Ledger
    publisher: str
    owner: Publisher
    family: str

    @property
    def topic(self) -> str:
        return topic_name(self.family, self.publisher)


def overrule(settings: Settings, publisher: str, wrong: Wrong, *, by: str, reason: str) -> int:
    """Deliver an event for each wrong sequence; return how many.

    `by`: an id or a name of the operators' table. Each says again what the facet said last, or, of
    one that had said nothing, what a record says without it. An overruling statement holds everybody
    until what waits now is stated, which follows at once. Raises NothingToOverrule, NothingToSay,
    NoSequenceLeft, NotSaid, UnknownOperator, UnknownPublisher, LedgerBusy, and what sending raises.
    """
    said = {"by": known(settings, by), "reason": reason}
    require_said(*said.values())
    owner = publisher_line(settings, publisher)
    for family in sorted(owner.families):
        if wrong.facet not in facets(family):
            continue
        with open_ledger(settings.mianti_ledger, publisher, family) as ledger:
            place = _Place(settings, ledger, publisher, owner, family)
            prepare_topic(settings, place.topic)
            catch_up(ledger, settings, place.topic, family)
            named = _as_in_ledger(ledger, wrong)
            if named is not None:
                events = _events(place, named, said)
                _deliver(place, events)
                return events.height
    raise NothingToOverrule(
        f"{publisher} has published no {wrong.facet} of this record key. Key and sequence stand in the "
        "sentence that said so, and in the columns record_key and sequence of the log.",
        f"{publisher} 未发布过此记录键的 {wrong.facet}。记录键和序号见提示信息，以及日志的 record_key、sequence 列。",
    )


def _as_in_ledger(ledger: Ledger, wrong: Wrong) -> Wrong | None:
    """Return the record as the ledger spells it; None where it has none. Raises NothingToOverrule."""
    for key in dict.fromkeys((wrong.record_key, folded_key_text(wrong.record_key))):
        there = [sequence for sequence, _ in ledger.sequences(key, wrong.facet)]
        if there:
            _require_last(wrong, there)
            return Wrong(key, wrong.facet, sorted(set(wrong.sequences)))
    return None


def _require_last(wrong: Wrong, there: list[int]) -> None:
    """Raise NothingToOverrule unless every sequence is there, and nothing could follow it."""
    if missing := sorted({*wrong.sequences} - {*there}):
        shown = ", ".join(map(str, there[:5]))
        raise NothingToOverrule(
            f"This {wrong.facet} has no version {missing[0]}; the greatest that count: {shown}.",
            f"该记录的 {wrong.facet} 没有序号 {missing[0]}；有效的最大序号：{shown}。",
        )
    if min(wrong.sequences) <= LARGEST_GIVEN:
        raise NothingToOverrule(
            f"Version {min(wrong.sequences)} needs no overruling: publish what is right, with a greater "
            "sequence where your rows bring their own; or withdraw the record.",
            f"序号 {min(wrong.sequences)} 无需更正：请直接发布正确内容（自带序号的，用更大的序号），或撤回该记录。",
        )


def _events(place: _Place, wrong: Wrong, said: dict[str, str]) -> pl.DataFrame:
    """Return an event for each wrong sequence. Raises NoSequenceLeft, NothingToSay."""
    rows = place.ledger.sequences(wrong.record_key, wrong.facet)
    left = [sequence for sequence, _ in rows if sequence not in wrong.sequences]
    following = max(left, default=0) + 1
    if following + len(wrong.sequences) > min(wrong.sequences):
        raise NoSequenceLeft(
            f"Version {max(left)} would still hide what follows: name it with --sequence, too.",
            f"序号 {max(left)} 仍会使后续内容无效：请一并用 --sequence 指定。",
        )
    [subject] = {whose for sequence, whose in rows if sequence == wrong.sequences[-1]}
    content = _content(place, wrong, subject, said_before=max(left, default=0) > 0)
    events = by_hand(
        place.family,
        [
            content | {"sequence": following + number, OVERRULES: {"sequence": sequence, **said}}
            for number, sequence in enumerate(wrong.sequences)
        ],
    )
    refused = check(events, place.family, place.owner, place.publisher)["__why"].drop_nulls()
    if refused.len():
        raise NothingToSay(
            f"Landing would refuse what this {wrong.facet} has to say again ({refused[0]}): it is not "
            f"{place.publisher}'s to state. Withdraw the record.",
            f"入库将拒绝该更正（{refused[0]}）：{place.publisher} 无权陈述该内容。请撤回该记录。",
        )
    return events


def _content(place: _Place, wrong: Wrong, subject: str, *, said_before: bool) -> dict[str, Any]:
    """Return what is said again: what stood before, in the topic, as a ledger keeps no contents.

    Raises NothingToSay.
    """
    landed, whole = landed_of(place.settings, place.topic, place.family, subject)
    record = counting(landed.filter(record_key=wrong.record_key)).sort("sequence", "event_id")
    poison = (pl.col("facet") == wrong.facet) & pl.col("sequence").is_in([*wrong.sequences])
    good = record.filter(~poison)
    own = good.filter(facet=wrong.facet)
    if own.height:
        again = own.select(event_columns(place.family).names()).row(-1, named=True)
        return again | ({STATEMENT: again[STATEMENT] | _EVERYBODY} if again[STATEMENT] else {})
    if said_before or not whole or wrong.facet not in _BACK:
        raise NothingToSay(
            f"What this {wrong.facet} said before is not in the topic, so that nothing can be put in its "
            "place: withdraw the record, and publish it under another number.",
            f"主题中没有该 {wrong.facet} 原先的内容，无法恢复：请撤回该记录，并以其他编号发布。",
        )
    beside = good.row(-1, named=True) if good.height else {}
    return _neutral(place, wrong, subject, beside)


def _neutral(place: _Place, wrong: Wrong, subject: str, beside: dict[str, Any]) -> dict[str, Any]:
    """Return what a record says of a facet of which nothing was published (`NEUTRAL`).

    `beside`: another event of the record, or nothing.
    """
    facet, family = wrong.facet, place.family
    states, words = symbols(family, f"{facet}.state"), symbols(family, "event_type")
    return {
        "publisher": place.publisher,
        "issuer": beside.get("issuer") or place.ledger.issuer(wrong.record_key),
        "issuer_name": beside.get("issuer_name"),
        "subject": subject,
        "record_key": wrong.record_key,
        "facet": facet,
        "event_type": next(word for word in _BACK[facet] if word in words),
        "layout": beside.get("layout", "mianti"),
        "layout_version": beside.get("layout_version", "1"),
        facet: {"state": next(state for state in NEUTRAL[facet] if state in states)},
    }


def _deliver(place: _Place, events: pl.DataFrame) -> None:
    number = id_to_write(place.settings, place.family)
    stated = events.filter(pl.col(STATEMENT).is_not_null())
    _hold_again(place.ledger, stated)
    parts = stated[STATEMENT].struct.field("partition") if stated.height else None
    with producer(place.settings) as client:
        delivery = Delivery(place.ledger, client, place.topic, place.family, number)
        delivery.deliver(events, parts)
        if stated.height:
            sender = Sender(place.publisher, place.family, "", "1", None, dt.datetime.now(dt.UTC))
            state_rest(delivery, client, place.topic, sender, place.owner.code)


def _hold_again(ledger: Ledger, stated: pl.DataFrame) -> None:
    """Let those wait again whom the wrong statement had let go, and all be stated anew."""
    for row in stated.iter_rows(named=True):
        layout, waiting = row["layout"], ledger.waiting(row["layout"])
        gone = sorted({*row[STATEMENT]["excepted"]} - {*held_by(waiting)[0]})
        ledger.note_waiting(layout, merged(waiting, held_again(gone, row["edition"])))
        ledger.note_stated(layout, _UNSTATED)
