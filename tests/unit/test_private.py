"""What others on the machine may not enter: the ledger, and the window with its receipts and keys."""

from __future__ import annotations

import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from connectors.ledger import open_ledger
from connectors.receipts import Receipts
from connectors.settings import Settings
from flows.receipt.keys import make_key
from flows.replica import place


def ledger(home: Path) -> Path:
    with open_ledger(home / "ledger", "a", "licence"):
        return home / "ledger"


def receipts(home: Path) -> Path:
    with closing(Receipts(home / "window")):
        return home / "window"


def replica(home: Path) -> Path:
    with place(Settings(mianti_home=home)).alone():
        return home / "window"


def key(home: Path) -> Path:
    make_key(home / "window/key.pem")
    return home / "window"


@pytest.mark.parametrize("made", [ledger, receipts, replica, key])
def test_a_folder_of_what_others_may_not_read_is_its_owners_alone(
    tmp_path: Path, made: Callable[[Path], Path]
) -> None:
    home = tmp_path / "home"
    folder = made(home)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(home.stat().st_mode) & 0o055 == 0o055  # departments reach the drop zone


@pytest.mark.parametrize("made", [ledger, receipts, replica, key])
def test_rights_that_somebody_gave_stay(tmp_path: Path, made: Callable[[Path], Path]) -> None:
    for name in ("ledger", "window"):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(0o750)
    assert stat.S_IMODE(made(tmp_path).stat().st_mode) == 0o750
