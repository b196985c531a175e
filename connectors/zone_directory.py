"""A drop zone in a directory."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from connectors.errors import MiantiError
from connectors.zone_names import ENDS, Dropped, parts_of

#: A file that was written to less than this ago may be half of one.
QUIET: Final = dt.timedelta(seconds=30)


class Unreadable(MiantiError):
    """A file is there and cannot be read."""


class Directory:
    """Use `connectors.zone.open_zone`."""

    def __init__(self, root: Path) -> None:
        """Take the zone's directory; it need not be there."""
        self._root = root

    def dropped(self, now: dt.datetime) -> Iterator[Dropped]:
        """Yield every file, by publisher, layout and name."""
        for path in sorted(_files(self._root)):
            place = parts_of(path)
            if place is None:
                continue
            publisher, layout, name = place
            try:
                found = (self._root / path).lstat()
            except FileNotFoundError:  # its owner took it away
                continue
            if not stat.S_ISREG(found.st_mode):  # a link may lead anywhere
                publisher = layout = None
            written = dt.datetime.fromtimestamp(found.st_mtime, dt.UTC)
            ready = now - written >= QUIET
            size, mark = found.st_size, _mark(found)
            yield Dropped(path, name, publisher, layout, size, mark, ready, written)

    def fetch(self, file: Dropped, to: Path) -> bool:
        """Copy a file; return false if it changed meanwhile. Raises Unreadable."""
        try:
            source = os.open(self._root / file.path, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return False
        except OSError as error:  # not allowed; or a link, which may lead anywhere
            raise _unreadable(error) from error
        with os.fdopen(source, "rb") as reader, to.open("wb") as writer:
            shutil.copyfileobj(reader, writer, 1 << 20)
            return _mark(os.fstat(reader.fileno())) == file.mark

    def finished(self, file: Dropped, name: str) -> bool:
        """Return whether a file of that name from the same folder was finished with before."""
        folders = [(self._root / file.path).parent / end for end in ENDS]
        names = (found.name for folder in folders if folder.is_dir() for found in folder.iterdir())
        return any(found.partition("-")[2] == name for found in names)

    def finish(self, file: Dropped, end: str, folder: str, beside: Mapping[str, Path]) -> bool:
        """Put files beside, then move the file there; return false if it has changed since."""
        original = self._root / file.path
        target = original.parent / end / folder
        target.mkdir(parents=True, exist_ok=True)
        for name, path in beside.items():
            part = target / f".{name}.part"
            shutil.copyfile(path, part)
            os.replace(part, target / name)
        try:
            os.replace(original, target / file.name)
        except FileNotFoundError:
            return False
        if _mark((target / file.name).lstat()) == file.mark:
            return True
        if not original.exists():  # someone wrote to it after it was read: it is a new file
            os.replace(target / file.name, original)
        return False


def _unreadable(error: OSError) -> Unreadable:
    return Unreadable(
        f"The file cannot be read ({error.strerror}): let the program that collects read it.",
        f"文件无法读取（{error.strerror}）：请为采集程序开放读取权限。",
    )


def _files(root: Path) -> Iterator[str]:
    for place, folders, names in os.walk(root):
        folders[:] = sorted(folder for folder in folders if not _ended(root, place, folder))
        for name in names:
            yield (Path(place) / name).relative_to(root).as_posix()


def _ended(root: Path, place: str, folder: str) -> bool:
    """Whether a folder holds what is finished with: years of it need not be walked."""
    return parts_of(f"{(Path(place) / folder).relative_to(root).as_posix()}/x") is None


def _mark(found: os.stat_result) -> str:
    return f"{found.st_ino}-{found.st_size}-{found.st_mtime_ns}"
