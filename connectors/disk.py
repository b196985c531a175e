"""A disk without room, in whatever words the system, Rust or SQLite tell it."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from connectors.errors import MiantiError

#: No space, a quota, a limit to the size of one file.
_NUMBERS: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
#: Polars and deltalake give no number but in their text.
_SAID: Final = re.compile(
    rf"\(os error ({'|'.join(map(str, _NUMBERS))})\)|database or disk is full"
)


class DiskFull(MiantiError):
    """There is no room left where something had to be written."""

    def __init__(self, place: str) -> None:
        """Say where room is needed, and that what was there is as it was."""
        super().__init__(
            f"The disk is full, or its quota used up, where {place} lies: make room there, then "
            "run it again. Nothing is lost, and nothing will be doubled.",
            f"{place} 所在磁盘已满或配额已用尽：请清理出空间后重新运行。数据没有丢失，也不会重复。",
        )


def is_full(error: BaseException) -> bool:
    """Return whether an error is a disk's that has no room."""
    number = error.errno if isinstance(error, OSError) else None
    return number in _NUMBERS or bool(_SAID.search(str(error)))


@contextmanager
def room(place: str) -> Iterator[None]:
    """Raise DiskFull where what is done inside finds none."""
    try:
        yield
    except Exception as error:
        if is_full(error):
            raise DiskFull(place) from error
        raise
