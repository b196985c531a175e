"""No dialect file, however spoilt, is answered with anything but a dialect or a sentence.

The same of code lists, the publishers' table and the catalogue: all that an operator writes by hand.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas import contract
from schemas.dialect import Dialect
from tests.property.effort import some
from tests.property.mutations import damaged

SCHEMAS = Path(contract.__file__).parent


def least(folder: str, count: int) -> list[bytes]:
    """Return the smallest files of a folder: PyYAML takes its time."""
    found = sorted((path.read_bytes() for path in (SCHEMAS / folder).glob("*.yaml")), key=len)
    return found[:count]


DIALECTS, CODES = least("dialects", 5), least("codes", 3)
TABLE = (SCHEMAS / "publishers.yaml").read_bytes()
CATALOGUE = least("catalogue", 2)
#: What means something in YAML, or to those who read its values.
PIECES = tuple(
    text.encode()
    for text in (
        *(
            "\n",
            "\t",
            "  ",
            "- ",
            ": ",
            "{",
            "}",
            "[",
            "]",
            ",",
            "#",
            "|",
            ">",
            "&a ",
            "*a",
            "<<: *a",
        ),
        *("!!int ", "!!float ", "!!timestamp ", "!!binary ", "!!map ", "!!set ", "!!omap ", "!x "),
        *(
            "2020-02-30",
            "2020-01-01 25:00:00",
            "1:99",
            "0x",
            ".nan",
            "1e999",
            "null",
            "yes",
            "''",
            '"',
        ),
        *("\N{NO-BREAK SPACE}", "\N{ZERO WIDTH SPACE}", "---", "...", "%YAML 9.9\n", "? "),
    )
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


def read(name: str, content: bytes, how: Callable[[Path], object]) -> object | None:
    """Return what comes of a file, None where a sentence in both languages refuses it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        told = None
        try:
            return how(path)
        except contract.BadContract as refused:
            told = refused
        finally:
            for reader in (contract.dialects, contract.code_lists, contract.publishers):
                reader.cache_clear()
            contract.catalogue.cache_clear()
    assert {name, "catalogue"} & {told.message_en.split(":")[0]}
    assert told.message_zh
    return None


def dialect(content: bytes) -> object | None:
    found = read("own.yaml", content, lambda path: contract.dialects(path.parent))
    assert found is None or all(isinstance(one, Dialect) for one in found.values())  # type: ignore[attr-defined]
    return found


WORTH = [
    b"\xb0\xe6\xca\xbd: 1\n",  # GB 18030
    b"[" * 1100,
    b"a: 2020-02-30\n",
    b"a: 2020-01-01 25:00:00\n",
    b"a: !!int x\n",
    b"a: !!timestamp x\n",
    b"a: !!map x\n",
    b"!!set [a]\n",
    b"&a [*a]\n",
    b"? [a]\n: 1\n",
    b"- a\n",
    b"evidence: 1\n",
    b"\x00",
    b"",
]


def test_files_that_were_answered_with_a_traceback_once_are_told_in_a_sentence() -> None:
    for content in WORTH:
        assert dialect(content) is None, content
        assert (
            read("codes/own.yaml", content, lambda p: contract.code_lists(p.parent.parent)) is None
        )
        assert read("own.yaml", content, contract.publishers) is None
    for content in WORTH[:-1]:
        assert read("own.yaml", content, lambda path: contract.catalogue(path.parent)) is None


def test_spoilt_dialects_are_dialects_or_a_sentence() -> None:
    seen = {True: 0, False: 0}

    @settings(max_examples=some(100))
    @given(st.sampled_from(DIALECTS).flatmap(lambda sound: damaged(sound, PIECES, most=1)))
    def spoilt(content: bytes) -> None:
        seen[dialect(content) is None] += 1

    spoilt()
    assert min(seen.values()) > 2, "some are still dialects, some are not"


@pytest.fixture(autouse=True)
def nothing_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have one's own file read alone."""
    for folder in ("dialects", "codes", "catalogue"):
        (tmp_path / folder).mkdir()
    monkeypatch.setattr(contract, "_HERE", tmp_path)


@st.composite
def otherwise(draw: st.DrawFn) -> Any:
    """Return a dialect with one value, somewhere, of another kind."""
    content = yaml.safe_load(draw(st.sampled_from(DIALECTS)))
    node = content
    while True:
        keys = [*node] if isinstance(node, dict) else [*range(len(node))]
        key = draw(st.sampled_from(keys))
        if isinstance(node[key], dict | list) and node[key] and draw(st.integers(0, 4)):
            node = node[key]
            continue
        node[key] = draw(VALUES)
        return content


@settings(max_examples=some(100))
@given(otherwise())
@example(
    {"events": [{"content": {"a": {"each": [{"b": {"each": [], "needs": []}}], "needs": "c"}}}]}
)
def test_a_dialect_with_a_value_of_another_kind_is_one_or_a_sentence(content: Any) -> None:
    dialect(yaml.safe_dump(content, allow_unicode=True).encode())


@settings(max_examples=some(40))
@given(st.sampled_from(CODES).flatmap(lambda sound: damaged(sound, PIECES)))
def test_spoilt_code_lists_are_code_lists_or_a_sentence(content: bytes) -> None:
    read("codes/own.yaml", content, lambda path: contract.code_lists(path.parent.parent))


@settings(max_examples=some(40))
@given(damaged(TABLE, PIECES))
def test_a_spoilt_table_of_publishers_is_one_or_a_sentence(content: bytes) -> None:
    read("own.yaml", content, contract.publishers)


@settings(max_examples=some(40))
@given(st.sampled_from(CATALOGUE).flatmap(lambda sound: damaged(sound, PIECES)))
def test_a_spoilt_catalogue_is_one_or_a_sentence(content: bytes) -> None:
    read("own.yaml", content, lambda path: contract.catalogue(path.parent))


@settings(max_examples=some(40))
@given(
    st.binary(max_size=60) | st.text(max_size=40).map(lambda text: text.encode("utf-8", "ignore"))
)
def test_any_bytes_are_a_dialect_or_a_sentence(content: bytes) -> None:
    dialect(content)
