"""What may go wrong with shipped receipts, the evidence, and what clerks were told."""

from __future__ import annotations

import json

from tests.oracle.delta import Row
from tests.support.spoil import WINDOW, Spoiled
from tests.support.spoilings.changes import RECEIPTS, double, drop, put, spoiling


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
