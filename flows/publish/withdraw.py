"""Taking back what was published wrongly (SAMR Order 45 art. 11: within three working days)."""

from __future__ import annotations

import datetime as dt

import polars as pl

from connectors.errors import MiantiError
from connectors.ledger import Ledger, open_ledger
from connectors.schema_ids import id_to_write
from connectors.sending import producer
from connectors.settings import Settings
from connectors.topic_settings import prepare_topic
from connectors.topics import topic_name
from flows.publish.deliver import Delivery
from flows.publish.events import single
from flows.publish.identity import holders
from flows.publish.job import publisher_line
from flows.publish.recover import catch_up
from schemas.facets import WITHDRAWAL
from schemas.personal import holds_personal
from schemas.record_key import folded_key, folded_key_text, with_subject


class NoSuchRecord(MiantiError):
    """The publisher has published no record of this key."""


class SeveralRecords(MiantiError):
    """The number is that of several records."""


class BadReason(MiantiError):
    """The reason is empty, or holds a number of a person."""


def withdraw(
    record_key: str, publisher: str, reason: str, settings: Settings, *, undo: bool = False
) -> bool:
    """Withdraw a record, or lift its withdrawal; return whether that changed anything.

    `record_key` as a person types it: in any spelling, and without the enterprise where the number
    is one enterprise's alone. The event is delivered when this returns. Raises NoSuchRecord
    (naming like keys), SeveralRecords (naming them), BadReason, NotDelivered, UnknownPublisher.
    """
    owner = publisher_line(settings, publisher)
    _check_reason(reason)
    for family in owner.families:
        topic, number = topic_name(family, publisher), id_to_write(settings, family)
        with open_ledger(settings.mianti_ledger, publisher, family) as ledger:
            prepare_topic(settings, topic)
            catch_up(ledger, settings, topic, family)
            known = _known(record_key, ledger)
            if known.is_empty():
                continue
            if (_mark(known) is not None) != undo and not _died(known):
                return False
            event = _event(known, family, publisher, reason, ledger, undo=undo)
            with producer(settings) as client:
                Delivery(ledger, client, topic, family, number).deliver(event)
            return True
    raise _unknown(record_key, publisher, settings)


def _known(typed: str, ledger: Ledger) -> pl.DataFrame:
    """Return what the ledger holds of the one record that a person means. Raises SeveralRecords."""
    folded = folded_key_text(typed)
    known = ledger.latest(pl.Series(ledger.under(folded), dtype=pl.String))
    records = holders(known).with_columns(
        full=with_subject(folded_key(pl.col("record_key")), pl.col("subject"))
    )
    meant = records.filter(pl.col("full") == folded)
    # The same record twice, in two spellings of an earlier release: the one as it was typed.
    exact = meant.filter(pl.col("record_key") == typed)
    chosen = next(frame for frame in (exact, meant, records) if frame.height or frame is records)
    if chosen.height > 1:
        raise _several(chosen)
    return known.join(chosen, on="record_key", how="semi")


def _several(records: pl.DataFrame) -> SeveralRecords:
    twice = pl.col("full").is_duplicated()
    told = records.select(pl.when(twice).then("record_key").otherwise("full")).to_series().sort()
    shown = "; ".join(told.head(20))
    return SeveralRecords(
        f"{len(told)} records have this number; give the whole key of one: {shown}",
        f"此文号对应 {len(told)} 条记录，请写明其中一条的完整记录键：{shown}",
    )


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
    [(key, subject)] = holders(known).select("record_key", "subject").rows()
    content = {
        "state": "none" if undo else "withdrawn",
        "reason_code": None if undo else "publisher_error",
        "reason": reason,
    }
    return single(
        family,
        {
            "publisher": publisher,
            "issuer": ledger.issuer(key),
            "subject": subject,
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
    spellings = dict.fromkeys((last_part, folded_key_text(last_part)))
    for family in publisher_line(settings, publisher).families:
        with open_ledger(settings.mianti_ledger, publisher, family) as ledger:
            near += [key for text in spellings for key in ledger.records(text)]
    hint = "; ".join([*dict.fromkeys(near)][:5]) or "-"
    return NoSuchRecord(
        f"{publisher} has published no record with this key. Like it: {hint}. The key is the "
        "`record_key` of the dataset.",
        f"{publisher} 未发布过此记录键的记录。相近的有：{hint}。记录键见数据集的 record_key 列。",
    )
