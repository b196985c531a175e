"""What a file in the drop zone is called, and what its name says of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: Folders that collecting makes itself, in each layout's folder.
ENDS: Final = ("done", "failed")
#: How programs name a file they have not finished writing.
_UNFINISHED: Final = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".filepart", ".swp", "~")


@dataclass(frozen=True)
class Dropped:
    """A file in the zone. `mark` changes with its content; `ready`: it is likely to be whole.

    `publisher` and `layout` are None for a file that lies elsewhere than `<publisher>/<layout>/`,
    or is no plain file: nothing is done with it.
    """

    path: str
    name: str
    publisher: str | None
    layout: str | None
    size: int
    mark: str
    ready: bool


def unfinished(name: str) -> bool:
    """Return whether a name says that its file is still being written, or is no one's to read."""
    return name.startswith((".", "~$")) or name.lower().endswith(_UNFINISHED)


def parts_of(path: str) -> tuple[str | None, str | None, str] | None:
    """Return publisher, layout and name of a path in the zone; None for what is not to be seen.

    Publisher and layout are None for a file that lies elsewhere.
    """
    *folders, name = path.split("/")
    if not name or unfinished(name) or any(folder.startswith(".") for folder in folders):
        return None
    if len(folders) == 2:
        return folders[0], folders[1], name
    if len(folders) > 2 and folders[2] in ENDS:
        return None
    return None, None, name
