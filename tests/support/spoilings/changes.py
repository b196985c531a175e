"""How rows are changed, and the list of all spoilings: each spoils one place and returns its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.oracle.delta import Row
from tests.support.spoil import Spoiled

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
