"""Folders of a run: no one else's to read, and gone after it however it ended."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from connectors.work import work_folder

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
