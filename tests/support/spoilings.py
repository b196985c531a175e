"""What may go wrong with an installation: each function spoils one place, and returns its name."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.oracle.delta import Row
from tests.support.codes import uscc
from tests.support.spoil import WINDOW, Spoiled

LOG, PENALTIES = "log/licence", "log/credit"
HISTORY, DATASET = "history/licence", "datasets/licence"
RECEIPTS = "window/receipts"
Spoiling = Callable[[Spoiled], str]
SPOILINGS: list[Spoiling] = []


def spoiling(one: Spoiling) -> Spoiling:
    """Add a spoiling to those that the oracle must find."""
    SPOILINGS.append(one)
    return one


def place(row: Row) -> str:
    return f"{row['topic']}/{row['partition']} offset {row['offset']}"


def record(row: Row) -> str:
    return f"{row['subject']} {row['record_key']}"


def event(row: Row) -> str:
    return f"event {row['event_id']}"


def drop(rows: list[Row], at: int) -> None:
    del rows[at]


def double(rows: list[Row], at: int) -> None:
    rows.append(rows[at])


def keep(_: list[Row], __: int) -> None:
    """Change nothing."""


def put(**values: Any) -> Callable[[list[Row], int], None]:
    """Return a change of some columns of a row."""

    def change(rows: list[Row], at: int) -> None:
        rows[at] |= values

    return change


def put_in(facet: str, **values: Any) -> Callable[[list[Row], int], None]:
    """Return a change of some fields of a row's facet."""

    def change(rows: list[Row], at: int) -> None:
        rows[at][facet] |= values

    return change


def decision(row: Row) -> bool:
    return bool(row["verdict"] == "accepted" and row["facet"] == "decision")


def accepted(row: Row) -> bool:
    return bool(row["verdict"] == "accepted")


def quarantined(row: Row) -> bool:
    return bool(row["verdict"] == "quarantined")


def redriven(row: Row) -> bool:
    return bool(row["verdict"] == "closed" and row["reason"] == "redriven")


def move(spoiled: Spoiled, wanted: Callable[[Row], bool], verdict: str, **values: Any) -> str:
    """Take a row of the log out of its partition, and put it in another."""
    taken: list[Row] = []
    row = spoiled.rewrite(LOG, wanted, lambda rows, at: taken.append(rows.pop(at)))
    spoiled.rewrite(
        LOG,
        lambda other: bool(other["verdict"] == verdict),
        lambda rows, _: rows.append(taken[0] | values),
    )
    return place(row)


# Files


def retold(spoiled: Spoiled, name: str, line: int, old: str, new: str) -> None:
    [path] = (spoiled.there.home / "files").glob(f"law-*/{name}")
    lines = path.read_text("utf-8").splitlines(keepends=True)
    assert old in lines[line]
    lines[line] = lines[line].replace(old, new)
    path.write_text("".join(lines), "utf-8")


@spoiling
def a_row_of_a_file_says_otherwise_than_was_sent(spoiled: Spoiled) -> str:
    retold(spoiled, "f1-20260201.csv", 1, "食品", "药品")
    return "甲1 decision 1 must be in Kafka"


@spoiling
def a_row_of_a_file_was_never_sent(spoiled: Spoiled) -> str:
    retold(spoiled, "f1-20260201.csv", 2, "甲2", "乙2")
    return "乙2 decision 1 must be in Kafka"


@spoiling
def what_was_sent_is_in_no_file(spoiled: Spoiled) -> str:
    retold(spoiled, "f2-20260301.csv", 1, ",2,", ",,")
    return "甲1 standing 1 is in Kafka, and in no file"


# The log


@spoiling
def an_accepted_row_is_lost(spoiled: Spoiled) -> str:
    return place(spoiled.rewrite(LOG, accepted, drop))


@spoiling
def an_accepted_row_is_doubled(spoiled: Spoiled) -> str:
    return place(spoiled.rewrite(LOG, accepted, double))


@spoiling
def a_fine_is_another(spoiled: Spoiled) -> str:
    change = put_in("decision", fine_yuan=Decimal("1999.99"))
    return place(spoiled.rewrite(PENALTIES, decision, change))


