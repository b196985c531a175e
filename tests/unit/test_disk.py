"""What counts as a full disk: the words in which it was told when a file system was full."""

from __future__ import annotations

import sqlite3

import pytest
from deltalake.exceptions import DeltaError

from connectors.disk import DiskFull, is_full, room
from connectors.store import no_answer, refusal

FULL = [
    OSError(28, "No space left on device", "/srv/lake/x"),
    OSError(122, "Disk quota exceeded"),
    OSError("No space left on device (os error 28)"),
    OSError("Generic LocalFileSystem error\n  ↳ Unable to copy data to file\n   ↳ (os error 28)\n"),
    DeltaError("Kernel error: Unable to copy data to file: File too large (os error 27)"),
    sqlite3.OperationalError("database or disk is full"),
]
OTHERS = [
    OSError(13, "Permission denied"),
    OSError("No such file or directory (os error 2)"),
    OSError("nothing of (os error 280)"),
    ValueError("28"),
]


@pytest.mark.parametrize("error", FULL, ids=str)
def test_a_full_disk_is_told_with_its_place(error: Exception) -> None:
    assert is_full(error)
    with pytest.raises(DiskFull, match="where /srv/lake lies"), room("/srv/lake"):
        raise error


@pytest.mark.parametrize("error", OTHERS, ids=str)
def test_another_error_stays_what_it_is(error: Exception) -> None:
    assert not is_full(error)
    with pytest.raises(type(error)), room("/srv/lake"):
        raise error


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("PUT http://h/b/t in 54.1µs\n ↳ 403 Forbidden\n ↳ <Code>QuotaExceeded</Code>", "QuotaExceeded"),
        ("max_retries\n ↳ 507 Insufficient Storage\n ↳ <Code>XMinioStorageFull</Code>", "XMinioStorageFull"),
        ("The operation lacked the necessary privileges to complete", "AccessDenied"),
        ("PUT http://h/403/t\n ↳ 503 Service Unavailable\n ↳ <Code>SlowDown</Code>", None),
        ("Generic S3 error: error sending request", None),
    ],
)  # fmt: skip
def test_what_a_bucket_refuses_is_told_in_its_own_word(text: str, word: str | None) -> None:
    assert refusal(OSError(text)) == word


def test_a_full_bucket_wants_room_and_no_other_key() -> None:
    assert "make room in the bucket" in str(no_answer("QuotaExceeded"))
    assert "make room" not in str(no_answer("AccessDenied"))
