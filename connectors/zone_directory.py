"""A drop zone in a directory."""

from __future__ import annotations

import datetime as dt
import errno
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from connectors.errors import MiantiError
from connectors.zone_names import ENDS, Dropped, parts_of, readable, shortened

#: A file that was written to less than this ago may be half of one.
QUIET: Final = dt.timedelta(seconds=30)
#: Bytes copied at a time.
_PIECE: Final = 1 << 20


class Unreadable(MiantiError):
    """A file is there and cannot be read."""


class NoFolder(MiantiError):
    """What should be a folder of the zone is a link, which may lead anywhere, or a file."""


class Directory:
    """Use `connectors.zone.open_zone`."""

    def __init__(self, root: Path) -> None:
        """Take the zone's directory; it need not be there."""
        self._root = root

    def dropped(self, now: dt.datetime) -> Iterator[Dropped]:
        """Yield every file, by publisher, layout and name, and each folder that is not looked into."""
        closed: dict[str, Unreadable] = {}
        paths = sorted(_files(self._root, closed))
        for folder, why in closed.items():
            path = Path(folder).relative_to(self._root).as_posix()
            yield Dropped(path, readable(path), None, None, 0, "", False, now, why)
        for path in paths:
            place = parts_of(path)
            if place is None:
                continue
            publisher, layout, name = place
            try:
                found = (self._root / path).lstat()
            except FileNotFoundError:  # its owner took it away
                continue
            no_file = None if stat.S_ISREG(found.st_mode) else _no_file()
            written = dt.datetime.fromtimestamp(found.st_mtime, dt.UTC)
            ready = now - written >= QUIET
            size, mark = found.st_size, _mark(found)
            yield Dropped(path, name, publisher, layout, size, mark, ready, written, no_file)

    def fetch(self, file: Dropped, to: Path) -> bool:
        """Copy a file; return false if it changed meanwhile. Raises Unreadable, NoFolder."""
        folder = (self._root / file.path).parent
        for end in ENDS:  # where the file could not be put away, it is not published either
            if (folder / end).is_symlink() or (folder / end).is_file():
                raise _no_folder(NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)))
        try:
            # What has become a pipe since it was listed would be waited for.
            source = os.open(self._root / file.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return False
        except OSError as error:  # not allowed; or a link, which may lead anywhere
            raise _unreadable(error) from error
        with os.fdopen(source, "rb") as reader, to.open("wb") as writer:
            if _mark(os.fstat(reader.fileno())) != file.mark:
                return False
            left = file.size
            while piece := reader.read(min(left, _PIECE)):
                writer.write(piece)
                left -= len(piece)  # one that grows for ever is not read for ever
            return _mark(os.fstat(reader.fileno())) == file.mark

    def finished(self, file: Dropped, name: str) -> bool:
        """Return whether a file of that name from the same folder was finished with before."""
        folders = [(self._root / file.path).parent / end for end in ENDS]
        names = (found.name for folder in folders if folder.is_dir() for found in folder.iterdir())
        return any(found.partition("-")[2] == shortened(name) for found in names)

    def finish(self, file: Dropped, end: str, folder: str, beside: Mapping[str, Path]) -> bool:
        """Put files beside, then move the file there; return false if it has changed since.

        A file beside has the rights of the one it is a copy of. No link is followed: the zone is its
        publisher's to write to. Raises NoFolder.
        """
        original = self._root / file.path
        kept = shortened(file.name)
        with (
            _opened(original.parent) as place,
            _opened(end, place) as ended,
            _opened(folder, ended) as target,
        ):
            try:
                owner = os.lstat(original.name, dir_fd=place)
            except FileNotFoundError:
                return False
            for name, path in beside.items():
                _copy(path, name, target, owner)
            try:
                os.replace(original.name, kept, src_dir_fd=place, dst_dir_fd=target)
            except FileNotFoundError:
                return False
            if _mark(os.lstat(kept, dir_fd=target)) == file.mark:
                return True
            if not original.exists():  # someone wrote to it after it was read: it is a new file
                os.replace(kept, original.name, src_dir_fd=target, dst_dir_fd=place)
            return False


@contextmanager
def _opened(folder: str | Path, within: int | None = None) -> Iterator[int]:
    """Open a folder that is no link, and make it in `within` where it is not there."""
    if within is not None:
        with suppress(FileExistsError):
            os.mkdir(folder, dir_fd=within)
    try:
        number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=within)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _no_folder(error) from error
    try:
        yield number
    finally:
        os.close(number)


def _copy(path: Path, name: str, target: int, owner: os.stat_result) -> None:
    """Copy a file into an opened folder, for the owner of the file it is put beside."""
    part = f".{name}.part"
    with suppress(FileNotFoundError):
        os.unlink(part, dir_fd=target)
    with path.open("rb") as reader:
        mode = stat.S_IMODE(os.fstat(reader.fileno()).st_mode)
        made = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode, dir_fd=target)
        with os.fdopen(made, "wb") as writer:
            shutil.copyfileobj(reader, writer, _PIECE)
            with suppress(PermissionError):  # only the system's administrator may give it away
                os.fchown(made, owner.st_uid, owner.st_gid)
    os.replace(part, name, src_dir_fd=target, dst_dir_fd=target)


def _no_folder(error: OSError) -> NoFolder:
    return NoFolder(
        f"The folder, or `done` or `failed` in it, is a link or no folder, or may not be opened "
        f"({error.strerror}). Files from here are left: remove it; collecting makes its own.",
        f"该目录或其中的 done、failed 是链接、不是目录或无法打开（{error.strerror}），此处文件暂不采集："
        "请将其删除，采集程序会自行创建。",
    )


def _unreadable(error: OSError) -> Unreadable:
    return Unreadable(
        f"The file or folder cannot be read ({error.strerror}): let the program that collects read it.",
        f"文件或目录无法读取（{error.strerror}）：请为采集程序开放读取权限。",
    )


def _no_file() -> Unreadable:
    return Unreadable(
        "This is a link, which may lead anywhere, or a pipe or the like: put the file or folder itself "
        "there.",
        "这是链接（可能指向任何位置）或管道等：请直接放入文件或目录本身。",
    )


def _files(root: Path, closed: dict[str, Unreadable]) -> Iterator[str]:
    """Yield the paths of files below `root`; note in `closed` each folder that is not looked into."""

    def note(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            closed[error.filename] = _unreadable(error)

    for place, folders, names in os.walk(root, onerror=note):
        folders[:] = sorted(folder for folder in folders if not _ended(root, place, folder))
        for folder in folders:
            if (Path(place) / folder).is_symlink():
                closed[f"{place}/{folder}"] = _no_file()
        for name in names:
            yield (Path(place) / name).relative_to(root).as_posix()


def _ended(root: Path, place: str, folder: str) -> bool:
    """Whether a folder holds what is finished with: years of it need not be walked."""
    return parts_of(f"{(Path(place) / folder).relative_to(root).as_posix()}/x") is None


def _mark(found: os.stat_result) -> str:
    return f"{found.st_ino}-{found.st_size}-{found.st_mtime_ns}"