@spoiling
def a_licence_ends_later(spoiled: Spoiled) -> str:
    change = put_in("decision", valid_to=dt.date(2099, 1, 1))
    return place(spoiled.rewrite(LOG, decision, change))


@spoiling
def a_licence_is_of_another_enterprise(spoiled: Spoiled) -> str:
    return place(spoiled.rewrite(LOG, decision, put(subject=uscc(77))))


@spoiling
def a_record_is_another(spoiled: Spoiled) -> str:
    return place(spoiled.rewrite(LOG, accepted, put(record_key="1/2")))


@spoiling
def an_accepted_row_is_quarantined(spoiled: Spoiled) -> str:
    return move(spoiled, accepted, "quarantined", reason="wrong_publisher", raw=b"", raw_digest="")


@spoiling
def a_quarantined_row_is_accepted(spoiled: Spoiled) -> str:
    return move(spoiled, quarantined, "accepted")


@spoiling
def a_quarantined_row_is_lost(spoiled: Spoiled) -> str:
    return place(spoiled.rewrite(LOG, quarantined, drop))


@spoiling
def a_reason_is_another(spoiled: Spoiled) -> str:
    return place(spoiled.rewrite(LOG, quarantined, put(reason="bad_value")))


@spoiling
def the_place_of_a_reason_is_another(spoiled: Spoiled) -> str:
    def wanted(row: Row) -> bool:
        return bool(quarantined(row) and row["reason_where"])

    return place(spoiled.rewrite(LOG, wanted, put(reason_where="decision.name")))


@spoiling
def the_kept_bytes_are_others(spoiled: Spoiled) -> str:
    def wanted(row: Row) -> bool:
        return bool(quarantined(row) and row["raw"])

    return place(spoiled.rewrite(LOG, wanted, put(raw=b"clean")))


@spoiling
def a_number_of_a_person_is_kept(spoiled: Spoiled) -> str:
    def wanted(row: Row) -> bool:
        return bool(row["reason"] == "personal_data")

    return place(spoiled.rewrite(LOG, wanted, put(raw=b"139" + b"1234" * 2)))


@spoiling
def a_quarantined_message_is_of_nobody(spoiled: Spoiled) -> str:
    def wanted(row: Row) -> bool:
        return bool(quarantined(row) and row["about"])

    return place(spoiled.rewrite(LOG, wanted, put(about=None)))


@spoiling
def a_message_was_redriven_and_not_accepted(spoiled: Spoiled) -> str:
    row = spoiled.rewrite(LOG, redriven, keep)
    return place(spoiled.rewrite(LOG, lambda one: accepted(one) and place(one) == place(row), drop))


@spoiling
def a_redriven_message_was_never_closed(spoiled: Spoiled) -> str:
    return place(spoiled.rewrite(LOG, redriven, drop))


@spoiling
def a_message_was_discarded_by_nobody(spoiled: Spoiled) -> str:
    def wanted(row: Row) -> bool:
        return bool(row["reason"] == "discarded")

    return place(spoiled.rewrite(LOG, wanted, put(closed_by=None)))


@spoiling
def a_message_is_called_discarded_behind_the_replica(spoiled: Spoiled) -> str:
    row = spoiled.rewrite(LOG, lambda one: bool(one["reason"] == "bad_frame"), keep)
    where = {name: row[name] for name in ("topic", "partition", "offset")}

    def change(rows: list[Row], at: int) -> None:
        rows.append(rows[at] | where)

    spoiled.rewrite(LOG, lambda one: bool(one["reason"] == "discarded"), change)
    return place(row)


@spoiling
def an_aborted_message_is_accepted_and_the_account_balances(spoiled: Spoiled) -> str:
    row = spoiled.rewrite(LOG, lambda one: bool(accepted(one) and one["partition"] == 1), keep)
    part = (row["topic"], row["partition"])
    there = {one.offset for one in spoiled.kafka.messages if one.place[:2] == part}
    offset = spoiled.chance.choice([n for n in range(max(there)) if n not in there])

    def change(rows: list[Row], at: int) -> None:
        rows.append(rows[at] | {"offset": offset})

    spoiled.rewrite(LOG, lambda one: place(one) == place(row), change)
    spoiled.number(LOG, "skipped:{}:{}".format(*part), lambda count: count - 1)
    return place(row | {"offset": offset})


