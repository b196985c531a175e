"""Names of files of refused rows: none is written over that holds other rows or mended ones."""

from __future__ import annotations

from pathlib import Path

from flows.publish.refused_names import free_name, remember


def written(path: Path, notes: Path, layout: str, text: str) -> Path:
    name = free_name(path, notes, layout)
    name.write_text(text, "utf-8")
    remember(name, notes, layout)
    return name


def test_a_file_as_it_was_written_is_written_over(tmp_path: Path) -> None:
    path, notes = tmp_path / "a.refused.csv", tmp_path / "notes"
    assert written(path, notes, "licences", "1") == path
    assert free_name(path, notes, "licences") == path


def test_a_changed_file_is_kept(tmp_path: Path) -> None:
    path, notes = tmp_path / "a.refused.csv", tmp_path / "notes"
    written(path, notes, "licences", "1").write_text("mended", "utf-8")
    assert free_name(path, notes, "licences") == tmp_path / "a.refused.2.csv"


def test_the_refused_rows_of_another_layout_of_the_same_file_are_kept(tmp_path: Path) -> None:
    path, notes = tmp_path / "a.refused.xlsx", tmp_path / "notes"
    second = tmp_path / "a.refused.2.xlsx"
    assert written(path, notes, "licences", "1") == path
    assert written(path, notes, "penalties", "2") == second
    assert written(path, notes, "licences", "3") == path
    assert written(path, notes, "penalties", "4") == second
    assert (path.read_text("utf-8"), second.read_text("utf-8")) == ("3", "4")
