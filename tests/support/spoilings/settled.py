"""What may go wrong with the history and the datasets."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from tests.oracle.delta import Row
from tests.support.spoil import Spoiled
from tests.support.spoilings.changes import (
    DATASET,
    HISTORY,
    double,
    drop,
    event,
    keep,
    put,
    record,
    spoiling,
)


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
def the_history_was_settled_from_another_log(spoiled: Spoiled) -> str:
    spoiled.number(HISTORY, "log:commit", lambda number: number ^ 1)
    return "history: the commit"


@spoiling
def a_bucket_was_folded_for_another_day(spoiled: Spoiled) -> str:
    row = spoiled.rewrite(DATASET, bool, keep)
    spoiled.number(DATASET, f"day:{row['bucket']}", lambda day: day + 1)
    return record(row)