@spoiling
def a_row_was_landed_at_another_time(spoiled: Spoiled) -> str:
    change = put(landed_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    return place(spoiled.rewrite(LOG, accepted, change))


@spoiling
def a_row_is_in_another_bucket(spoiled: Spoiled) -> str:
    return place(spoiled.rewrite(LOG, accepted, put(bucket=64)))


def part(spoiled: Spoiled) -> str:
    row = spoiled.rewrite(LOG, accepted, keep)
    return f"{row['topic']}:{row['partition']}"


@spoiling
def an_offset_has_gone_on(spoiled: Spoiled) -> str:
    where = part(spoiled)
    spoiled.number(LOG, f"offset:{where}", lambda at: at + 1)
    return where


@spoiling
def an_offset_has_gone_back(spoiled: Spoiled) -> str:
    where = part(spoiled)
    spoiled.number(LOG, f"offset:{where}", lambda at: at - 1)
    return where


@spoiling
def a_skipped_message_is_invented(spoiled: Spoiled) -> str:
    where = part(spoiled)
    spoiled.number(LOG, f"skipped:{where}", lambda count: count + 1)
    return where


@spoiling
def a_lost_message_is_called_a_gap(spoiled: Spoiled) -> str:
    row = spoiled.rewrite(LOG, accepted, drop)
    where = f"gap:{row['topic']}:{row['partition']}"
    spoiled.number(LOG, where, lambda count: count + 1)
    return place(row)


@spoiling
def a_closing_is_not_counted(spoiled: Spoiled) -> str:
    spoiled.number(LOG, "closings", lambda count: count - 1)
    return "closings"


# History and dataset


@spoiling
def a_row_of_the_history_is_lost(spoiled: Spoiled) -> str:
    return event(spoiled.rewrite(HISTORY, bool, drop))


@spoiling
def a_row_of_the_history_is_doubled(spoiled: Spoiled) -> str:
    return event(spoiled.rewrite(HISTORY, bool, double))


@spoiling
def a_row_of_the_history_is_another(spoiled: Spoiled) -> str:
    return event(spoiled.rewrite(HISTORY, bool, put(effective_from=dt.date(2031, 1, 1))))


@spoiling
def a_row_of_the_dataset_is_lost(spoiled: Spoiled) -> str:
    return record(spoiled.rewrite(DATASET, bool, drop))


@spoiling
def a_row_of_the_dataset_is_doubled(spoiled: Spoiled) -> str:
    return record(spoiled.rewrite(DATASET, bool, double))


def usable(row: Row) -> bool:
    return bool(row["usable"] == "yes")


@spoiling
def a_revoked_licence_is_in_force(spoiled: Spoiled) -> str:
    def wanted(row: Row) -> bool:
        return bool(row["state"] == "revoked")

    return record(spoiled.rewrite(DATASET, wanted, put(state="in_force")))


@spoiling
def a_fine_of_the_dataset_is_another(spoiled: Spoiled) -> str:
    return record(spoiled.rewrite("datasets/credit", usable, put(fine_yuan=Decimal("0.01"))))


@spoiling
def what_was_withdrawn_may_be_used(spoiled: Spoiled) -> str:
    def wanted(row: Row) -> bool:
        return bool(row["unusable_reason"] == "withdrawn")

    return record(spoiled.rewrite(DATASET, wanted, put(usable="yes", unusable_reason=None)))


@spoiling
def a_row_holds_longer_than_its_dates(spoiled: Spoiled) -> str:
    return record(spoiled.rewrite(DATASET, usable, put(usable_until=dt.date(2099, 1, 1))))


@spoiling
def the_content_of_what_may_not_be_used_is_there(spoiled: Spoiled) -> str:
    def wanted(row: Row) -> bool:
        return bool(row["usable"] == "no")

    return record(spoiled.rewrite(DATASET, wanted, put(name="食品经营许可证")))


def settled(spoiled: Spoiled) -> int:
    return int(spoiled.rewrite(DATASET, bool, keep)["bucket"])


@spoiling
def a_watermark_is_past_the_log(spoiled: Spoiled) -> str:
    bucket = settled(spoiled)
    spoiled.number(HISTORY, f"settled:{bucket}", lambda mark: mark + 1000)
    return f"bucket {bucket}"


@spoiling
def a_watermark_of_the_dataset_is_past_the_history(spoiled: Spoiled) -> str:
    bucket = settled(spoiled)
    spoiled.number(DATASET, f"settled:{bucket}", lambda mark: mark + 1)
    return f"bucket {bucket}"


@spoiling
def a_bucket_was_folded_for_another_day(spoiled: Spoiled) -> str:
    row = spoiled.rewrite(DATASET, bool, keep)
    spoiled.number(DATASET, f"day:{row['bucket']}", lambda day: day + 1)
    return record(row)


# The replica

VERSION = "SELECT rowid, body FROM versions ORDER BY subject, landed_at"


def version(spoiled: Spoiled) -> tuple[int, str]:
    number, text = spoiled.pick(spoiled.replica, VERSION)
    return number, place(json.loads(text))


@spoiling
def the_replica_lacks_a_version(spoiled: Spoiled) -> str:
    number, where = version(spoiled)
    spoiled.sql(spoiled.replica, "DELETE FROM versions WHERE rowid = ?", number)
    return where


@spoiling
def the_replica_has_a_version_twice(spoiled: Spoiled) -> str:
    number, where = version(spoiled)
    spoiled.sql(
        spoiled.replica, "INSERT INTO versions SELECT * FROM versions WHERE rowid = ?", number
    )
    return where


@spoiling
def the_replica_says_otherwise(spoiled: Spoiled) -> str:
    number, where = version(spoiled)
    change = "UPDATE versions SET body = json_set(body, '$.sequence', 7) WHERE rowid = ?"
    spoiled.sql(spoiled.replica, change, number)
    return where


@spoiling
def the_replica_finds_a_version_under_another_subject(spoiled: Spoiled) -> str:
    number, where = version(spoiled)
    spoiled.sql(spoiled.replica, "UPDATE versions SET subject = '' WHERE rowid = ?", number)
    return where


@spoiling
def the_replica_lacks_a_statement(spoiled: Spoiled) -> str:
    number, text = spoiled.pick(
        spoiled.replica, "SELECT number, body FROM statements ORDER BY number"
    )
    spoiled.sql(spoiled.replica, "DELETE FROM statements WHERE number = ?", number)
    return place(json.loads(text))


@spoiling
def the_replica_stands_ahead_of_what_it_holds(spoiled: Spoiled) -> str:
    change = "UPDATE positions SET version = version + 1 WHERE family = 'licence'"
    spoiled.sql(spoiled.replica, change)
    return "position in licence"


@spoiling
def the_replica_stands_behind_what_it_holds(spoiled: Spoiled) -> str:
    change = "UPDATE positions SET version = version - 1 WHERE family = 'licence'"
    spoiled.sql(spoiled.replica, change)
    return "position in licence"


@spoiling
def the_replica_lacks_a_quarantined_message(spoiled: Spoiled) -> str:
    query = (
        'SELECT number, topic, partition, "offset" FROM quarantine WHERE NOT closed ORDER BY 3, 4'
    )
    number, topic, partition, offset = spoiled.pick(spoiled.replica, query)
    spoiled.sql(spoiled.replica, "DELETE FROM quarantine WHERE number = ?", number)
    return f"{topic}/{partition} offset {offset}"


@spoiling
def the_replica_takes_a_waiting_message_for_closed(spoiled: Spoiled) -> str:
    query = (
        'SELECT number, topic, partition, "offset" FROM quarantine WHERE NOT closed ORDER BY 3, 4'
    )
    number, topic, partition, offset = spoiled.pick(spoiled.replica, query)
    spoiled.sql(spoiled.replica, "UPDATE quarantine SET closed = 1 WHERE number = ?", number)
    return f"{topic}/{partition} offset {offset}"


# The ledgers

SENT = "SELECT record_key, facet, sequence FROM versions WHERE sequence > 0 AND sent"
THAT = "WHERE record_key = ? AND facet = ? AND sequence = ?"


def sent(spoiled: Spoiled) -> tuple[Any, ...]:
    return spoiled.pick(spoiled.ledger("licence", "food"), SENT)


def words(key: tuple[Any, ...]) -> str:
    return "{} {} {}".format(*key)


@spoiling
def a_ledger_forgets_what_it_sent(spoiled: Spoiled) -> str:
    key = sent(spoiled)
    spoiled.sql(spoiled.ledger("licence", "food"), f"DELETE FROM versions {THAT}", *key)
    return words(key)


@spoiling
def a_ledger_remembers_what_it_never_sent(spoiled: Spoiled) -> str:
    key = sent(spoiled)
    change = (
        "INSERT INTO versions SELECT record_key, facet, 99, subject, digest, edition, file, row, "
        f"1, mark FROM versions {THAT}"
    )
    spoiled.sql(spoiled.ledger("licence", "food"), change, *key)
    return words((*key[:2], 99))


@spoiling
def a_sequence_of_a_ledger_is_another(spoiled: Spoiled) -> str:
    key = sent(spoiled)
    change = f"UPDATE versions SET sequence = 98 {THAT}"
    spoiled.sql(spoiled.ledger("licence", "food"), change, *key)
    return words(key)


@spoiling
def a_ledger_takes_another_content_for_sent(spoiled: Spoiled) -> str:
    key = sent(spoiled)
    change = f"UPDATE versions SET digest = replace(digest, '0', '1') {THAT}"
    spoiled.sql(spoiled.ledger("licence", "food"), change, *key)
    return words(key)


@spoiling
def a_ledger_stands_beyond_its_topic(spoiled: Spoiled) -> str:
    ledger = spoiled.ledger("credit", "police")
    topic, number = spoiled.pick(ledger, "SELECT topic, part FROM positions")
    change = "UPDATE positions SET next = next + 1 WHERE topic = ? AND part = ?"
    spoiled.sql(ledger, change, topic, number)
    return f"{topic}/{number}"


@spoiling
def a_ledger_is_lost(spoiled: Spoiled) -> str:
    path = spoiled.ledger("licence", "law")
    path.unlink()
    return path.stem


# Receipts: numbers 2 to 9 are shipped, 5 and 9 are anchored

ANSWER = "SELECT sequence FROM receipts WHERE sequence BETWEEN {} AND {}"


def receipt(spoiled: Spoiled, first: int = 2, last: int = 12) -> tuple[int, str]:
    """Return the number of an answer's receipt, and its name."""
    [number] = spoiled.pick(spoiled.receipts, ANSWER.format(first, last))
    return number, f"{WINDOW}-{number}"


def retell(old: str, new: str) -> str:
    return f"UPDATE receipts SET text = replace(text, '{old}', '{new}') WHERE sequence = ?"


@spoiling
def the_answer_in_a_receipt_is_another(spoiled: Spoiled) -> str:
    number, name = receipt(spoiled)
    spoiled.sql(spoiled.receipts, retell('"outcome":"', '"outcome":"not_'), number)
    return name


@spoiling
def a_receipt_is_of_another_clerk_with_a_fitting_hash(spoiled: Spoiled) -> str:
    number, name = receipt(spoiled)
    spoiled.sql(spoiled.receipts, retell("c017", "c018"), number)
    [text] = spoiled.pick(spoiled.receipts, f"SELECT text FROM receipts WHERE sequence = {number}")
    hash_ = hashlib.sha256(text.encode()).hexdigest()
    spoiled.sql(spoiled.receipts, "UPDATE receipts SET hash = ? WHERE sequence = ?", hash_, number)
    return name


@spoiling
def a_receipt_is_lost(spoiled: Spoiled) -> str:
    number, name = receipt(spoiled)
    spoiled.sql(spoiled.receipts, "DELETE FROM receipts WHERE sequence = ?", number)
    return name


@spoiling
def the_last_receipt_is_lost(spoiled: Spoiled) -> str:
    last = "(SELECT max(sequence) FROM receipts)"
    spoiled.sql(spoiled.receipts, f"DELETE FROM receipts WHERE sequence = {last}")
    return f"{WINDOW}-13"


@spoiling
def a_receipt_is_doubled(spoiled: Spoiled) -> str:
    number, _ = receipt(spoiled)
    change = "INSERT INTO receipts SELECT 14, subject, hash, signature, text FROM receipts "
    spoiled.sql(spoiled.receipts, change + "WHERE sequence = ?", number)
    return f"{WINDOW}-14"


@spoiling
def two_receipts_have_changed_places(spoiled: Spoiled) -> str:
    number, name = receipt(spoiled, 2, 11)
    for old, new in ((number, 99), (number + 1, number), (99, number + 1)):
        change = "UPDATE receipts SET sequence = ? WHERE sequence = ?"
        spoiled.sql(spoiled.receipts, change, new, old)
    return name


@spoiling
def a_receipt_is_signed_with_another_key(spoiled: Spoiled) -> str:
    number, name = receipt(spoiled)
    [text] = spoiled.pick(spoiled.receipts, f"SELECT text FROM receipts WHERE sequence = {number}")
    forged = Ed25519PrivateKey.from_private_bytes(bytes(32)).sign(text.encode()).hex()
    change = "UPDATE receipts SET signature = ? WHERE sequence = ?"
    spoiled.sql(spoiled.receipts, change, forged, number)
    return name


@spoiling
def a_receipt_is_filed_under_another_enterprise(spoiled: Spoiled) -> str:
    number, name = receipt(spoiled)
    change = "UPDATE receipts SET subject = 'nobody' WHERE sequence = ?"
    spoiled.sql(spoiled.receipts, change, number)
    return name


@spoiling
def the_windows_keeper_rewrites_an_anchored_receipt(spoiled: Spoiled) -> str:
    number, _ = receipt(spoiled, 2, 9)
    spoiled.reseal(number, lambda body: body["who"].update(clerk="c018"))
    return f"anchor of receipt {WINDOW}-9"


@spoiling
def the_windows_keeper_rewrites_a_receipt_not_anchored_yet(spoiled: Spoiled) -> str:
    number, name = receipt(spoiled, 10, 13)
    spoiled.reseal(number, lambda body: body["who"].update(clerk="c018"))
    return f"answer {name}"


@spoiling
def an_answer_rests_on_what_was_not_known_yet(spoiled: Spoiled) -> str:
    number, name = receipt(spoiled, 10, 13)
    long_ago = "2020-01-01T00:00:00+00:00"
    spoiled.reseal(number, lambda body: body["known"].update(licence=long_ago, credit=long_ago))
    return f"receipt {name} rests on"


@spoiling
def an_answer_rests_on_an_event_of_another(spoiled: Spoiled) -> str:
    number, name = receipt(spoiled, 10, 13)
    other = spoiled.rewrite(LOG, lambda row: bool(row["subject"] == uscc(20)), keep)["event_id"]
    spoiled.reseal(number, lambda body: body["answers"][0]["papers"][0].update(records=[other]))
    return f"receipt {name} rests on {other}"


@spoiling
def a_revoked_licence_exempts(spoiled: Spoiled) -> str:
    def change(body: Row) -> None:
        body["answers"][0]["papers"][0].update(outcome="exempt_by_licence", reason=None)

    spoiled.reseal(2, change)  # of the first enterprise
    return f"receipt {WINDOW}-2 exempts from licence by a licence"


@spoiling
def an_answer_rests_on_data_that_are_not_complete(spoiled: Spoiled) -> str:
    number, name = receipt(spoiled, 9, 13)
    later = "2030-01-01T00:00:00+00:00"
    spoiled.reseal(number, lambda body: body["answers"][0]["papers"][1].update(through=later))
    return f"receipt {name} exempts from no-stop by data"


@spoiling
def an_answer_rests_on_what_held_no_longer(spoiled: Spoiled) -> str:
    def suspended(row: Row) -> bool:
        return bool(row["subject"] == uscc(5) and row["facet"] == "standing")

    old = spoiled.rewrite(LOG, lambda row: suspended(row) and row["sequence"] == 1, keep)[
        "event_id"
    ]
    spoiled.reseal(6, lambda body: body["answers"][0]["papers"][0].update(records=[old]))
    return f"receipt {WINDOW}-6 rests on {old}, which held no longer"


@spoiling
def a_receipt_says_nothing_that_can_be_read(spoiled: Spoiled) -> str:
    number, name = receipt(spoiled)
    change = "UPDATE receipts SET text = 'nothing' WHERE sequence = ?"
    spoiled.sql(spoiled.receipts, change, number)
    return name


def of_receipt(row: Row) -> str:
    return f"{WINDOW}-{row['sequence']}"


@spoiling
def a_shipped_receipt_is_lost(spoiled: Spoiled) -> str:
    return of_receipt(spoiled.rewrite(RECEIPTS, bool, drop))


@spoiling
def a_shipped_receipt_is_doubled(spoiled: Spoiled) -> str:
    return of_receipt(spoiled.rewrite(RECEIPTS, bool, double))


@spoiling
def a_shipped_receipt_is_another(spoiled: Spoiled) -> str:
    return of_receipt(spoiled.rewrite(RECEIPTS, bool, put(text="{}")))


@spoiling
def more_is_called_shipped_than_was(spoiled: Spoiled) -> str:
    spoiled.number(RECEIPTS, f"receipts:{WINDOW}", lambda last: last + 1)
    return f"{WINDOW}-10"


@spoiling
def an_anchor_is_another(spoiled: Spoiled) -> str:
    path = spoiled.there.lake / "evidence" / "anchors" / WINDOW / f"{5:012}.json"
    path.write_text(path.read_text().replace('"hash":"', '"hash":"0'))
    return f"{WINDOW}-5"


@spoiling
def an_anchor_is_lost(spoiled: Spoiled) -> str:
    (spoiled.there.lake / "evidence" / "anchors" / WINDOW / f"{9:012}.json").unlink()
    return f"{WINDOW}-9"


@spoiling
def a_receipt_among_the_evidence_is_another(spoiled: Spoiled) -> str:
    path = spoiled.there.lake / "evidence" / "receipts" / WINDOW / f"{6:012}-{9:012}.jsonl"
    path.write_text(path.read_text("utf-8").replace("c017", "c018", 1), "utf-8")
    return f"{WINDOW}-6"


@spoiling
def receipts_among_the_evidence_are_lost(spoiled: Spoiled) -> str:
    (spoiled.there.lake / "evidence" / "receipts" / WINDOW / f"{6:012}-{9:012}.jsonl").unlink()
    return f"{WINDOW}-7"


@spoiling
def a_rule_book_is_another(spoiled: Spoiled) -> str:
    [path] = (spoiled.there.lake / "evidence" / "rules").iterdir()
    path.write_bytes(path.read_bytes() + b" ")
    return f"{WINDOW}-2"


@spoiling
def an_answer_was_given_without_a_receipt(spoiled: Spoiled) -> str:
    told = json.loads(json.dumps(spoiled.answers[0]))
    told["receipt"]["id"] = f"{WINDOW}-14"
    spoiled.answers.append(told)
    return f"{WINDOW}-14"


@spoiling
def two_answers_were_given_one_receipt(spoiled: Spoiled) -> str:
    spoiled.answers.append(spoiled.answers[3])
    return str(spoiled.answers[3]["receipt"]["id"])


@spoiling
def a_clerk_was_told_otherwise(spoiled: Spoiled) -> str:
    told = spoiled.chance.choice(spoiled.answers)
    told["answers"][0]["papers"][0]["outcome"] = "exempt_by_promise"
    return str(told["receipt"]["id"])


@spoiling
def a_receipt_is_of_an_answer_nobody_was_given(spoiled: Spoiled) -> str:
    told = spoiled.answers.pop(spoiled.chance.randrange(len(spoiled.answers)))
    return str(told["receipt"]["id"])
