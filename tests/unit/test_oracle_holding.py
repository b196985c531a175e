"""The oracle knows whom a statement holds: by code, by organisation code, by name, or everyone."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.oracle.resting import _held
from tests.oracle.verdict import _names_somebody
from tests.support.codes import uscc

SUBJECT = uscc(1)


def named(name: str) -> str:
    return "name:" + hashlib.sha256(name.encode()).hexdigest()[:16]


def statement(publisher: str, *excepted: str, unnamed: int = 0) -> dict[str, Any]:
    said = {"partition": 0, "partitions": 1, "excepted": [*excepted], "unnamed": unnamed}
    row = {"verdict": "accepted", "facet": "statement", "sequence": 1, "event_id": "1"}
    return row | {
        "publisher": publisher,
        "layout": "l",
        "subject": "-",
        "statement": said,
        "record_key": "-",
    }


def decision(name: str | None, subject: str = SUBJECT) -> dict[str, Any]:
    said = {"subject_name": name, "name": "食品经营许可证"}
    return {"verdict": "accepted", "facet": "decision", "subject": subject, "decision": said}


@pytest.mark.parametrize(
    ("excepted", "name", "held"),
    [
        ([SUBJECT], "示范企业", True),
        ([SUBJECT[8:17]], "示范企业", True),
        ([uscc(2)], "示范企业", False),
        ([named("示范企业(集团)")], "示范企业（集团） ", True),
        ([named("另一企业")], "示范企业", False),
        ([named("食品经营许可证")], "示范企业", False),
        ([named("另一企业")], None, True),
        ([named("另一企业")], "无", True),
        ([], None, False),
    ],
)
@pytest.mark.parametrize("source", ["food", "police"])
def test_whom_a_statement_holds(
    source: str, excepted: list[str], name: str | None, held: bool
) -> None:
    known = {"licence": [decision(name)], "credit": [decision("第三企业", uscc(3))]}
    known["licence" if source == "food" else "credit"].append(statement(source, *excepted))
    assert _held(known, "licence", "food", SUBJECT) is held


def test_a_row_about_nobody_known_holds_everyone() -> None:
    known = {"licence": [decision("示范企业"), statement("food", unnamed=1)]}
    assert _held(known, "licence", "food", SUBJECT)
    assert not _held(known, "licence", "water", SUBJECT)


def test_what_a_statement_may_except() -> None:
    assert all(map(_names_somebody, (SUBJECT, named("示范企业"))))
    assert not any(map(_names_somebody, ("", "name:示范企业", named("示范企业")[:-1], "name:")))
