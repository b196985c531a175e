"""What the publishers of a soak say, file by file; the same for one seed, whoever makes them again.

A record's number says everything about it but what changes: so that a publisher that was killed
need remember nothing but how many records it had.
"""

from __future__ import annotations

import random
from functools import cache
from typing import Any, Final, TypeAlias

from tests.support.codes import uscc
from tests.support.exchange import Department
from tests.support.window import penalty

Rows: TypeAlias = list[dict[str, Any]]
#: Enterprises of the law offices; those of the food department and the police are the first ones.
ENTERPRISES: Final = 20_000
FOOD, FINES = 300, 100
#: Rows of every file that are refused: of so many records, which are never right.
BAD: Final = 20
_LATER: Final = 100


@cache
def _code(number: int) -> str:
    return uscc(1 + number % ENTERPRISES)


def law(department: Department, chance: random.Random, known: int, count: int) -> Rows:
    """Return rows of the small layout: two thirds new records, the others said anew, two bad."""
    new = range(known, law_records(known, count))
    old = chance.sample(range(known), min(known, count - len(new)))
    rows = [_law(department.code, number, chance) for number in (*new, *old)]
    bad = 10**7 + chance.randrange(BAD)
    rows += [
        _law(department.code, bad, chance) | {"代码": ""},
        _law(department.code, bad + BAD, chance) | {"决定日": "2026-02-30"},
    ]
    chance.shuffle(rows)
    return rows


def law_records(known: int, count: int) -> int:
    """Return how many records there are behind a file."""
    return known + max(1, count * 2 // 3)


def _law(issuer: str, number: int, chance: random.Random) -> dict[str, str]:
    return {
        "代码": _code(number),
        "编号": f"甲{number}",
        "机关": issuer,
        "内容": f"范围{chance.randrange(_LATER)}",
        "决定日": "2026-01-05",
        "有效期自": "2026-01-06",
        "有效期至": f"20{chance.randrange(30, 60)}-01-05",
        "状态": "2" if chance.random() < 0.2 else "1",
    }


def food(department: Department, chance: random.Random, count: int) -> Rows:
    """Return licences, whole records of the public layout."""
    numbers = chance.sample(range(1, FOOD + 1), min(FOOD, count))
    states = {number: "1" if chance.random() < 0.9 else "2" for number in numbers}
    return [
        department.licence(n, XK_ZT=states[n], XK_NR=f"范围{chance.randrange(_LATER)}")
        for n in numbers
    ]


def fines(department: Department, chance: random.Random, count: int) -> Rows:
    """Return penalties."""
    numbers = chance.sample(range(1, FINES + 1), min(FINES, count))
    return [
        penalty(department, n, CF_XDR_SHXYM=uscc(n), CF_NR_FK=f"{chance.randrange(1, 90)}")
        for n in numbers
    ]
