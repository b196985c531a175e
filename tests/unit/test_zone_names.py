"""What names in the drop zone say: copies of sync programs, names that are no UTF-8, long ones."""

from __future__ import annotations

import pytest

from connectors.zone_names import Dropped, copies, is_copy, numbered_of, readable, shortened


@pytest.mark.parametrize(
    "name",
    [
        "list20260301.sync-conflict-20260302-101500-ABCDEFG.csv",
        "list (conflicted copy 2026-03-02 101500).csv",
        "list (Wang's conflicted copy 2026-03-02).csv",
        "list (某某 的冲突副本 2026-03-02).csv",
        "list_conflict-copy.csv",
        "list (SFConflict wang 2026-03-02-10-15-00).csv",
        "list (Case Conflict).csv",
        "list_冲突文件.csv",
        "list - 副本.csv",
        "list-副本 (2).xlsx",
        "list - Copy.csv",
        "list - Copy (3).csv",
        "Copy of list.csv",
        "复件 list.csv",
        "list-DESKTOP-AB12CD3.csv",
        "list - 副本",
    ],
)
def test_a_copy_that_a_program_made_is_told_by_its_name(name: str) -> None:
    assert is_copy(name)


@pytest.mark.parametrize(
    "name",
    [
        "list.csv",
        "许可证副本信息.csv",
        "copyright.csv",
        "许可 (2).csv",
        "xerocopy.csv",
        "desktop-1.csv",
    ],
)
def test_a_name_of_its_own_is_no_copy(name: str) -> None:
    assert not is_copy(name)


def dropped(name: str, folder: str = "a/b") -> Dropped:
    publisher, layout = folder.split("/")
    return Dropped(f"{folder}/{name}", name, publisher, layout, 1, "m", ready=True)


def test_a_number_behind_a_name_is_a_copy_only_beside_that_name() -> None:
    assert numbered_of("list (1).csv") == numbered_of("list（1）.csv") == "list.csv"
    assert numbered_of("list.csv") is None
    files = [dropped("list.csv"), dropped("list(1).csv"), dropped("other(1).csv")]
    files.append(dropped("list(1).csv", "a/c"))
    assert copies(files) == {"a/b/list(1).csv"}


def test_a_name_in_gbk_is_read_and_any_other_escaped() -> None:
    assert readable("许可.csv".encode("gbk").decode("utf-8", "surrogateescape")) == "许可.csv"
    odd = readable(b"\xff\xfe\x80.csv".decode("utf-8", "surrogateescape"))
    odd.encode()
    assert odd.endswith(".csv")
    assert readable("许可.csv") == "许可.csv"


def test_a_long_name_is_cut_between_characters_with_its_suffix() -> None:
    cut = shortened("长" * 80 + ".csv")
    assert len(cut.encode()) <= 200
    assert cut.endswith("长.csv")
    assert shortened("list.csv") == "list.csv"
