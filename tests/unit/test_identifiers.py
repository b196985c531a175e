"""Check digits of codes, by the vectors found in public sources."""

from __future__ import annotations

import polars as pl
import pytest

from schemas.identifiers import characters, citizen, elicence, org_code, uscc

VALID = [
    "914403001922038216",
    "91440300708461136T",
    "9144030071526726XG",
    "91330100799655058B",
    "91110108551385082Q",
    "91110000802100433B",
    "91110000600037341L",
    "11100000000013338W",
    "11100000MB0341032Y",
    "91620105L015101280",  # check character 0
    "92340603MA2UK1TD00",
    "91350100M000100Y43",  # the standard's worked example, put right
]
FAULTY = {
    None: "code_missing",
    "": "code_missing",
    "00000000000000000X": "code_placeholder",
    "9144030019220382": "code_length",
    "9144030019220382160": "code_length",
    "统一社会信用代码": "code_length",
    "9144030019220382一6": "code_alphabet",
    "😀" * 18: "code_alphabet",
    "91350100M000100Y4Z": "code_alphabet",  # the standard's worked example, as printed
    "9144010132102269x2": "code_alphabet",  # only normalised text is a code
    "9144030019220382 6": "code_alphabet",
    "814403001922038218": "code_check_digit",
    "014403001922038216": "code_structure",
    "941403001922038216": "code_structure",
    "91A403001922038216": "code_structure",
    "91350203M0001QAY9B": "code_check_digit",
    "91110108717809965C": "code_check_digit",
    "91110000800088421P": "code_check_digit",
    "9133010057462616XH": "code_check_digit",
    "914403001922038217": "code_check_digit",
}
BY_STANDARD = [
    "11100000000013338W011.11430000006122244L.20230000403.001.U",
    "11100000000013338W011.11430000006122244L.20230000403.002.S",
    "11100000000013338W032.11220000013544541J.2430599.001.F",
    "11100000000013338W009.11330105002500287C.2025052201.002.0",
    "11100000000013338W087.11370800MB28559184.37080001202411010001.001.3",
    "11100000MB03271699022.340100.000000016.001.9",
]
BY_OLD_ROUTINE = "11100000000013661B006.113700000045046442.209FA4E88F9E4C878F3E9BED2CE7EA49.001.M"


def column(expr: pl.Expr, texts: list[str | None]) -> list[object]:
    return pl.DataFrame({"x": texts}, schema={"x": pl.String}).select(expr).to_series().to_list()


@pytest.mark.parametrize("code", VALID)
def test_a_code_from_a_public_source_is_valid(code: str) -> None:
    assert uscc.is_valid(code)
    assert uscc.check_character(code[:17]) == code[17]


def test_valid_codes_have_no_fault_in_columns_and_their_inner_code_is_right() -> None:
    codes: list[str | None] = [*VALID]
    assert column(uscc.fault(pl.col("x")), codes) == [None] * len(codes)
    assert column(uscc.inner_org_code_valid(pl.col("x")), codes) == [True] * len(codes)


def test_each_fault_has_its_own_code() -> None:
    assert column(uscc.fault(pl.col("x")), [*FAULTY]) == [*FAULTY.values()]
    assert not any(uscc.is_valid(code) for code in FAULTY if code is not None)
    assert set(FAULTY.values()) == set(uscc.FAULTS)


def test_the_check_of_the_whole_code_decides_and_not_the_inner_one() -> None:
    codes: list[str | None] = ["91350203M0001QAY9B", "91110108717809965C", None]
    assert column(uscc.inner_org_code_valid(pl.col("x")), codes) == [True, False, None]
    assert column(uscc.inner_org_code_valid(pl.col("x")), ["", "91350203"]) == [False, False]


@pytest.mark.parametrize(
    "first17",
    [
        "91" + "440300192203821",
        "A1" + "110000600037341",
        "N2" + "230102MF0000001",
        "Y1" + "110000000000012",
        "2X" + "110000000000012",
        "35" + "110000000000012",
    ],
)
def test_codes_of_every_register_are_accepted(first17: str) -> None:
    code = first17 + uscc.check_character(first17)
    assert uscc.is_valid(code)
    assert column(uscc.fault(pl.col("x")), [code]) == [None]


@pytest.mark.parametrize("pair", ["14", "36", "54", "90", "94", "N4", "Y2", "B1", "01", "Z1"])
def test_pairs_that_the_standard_does_not_have_are_refused(pair: str) -> None:
    assert not uscc.is_valid(pair + VALID[0][2:])
    found = column(uscc.fault(pl.col("x")), [pair + VALID[0][2:]])
    assert found == ["code_alphabet" if "Z" in pair else "code_structure"]


