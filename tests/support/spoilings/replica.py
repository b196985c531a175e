"""What may go wrong with the window's replica."""

from __future__ import annotations

import json

from tests.support.spoil import Spoiled
from tests.support.spoilings.changes import place, spoiling

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
