"""What the checks of identifiers promise of every text, and that columns and scalars agree."""

from __future__ import annotations

from datetime import date

import polars as pl
from hypothesis import assume, example, given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2 as kafka_murmur2
from stdnum.iso7064 import mod_11_2, mod_37_36

from schemas import bucket
from schemas.identifiers import characters, citizen, elicence, org_code, uscc
from schemas.personal import holds_personal, redact

DIGITS = "0123456789"
CAPITALS = org_code.ALPHABET

PAIRS = st.sampled_from(["91", "92", "93", "11", "12", "51", "52", "31", "N1", "Y1", "A1", "7K"])
CODES = st.builds(
    lambda pair, area, body: pair + area + body + uscc.check_character(pair + area + body),
    PAIRS,
    st.text(DIGITS, min_size=6, max_size=6),
    st.text(uscc.ALPHABET, min_size=9, max_size=9),
)
NEARLY_CODES = st.builds(
    lambda code, place, character: code[:place] + character + code[place + 1 :],
    CODES,
    st.integers(0, 17),
    st.characters(),
)
HOSTILE = st.one_of(
    st.none(),
    st.text(),
    st.just(""),
    st.just("😀" * 18),
    st.text(CAPITALS, min_size=7, max_size=19),
)
# Much of what a clerk types beside a number, so that edges and gaps are met.
PIECES = (
    *("230102", "19900101", "1230", "900101", "127", "138", "1234", "5678", "13912345678"),
    *("34052419800101001X", "+86", "电话", "A", "x", "0", "１３８", "Tel", "tel", "L", "00"),
    *(" ", "-", "－", "\u3000", "\n", "😀", "ſ", "K"),
)
TYPED = st.lists(
    st.sampled_from(PIECES),
    max_size=8,
).map("".join)


def column(expr: pl.Expr, texts: list[str | None]) -> list[object]:
    frame = pl.DataFrame({"x": texts}, schema={"x": pl.String})
    return frame.select(expr).to_series().to_list()


def test_no_single_substitution_leaves_a_code_valid() -> None:
    """A proof for all codes: a change of d at a weight w moves the sum by d * w, never 0 mod 31."""
    weights = [3**place % 31 for place in range(17)] + [1]
    assert all(change * weight % 31 for change in range(1, 31) for weight in weights)
    assert len(uscc.ALPHABET) == 31


@given(CODES, st.integers(0, 17), st.sampled_from(uscc.ALPHABET))
def test_a_substituted_character_is_detected(code: str, place: int, character: str) -> None:
    assume(code[place] != character)
    changed = code[:place] + character + code[place + 1 :]
    assert not uscc.is_valid(changed)
    assert column(uscc.fault(pl.col("x")), [changed])[0] in {"code_structure", "code_check_digit"}


@given(CODES, st.integers(0, 16))
def test_swapped_neighbours_are_detected(code: str, place: int) -> None:
    """Neighbouring weights differ modulo 31 everywhere, the last pair (28 and 1) too."""
    assume(code[place] != code[place + 1])
    changed = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert not uscc.is_valid(changed)


@given(st.lists(st.one_of(HOSTILE, CODES, NEARLY_CODES), max_size=20))
def test_codes_are_judged_alike_in_columns_and_alone(texts: list[str | None]) -> None:
    faults = column(uscc.fault(pl.col("x")), texts)
    assert [fault is None for fault in faults] == [
        text is not None and uscc.is_valid(text) for text in texts
    ]
    assert set(faults) <= {None, *uscc.FAULTS}


@given(CODES)
def test_a_valid_code_is_its_own_normal_form_however_it_was_typed(code: str) -> None:
    wide = "".join(chr(ord(character) + 0xFEE0) for character in code)
    typed = [code.lower(), wide, " ".join(code), f"\u3000{wide.lower()}\u200b\t"]
    assert column(uscc.normalise(pl.col("x")), [code, *typed]) == [code] * 5


@given(st.lists(st.one_of(HOSTILE, NEARLY_CODES), max_size=10))
def test_texts_are_normalised_alike_in_columns_and_alone_and_once_is_enough(
    texts: list[str | None],
) -> None:
    once = [None if text is None else characters.normalise_text(text) for text in texts]
    assert column(characters.normalise(pl.col("x")), texts) == once
    assert column(characters.normalise(pl.col("x")), [*once]) == once


ORG_CODES = st.text(CAPITALS, min_size=8, max_size=8).map(
    lambda first8: first8 + org_code.check_character(first8)
)


