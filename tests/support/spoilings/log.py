"""What may go wrong with a log."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

from tests.oracle.delta import Row
from tests.support.codes import uscc
from tests.support.spoil import Spoiled
from tests.support.spoilings.changes import (
    LOG,
    PENALTIES,
    accepted,
    decision,
    double,
    drop,
    keep,
    move,
    place,
    put,
    put_in,
    quarantined,
    redriven,
    spoiling,
)


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
    def wanted(one: Row) -> bool:
        return bool(accepted(one) and one["partition"] == 1 and ".food-" in one["topic"])

    row = spoiled.rewrite(LOG, wanted, keep)
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


@spoiling
def a_heartbeat_says_more_than_was_landed(spoiled: Spoiled) -> str:
    path = spoiled.there.lake / "heartbeat" / "licence.json"
    told = json.loads(path.read_text("utf-8"))
    later = dt.datetime.fromisoformat(told["through"]) + dt.timedelta(hours=1)
    path.write_text(json.dumps(told | {"through": later.isoformat()}), "utf-8")
    return "heartbeat of licence"