@pytest.mark.parametrize(
    "text", ["", "9144030019220382", "9144030019220382I", "9144030019220382一"]
)
def test_a_check_character_needs_seventeen_characters_of_the_alphabet(text: str) -> None:
    with pytest.raises(ValueError, match="17 characters"):
        uscc.check_character(text)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("9144010132102269x2", "9144010132102269X2"),
        ("　９１440101 32102269\u00a0ｘ２\t\n", "9144010132102269X2"),
        ("\ufeff91\u200b4401", "914401"),
        ("ﬀ", "ﬀ"),  # a ligature, which upper-casing would turn into FF
        ("一", "一"),
    ],
)
def test_only_blanks_width_and_case_are_normalised(written: str, meant: str) -> None:
    assert column(uscc.normalise(pl.col("x")), [written, None]) == [meant, None]
    assert characters.normalise_text(written) == meant


def test_an_empty_column_is_checked_too() -> None:
    for expr in (
        uscc.fault(pl.col("x")),
        uscc.inner_org_code_valid(pl.col("x")),
        org_code.valid(pl.col("x")),
        elicence.check(pl.col("x")),
    ):
        assert column(expr, []) == []
        assert len(column(expr, [None, None])) == 2


def test_expressions_keep_the_name_of_their_column() -> None:
    frame = pl.DataFrame({"x": VALID[:1]})
    for expr in (uscc.fault(pl.col("x")), org_code.valid(pl.col("x"))):
        assert frame.select(expr).columns == ["x"]


def test_an_organisation_code_is_read_with_and_without_its_hyphen() -> None:
    codes = [
        "192203821",
        "19220382-1",
        "71526726-X",
        "71526726x",
        "７１５２６７２６－Ｘ",
        "D2143569-X",
    ]
    found = column(org_code.valid(org_code.normalise(pl.col("x"))), [*codes])
    assert found == [True] * len(codes)
    assert org_code.is_valid("192203821")
    assert org_code.is_valid("71526726X")


def test_what_is_no_organisation_code_is_not_valid() -> None:
    codes = ["192203822", "71526726A", "19220382", "1922038211", "", "-", "😀", "71526726K"]
    assert column(org_code.valid(pl.col("x")), [*codes, None]) == [False] * len(codes) + [None]
    assert not any(map(org_code.is_valid, codes))
    with pytest.raises(ValueError, match="eight"):
        org_code.check_character("1922038")


@pytest.mark.parametrize("text", BY_STANDARD)
def test_licence_identifiers_pass_by_the_standard(text: str) -> None:
    assert elicence.check_text(text) == "mod_37_36"
    assert elicence.check_text("1.2.156.3005.2." + text) == "mod_37_36"


def test_a_licence_identifier_of_the_old_routine_is_told_apart() -> None:
    identifier = elicence.parse(BY_OLD_ROUTINE)
    assert identifier is not None
    assert elicence.check_character(identifier.body) == "D"
    assert elicence.legacy_check_character(identifier.body) == "M"
    assert elicence.check_text(BY_OLD_ROUTINE) == "legacy"


def test_licence_identifiers_are_checked_in_columns() -> None:
    texts = [*BY_STANDARD, BY_OLD_ROUTINE, BY_STANDARD[0][:-1] + "V", "许可证 1", "", None]
    expected = ["mod_37_36"] * 6 + ["legacy", "failed", "failed", "none", "none"]
    assert column(elicence.check(pl.col("x")), texts) == expected
    assert set(expected) == set(elicence.CHECKS)


def test_a_licence_identifier_is_parsed_into_its_parts() -> None:
    parts = ("11100000MB03271699022", "340100", "000000016", "001", "9")
    assert elicence.parse(BY_STANDARD[-1]) == parts
    assert elicence.parse(f"{elicence.ROOT}.{BY_STANDARD[-1]}") == parts
    for wrong in ("", BY_STANDARD[0] + "\n", BY_STANDARD[0].lower(), "2." + BY_STANDARD[0]):
        assert elicence.parse(wrong) is None


@pytest.mark.parametrize("text", ["360426199101010071", "34052419800101001X", "230102199001011230"])
def test_an_identity_number_is_recognised(text: str) -> None:
    assert citizen.is_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "340524198001010013",  # check
        "990524198001010019",
        "34052419801301001X",
        "34052419800101001x",
        "34052419800101001",
        "914403001922038216",
    ],
)
def test_what_is_no_identity_number_is_not_recognised(text: str) -> None:
    assert not citizen.is_number(text)
