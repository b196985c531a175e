"""What may go wrong with the window's receipts: numbers 2 to 9 are shipped, 5 and 9 anchored."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.oracle.delta import Row
from tests.support.codes import uscc
from tests.support.spoil import WINDOW, Spoiled
from tests.support.spoilings.changes import LOG, keep, spoiling

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
