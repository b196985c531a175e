"""What a file in the drop zone is called, and what its name says of it. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from connectors.errors import MiantiError
from schemas.personal import redact_path

#: Folders that collecting makes itself, in each layout's folder.
ENDS: Final = ("done", "failed")
#: How programs name a file they have not finished writing.
_UNFINISHED: Final = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".filepart", ".swp", "~")
#: How sync programs and file managers name a copy they make beside a file: Syncthing, Nextcloud
#: and ownCloud, Dropbox, Seafile, OneDrive, Windows and WPS, in English and Chinese.
_COPY: Final = re.compile(
    r"\.sync-conflict-|conflicted copy|conflict(?:ed)?[-_ ]copy|case conflict|\(sfconflict|冲突"
    r"|[-_](?:desktop|laptop)-[a-z0-9]{5,}(?:-\d+)?$"
    r"|^(?:copy (?:\(\d+\) )?of |复件 |副本 )"
    r"|[-_ ] ?(?:副本|拷贝|复制|copy)(?: ?[(（]\d+[)）]| \d+)?$|的副本$",
    re.IGNORECASE,
)
#: A download of a name that was there already: the true name is what stands before the number.
_NUMBERED: Final = re.compile(r"^(.+?) ?[(（]\d+[)）](\.[^.]*)?$")
#: Bytes that a file name may have on any disk, with room for what is put before and behind it.
_LONGEST: Final = 200


@dataclass(frozen=True)
class Dropped:
    """A file in the zone. `mark` changes with its content; `ready`: it is likely to be whole.

    `path` is what the storage calls it, and may hold bytes that are no text; `name` is text.
    `publisher` and `layout` are None for a file that lies elsewhere than `<publisher>/<layout>/`:
    nothing is done with it. `written` (UTC): when its content last changed. `why`: why it cannot be
    read at all: it is no plain file, or a folder that may not be listed.
    """

    path: str
    name: str
    publisher: str | None
    layout: str | None
    size: int
    mark: str
    ready: bool
    written: dt.datetime = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    why: MiantiError | None = None

    @property
    def shown(self) -> str:
        """Its path as text, for messages and receipts: without numbers of persons."""
        return redact_path(readable(self.path))


def unfinished(name: str) -> bool:
    """Return whether a name says that its file is still being written, or is no one's to read."""
    return name.startswith((".", "~$")) or name.lower().endswith(_UNFINISHED)


def is_copy(name: str) -> bool:
    """Return whether a name says that its file is a copy which a program made of another file."""
    stem, dot, _ = name.rpartition(".")
    return _COPY.search(name) is not None or (bool(dot) and _COPY.search(stem) is not None)


def numbered_of(name: str) -> str | None:
    """Return the name that `name` numbers, such as list.csv for `list (1).csv`; or None."""
    found = _NUMBERED.match(name)
    return found[1] + (found[2] or "") if found else None


def readable(name: str) -> str:
    """Return a name as text: bytes that are no UTF-8 as GB18030, or else escaped."""
    raw = name.encode("utf-8", "surrogateescape")
    for encoding in ("utf-8", "gb18030"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if text.isprintable():
            return text
    return raw.decode("utf-8", "backslashreplace")


def shortened(name: str, most: int = _LONGEST) -> str:
    """Return a name of at most `most` bytes of UTF-8 with its last suffix kept."""
    raw = name.encode()
    if len(raw) <= most:
        return name
    dot = name.rfind(".")
    suffix = name[dot:].encode()[:20] if dot > 0 else b""
    return (raw[: most - len(suffix)] + suffix).decode("utf-8", "ignore")


def copies(files: Iterable[Dropped]) -> set[str]:
    """Return the paths of those files that are copies beside a file of the same folder."""
    listed = list(files)
    names = {(file.publisher, file.layout, file.name) for file in listed}
    return {
        file.path
        for file in listed
        if is_copy(file.name) or (file.publisher, file.layout, numbered_of(file.name)) in names
    }


def parts_of(path: str) -> tuple[str | None, str | None, str] | None:
    """Return publisher, layout and name of a path in the zone; None for what is not to be seen.

    Publisher and layout are None for a file that lies elsewhere. The name is text.
    """
    *folders, name = path.split("/")
    if not name or unfinished(name) or any(folder.startswith(".") for folder in folders):
        return None
    if len(folders) == 2:
        return readable(folders[0]), readable(folders[1]), readable(name)
    if len(folders) > 2 and folders[2] in ENDS:
        return None
    return None, None, readable(name)
