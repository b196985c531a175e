"""The drop zone: files put under `<publisher>/<layout>/`, in a directory or a bucket.

What is finished with goes to `done/` or `failed/` there, in a folder of its own named for its content
and name, with what is to lie beside it. The file itself moves last: a crash before that only means
that it is looked at again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, Protocol

from connectors.store import S3
from connectors.zone_bucket import Bucket
from connectors.zone_directory import Directory, NoFolder, Unreadable
from connectors.zone_names import Dropped, copies, numbered_of, shortened

__all__ = [
    "Dropped",
    "NoFolder",
    "Unreadable",
    "Zone",
    "copies",
    "numbered_of",
    "open_zone",
    "shortened",
]

End = Literal["done", "failed"]


class Zone(Protocol):
    """A place where files are put."""

    def dropped(self, now: dt.datetime) -> Iterator[Dropped]:
        """Yield every file put here, by publisher, layout and name; `now` is UTC."""

    def fetch(self, file: Dropped, to: Path) -> bool:
        """Copy a file to a path; return false, with nothing promised, if it changed meanwhile.

        Raises Unreadable, NoFolder.
        """

    def finished(self, file: Dropped, name: str) -> bool:
        """Return whether a file of that name from the same folder was finished with before."""

    def finish(self, file: Dropped, end: End, folder: str, beside: Mapping[str, Path]) -> bool:
        """Put files beside, then move the file there; return false if it has changed since."""


def open_zone(place: str) -> Zone:
    """Return the zone at an absolute path or an `s3://` URI."""
    return Bucket(place) if place.startswith(S3) else Directory(Path(place))
