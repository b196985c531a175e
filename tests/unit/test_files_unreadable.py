"""A file that cannot be read at all is refused whole, in both languages, with what to do."""

from __future__ import annotations

import gzip
import pickle
import zipfile
from pathlib import Path

import pytest

from connectors.errors import MiantiError
from connectors.files import Unreadable, open_source
from connectors.files.source import FAULTS
from connectors.files.unreadable import REASONS, unreadable

OLE = bytes.fromhex("d0cf11e0a1b11ae1")
CASES: dict[str, tuple[str, bytes]] = {
    "empty": ("empty_file", b""),
    "blank lines": ("no_header", b"\n \n,,\n"),
    "old Excel": ("old_excel", OLE + bytes(3000) + "Workbook".encode("utf-16-le")),
    "encrypted": ("encrypted_excel", OLE + bytes(1 << 21) + "EncryptedPackage".encode("utf-16-le")),
    "gzip": ("compressed_file", gzip.compress(b"a,b\n1,2\n")),
    "half a zip": ("damaged_excel", b"PK\x03\x04" + bytes(100)),
    "PDF": ("binary_file", b"%PDF-1.7\n1 0 obj"),
    "rubbish": ("binary_file", bytes(range(256)) * 20),
    "UTF-16 without BOM": (
        "binary_file",
        "代码,code\n1,number one\n2,number two\n".encode("utf-16-le"),
    ),
    "a page called .xls": ("web_page", b"\xef\xbb\xbf\n<html><table><tr><td>a"),
    "XML": ("web_page", b'<?xml version="1.0"?><Workbook/>'),
}


def code(path: Path) -> str:
    with pytest.raises(Unreadable) as refused:
        open_source(path)
    return refused.value.reason_code


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ""])
def test_what_is_no_table_says_what_it_is(tmp_path: Path, case: str, suffix: str) -> None:
    reason, content = CASES[case]
    path = tmp_path / f"export{suffix}"
    path.write_bytes(content)
    assert code(path) == reason


def test_a_zip_of_files_is_to_be_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "export.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "a,b\n1,2\n")
    assert code(path) == "compressed_file"


def test_a_web_page_called_json_is_a_web_page(tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_text("<!DOCTYPE html><p>502")
    assert code(path) == "web_page"


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    assert code(tmp_path / "none.csv") == "missing_file"
    assert code(tmp_path) == "not_a_file"


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_is_one_sentence_in_each_language(reason: str) -> None:
    error = unreadable(reason, limit=4096, record=7)
    assert isinstance(error, MiantiError)
    for sentence, end in [(error.message_en, "."), (error.message_zh, "。")]:
        assert sentence.endswith(end)
        assert "{" not in sentence
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.reason_code, copy.message_zh) == (reason, error.message_zh)


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_of_a_row_is_one_sentence_in_each_language(fault: str) -> None:
    english, chinese = FAULTS[fault]
    assert english.endswith(".")
    assert chinese.endswith("。")
