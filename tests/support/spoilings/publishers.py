"""What may go wrong with the publishers' files and ledgers."""

from __future__ import annotations

from typing import Any

from tests.support.spoil import Spoiled
from tests.support.spoilings.changes import spoiling


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
        f"1, mark, layout FROM versions {THAT}"
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
