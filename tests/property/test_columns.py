"""Both ways of reading Kafka give the same rows and verdicts, whatever is in a batch."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from kafka.errors import CorruptRecordError

from flows.judge import judge
from tests.property.effort import some
from tests.support import batches as b

EXAMPLES = 30
TOGETHER = 12


def verdicts(fetched: bytes, *, whole: bool, **options: Any) -> pl.DataFrame | type[Exception]:
    """Return the log rows of one fetch, or the error that reading it raises."""
    try:
        rows = judge(b.read(fetched, whole=whole, **options), "licence", b.PUBLISHERS)
        return rows.sort("topic", "partition", "offset")
    except CorruptRecordError as error:
        return type(error)


def same(fetched: bytes, **options: Any) -> pl.DataFrame | type[Exception]:
    """Read a fetch in both ways, which must agree; return what they say."""
    fast = verdicts(fetched, whole=True, **options)
    plain = verdicts(fetched, whole=False, **options)
    if isinstance(fast, pl.DataFrame) and isinstance(plain, pl.DataFrame):
        assert fast.equals(plain), _different(fast, plain)
    else:
        assert fast is plain
    return fast


def _different(fast: pl.DataFrame, plain: pl.DataFrame) -> str:
    if fast.height != plain.height:
        return f"{fast.height} rows for {plain.height}"
    wrong = [name for name in plain.columns if not fast[name].equals(plain[name])]
    return f"{wrong}: {fast.select(wrong).rows()} for {plain.select(wrong).rows()}"


GOOD = b.batch(b.message(b.licence(number)) for number in range(1, 9))


def flipped(section: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(section))
    return section[:at] + bytes([section[at] ^ 1 << chance.randrange(8)]) + section[at + 1 :]


def cut(section: bytes, chance: random.Random) -> bytes:
    at, more = chance.randrange(len(section)), chance.choice([1, 2, 5, 40])
    return section[:at] + section[at + more :]


def inserted(section: bytes, chance: random.Random) -> bytes:
    at, more = chance.randrange(len(section)), chance.choice([1, 2, 5, 40])
    return section[:at] + chance.randbytes(more) + section[at:]


def moved(section: bytes, chance: random.Random) -> bytes:
    first, second = sorted(chance.sample(range(len(section)), 2))
    more = chance.choice([1, 3, 9])
    piece = section[first : first + more]
    return section[:first] + section[first + more : second] + piece + section[second:]


def body_flipped(section: bytes, chance: random.Random) -> bytes:
    """Return the records with a value changed but every length right, as a broken writer would."""
    messages = [b.message(b.licence(number)) for number in range(1, 9)]
    key, value, said = messages[at := chance.randrange(8)]
    assert value is not None
    spoiled = chance.choice([flipped, cut, inserted, moved])(value, chance)
    messages[at] = key, spoiled, said
    return b.section_of(b.batch(messages))


Damage = Callable[[bytes, random.Random], bytes]
DAMAGES: list[Damage] = [flipped, cut, inserted, moved, body_flipped, body_flipped]


@settings(max_examples=some(EXAMPLES))
@given(st.integers(0, 2**32), st.integers(1, 3))
def test_damage_of_any_kind_is_judged_alike(seed: int, times: int) -> None:
    chance = random.Random(seed)
    judged = 0
    fetches = []
    for _ in range(TOGETHER):
        section = b.section_of(GOOD)
        for _ in range(times):
            section = chance.choice(DAMAGES)(section, chance)
        fetches.append(b.forged(GOOD, section))
    for fetched in fetches:
        found = same(fetched)
        judged += found.height if isinstance(found, pl.DataFrame) else 1
    assert judged > 0
