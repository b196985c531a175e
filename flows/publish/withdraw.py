"""Taking back what was published wrongly (SAMR Order 45 art. 11: within three working days)."""

from __future__ import annotations

import datetime as dt

import polars as pl

from connectors.errors import MiantiError
from connectors.ledger import Ledger, open_ledger
from connectors.schema_ids import id_to_write
from connectors.sending import producer
from connectors.settings import Settings
from connectors.topics import ensure_topic, topic_name
from flows.publish.deliver import Delivery
from flows.publish.events import single
from flows.publish.publish import publisher_line
from flows.publish.recover import catch_up
from schemas.facets import DECISION, WITHDRAWAL
from schemas.personal import holds_personal


class NoSuchRecord(MiantiError):
    """The publisher has published no record of this key."""


class BadReason(MiantiError):
    """The reason is empty, or holds a number of a person."""


def withdraw(
    record_key: str, publisher: str, reason: str, settings: Settings, *, undo: bool = False
) -> bool:
    """Withdraw a record, or lift its withdrawal; return whether that changed anything.

    The event is delivered when this returns. Raises NoSuchRecord (naming like keys), BadReason,
    NotDelivered, UnknownPublisher.
    """
    owner = publisher_line(settings, publisher)
    _check_reason(reason)
    for family in owner.families:
        topic, number = topic_name(family, publisher), id_to_write(settings, family)
        with open_ledger(settings.mianti_ledger, publisher, family) as ledger:
            ensure_topic(settings, topic)
            catch_up(ledger, settings, topic, family)
            known = ledger.latest(pl.Series([record_key]))
            if known.is_empty():
                continue
            if (_mark(known) is not None) != undo and not _died(known):
                return False
            event = _event(known, family, publisher, reason, ledger, undo=undo)
            with producer(settings) as client:
                Delivery(ledger, client, topic, family, number).deliver(event)
            return True
    raise _unknown(record_key, publisher, settings)


def _mark(known: pl.DataFrame) -> str | None:
    marks = known.filter(pl.col("facet") == WITHDRAWAL)["mark"].to_list()
    blocking = [m for m in marks if m in ("publisher_error", "decision_changed")]
    return blocking[0] if blocking else None


def _died(known: pl.DataFrame) -> bool:
    """Return whether the last withdrawal, or its lifting, was written down and never sent."""
    last = known.filter(pl.col("facet") == WITHDRAWAL)
    return not last["sent"].all()


def _event(
    known: pl.DataFrame, family: str, publisher: str, reason: str, ledger: Ledger, *, undo: bool
) -> pl.DataFrame:
    said = known.filter(pl.col("facet") != WITHDRAWAL)
    # Sequences of different facets do not compare; the decision says whose the record is.
    last = said.sort(pl.col("facet") == DECISION, "sequence").row(-1, named=True)
    key = last["record_key"]
    content = {
        "state": "none" if undo else "withdrawn",
        "reason_code": None if undo else "publisher_error",
        "reason": reason,
    }
    return single(
        family,
        {
            "publisher": publisher,
            "issuer": key.split("/", 1)[0].replace("%2F", "/").replace("%25", "%"),
            "subject": last["subject"],
            "record_key": key,
            "facet": WITHDRAWAL,
            "event_type": "restored" if undo else "withdrawn",
            "sequence": ledger.next_sequence(key, WITHDRAWAL),
            "occurred_at": dt.datetime.now(dt.UTC),
            "layout": "mianti",
            "layout_version": "1",
            WITHDRAWAL: content,
        },
    )


def _check_reason(reason: str) -> None:
    text = pl.Series([reason])
    personal = pl.select(holds_personal(pl.lit(text))).item()
    if not reason.strip() or personal:
        raise BadReason(
            "--reason must say why, without an identity number or a telephone number.",
            "--reason 必须说明原因，且不得包含身份证号码或电话号码。",
        )


def _unknown(record_key: str, publisher: str, settings: Settings) -> NoSuchRecord:
    near: list[str] = []
    last_part = record_key.rsplit("/", 1)[-1][:20]
    for family in publisher_line(settings, publisher).families:
        with open_ledger(settings.mianti_ledger, publisher, family) as ledger:
            near += ledger.records(last_part)
    hint = "; ".join(near[:5]) or "-"
    return NoSuchRecord(
        f"{publisher} has published no record with this key. Like it: {hint}. The key is the "
        "`record_key` of the dataset.",
        f"{publisher} 未发布过此记录键的记录。相近的有：{hint}。记录键见数据集的 record_key 列。",
    )