@given(st.lists(st.one_of(HOSTILE, ORG_CODES, ORG_CODES.map(lambda code: code[::-1])), max_size=20))
def test_organisation_codes_are_judged_alike_in_columns_and_alone(texts: list[str | None]) -> None:
    assert column(org_code.valid(pl.col("x")), texts) == [
        None if text is None else org_code.is_valid(text) for text in texts
    ]


@given(ORG_CODES)
def test_an_organisation_code_passes_with_its_hyphen(code: str) -> None:
    hyphened = f"{code[:8]}-{code[8:]}"
    assert column(org_code.normalise(pl.col("x")), [code, hyphened]) == [code, code]
    assert org_code.is_valid(code)


BODIES = st.tuples(
    st.text(CAPITALS, min_size=21, max_size=21),
    st.text(CAPITALS, min_size=1, max_size=18),
    st.text(CAPITALS, min_size=1, max_size=64),
    st.text(DIGITS, min_size=3, max_size=3),
)


@given(BODIES, st.sampled_from(CAPITALS))
def test_a_licence_identifier_is_checked_as_the_standard_does(
    parts: tuple[str, str, str, str], given_check: str
) -> None:
    body = "".join(parts)
    assert elicence.check_character(body) == mod_37_36.calc_check_digit(body)
    found = elicence.check_text(".".join([*parts, given_check]))
    assert (found == "mod_37_36") == mod_37_36.is_valid(body + given_check)
    legacy = elicence.legacy_check_character(body)
    assert elicence.check_text(".".join([*parts, legacy])) in {"legacy", "mod_37_36"}


@given(st.lists(HOSTILE, max_size=10))
def test_any_text_has_a_verdict_as_a_licence_identifier(texts: list[str | None]) -> None:
    expected = ["none" if not text else "failed" for text in texts]
    assert column(elicence.check(pl.col("x")), texts) == expected


@given(st.lists(st.text(st.characters(max_codepoint=127), min_size=18, max_size=18), max_size=20))
@example(["9" * 18])
def test_buckets_are_kafkas(texts: list[str]) -> None:
    hashes = [kafka_murmur2(text.encode()) for text in texts]
    assert column(bucket.murmur2(pl.col("x")), [*texts]) == hashes
    assert column(bucket.partition(pl.col("x"), 7), [*texts]) == [
        (number & 0x7FFFFFFF) % 7 for number in hashes
    ]
    assert column(bucket.bucket(pl.col("x")), [*texts]) == [
        (number & 0x7FFFFFFF) % 64 for number in hashes
    ]


@given(st.lists(st.one_of(TYPED, HOSTILE), max_size=10))
def test_columns_and_messages_find_the_same_numbers_of_persons(texts: list[str | None]) -> None:
    assert column(holds_personal(pl.col("x")), texts) == [
        text is not None and redact(text) != text for text in texts
    ]


@given(TYPED, TYPED)
def test_a_redacted_message_holds_no_number_of_a_person(before: str, after: str) -> None:
    message = redact(f"{before}，230102199001011230，13812345678，{after}")
    assert column(holds_personal(pl.col("x")), [message]) == [False]


IDENTITY_NUMBERS = st.builds(
    lambda area, born, serial: f"{area}{born:%Y%m%d}{serial}",
    st.sampled_from(["110101", "230102", "441900", "830000"]),
    st.dates(date(1900, 1, 1), date(citizen.LAST_BIRTH_YEAR, 12, 31)),
    st.text(DIGITS, min_size=3, max_size=3),
).map(lambda first17: first17 + mod_11_2.calc_check_digit(first17))


@given(
    IDENTITY_NUMBERS,
    st.lists(st.sampled_from(["", "", "", " ", "-", "－", "\u3000"]), min_size=17, max_size=17),
    st.sampled_from(["", "证号", "L", "9", "a"]),
    st.sampled_from(["", "。", "00", "B"]),
)
def test_an_identity_number_is_found_with_any_gaps_and_neighbours(
    number: str, gaps: list[str], before: str, after: str
) -> None:
    spaced = "".join(map("".join, zip(number, [*gaps, ""], strict=True)))
    texts: list[str | None] = [f"{before}{text}{after}" for text in (spaced, number.lower())]
    assert column(holds_personal(pl.col("x")), texts) == [True, True]


@given(IDENTITY_NUMBERS, st.integers(0, 17), st.sampled_from(DIGITS + "X"))
def test_a_wrong_character_in_an_identity_number_is_detected(
    number: str, place: int, character: str
) -> None:
    assume(number[place] != character)
    assert not citizen.is_number(number[:place] + character + number[place + 1 :])
