"""Folders of a run: no one else's to read, and gone after it however it ended."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from connectors.work import work_folder
from deploy.cli.answers_out import write
from deploy.cli.main import cli

_WAITS = """
from connectors.work import work_folder
with work_folder() as folder:
    (folder / "file.csv").write_text("personal")
    print(folder, flush=True)
    input()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def test_a_folder_is_its_owners_alone_and_gone_afterwards(temporary: Path) -> None:
    with work_folder() as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "a").write_text("x")
    assert list(temporary.iterdir()) == []


def test_what_a_killed_run_left_is_removed_and_what_another_uses_is_not(temporary: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _WAITS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        left = Path(other.stdout.readline().strip())
        with work_folder():
            assert (left / "file.csv").exists()
        other.send_signal(signal.SIGKILL)
        other.wait()
    assert (left / "file.csv").exists()
    with work_folder():
        assert not left.exists()


def test_a_link_in_the_temporary_directory_is_left(temporary: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "a").write_text("x")
    (temporary / "mianti-work-abc").symlink_to(kept)
    with work_folder():
        assert (kept / "a").exists()


def left_by_a_killed_run(folder: Path) -> Path:
    folder.mkdir()
    (folder / "file.csv").write_text("personal")
    return folder


def test_a_check_of_files_removes_what_a_killed_one_left(temporary: Path) -> None:
    left = left_by_a_killed_run(temporary / "mianti-work-abc")
    file = temporary / "list.yaml"
    file.write_text("id: one\nsays: {en: a, zh: b}\nsource: here\nvalues: {a: in_force}\n", "utf-8")
    done = CliRunner().invoke(cli, ["dialect", "check", str(file)])
    assert done.exit_code == 0, done.output
    assert not left.exists()
    assert list(temporary.iterdir()) == [file]


def test_answers_are_made_beside_their_file_and_what_a_killed_run_left_there_is_removed(
    temporary: Path,
) -> None:
    left = left_by_a_killed_run(temporary / ".mianti-work-abc")
    write(iter([pl.DataFrame({"a": [1]})]), temporary / "out.csv")
    assert not left.exists()
    assert [one.name for one in temporary.iterdir()] == ["out.csv"]
