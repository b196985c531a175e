"""A drop zone in an S3 bucket. An object is whole or not there: nothing needs to be waited for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from connectors.store import aws, bucket_of, s3, unreachable
from connectors.zone_names import ENDS, Dropped, parts_of, shortened

_CHANGED: Final = {"PreconditionFailed", "NoSuchKey", "404", "412"}
#: The largest object that one CopyObject takes.
_ONE_COPY: Final = 5 << 30


class Bucket:
    """Use `connectors.zone.open_zone`. Every method raises StoreUnreachable."""

    def __init__(self, uri: str) -> None:
        """Take the zone's `s3://` URI."""
        self._bucket, self._prefix = bucket_of(uri)

    def dropped(self, now: dt.datetime) -> Iterator[Dropped]:
        """Yield every object, by publisher, layout and name."""
        try:
            for one in self._objects(self._prefix + "/", 0):
                path = one["Key"].removeprefix(f"{self._prefix}/")
                if place := parts_of(path):
                    publisher, layout, name = place
                    size, mark = one["Size"], one["ETag"]
                    written = one["LastModified"]
                    yield Dropped(path, name, publisher, layout, size, mark, True, written)
        except (aws().BotoCoreError, aws().ClientError) as error:
            raise unreachable(error) from error

    def _objects(self, prefix: str, depth: int) -> Iterator[Any]:
        """Yield the objects down to a layout's folder: what is finished with is not listed."""
        pages: Any = s3().get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._bucket, Prefix=prefix, Delimiter="/"):
            yield from page.get("Contents", [])
            for folder in page.get("CommonPrefixes", []) if depth < 2 else []:
                yield from self._objects(folder["Prefix"], depth + 1)

    def fetch(self, file: Dropped, to: Path) -> bool:
        """Copy an object to a path; return false if it changed since it was listed."""
        return _unless_changed(lambda: self._fetch(file, to))

    def _fetch(self, file: Dropped, to: Path) -> bool:
        found = s3().get_object(Bucket=self._bucket, Key=self._key(file.path), IfMatch=file.mark)
        with to.open("wb") as writer:
            for piece in found["Body"].iter_chunks(1 << 20):
                writer.write(piece)
        return True

    def finish(self, file: Dropped, end: str, folder: str, beside: Mapping[str, Path]) -> bool:
        """Put files beside, then move the object there; return false if it has changed since."""
        return _unless_changed(lambda: self._finish(file, f"{end}/{folder}", beside))

    def finished(self, file: Dropped, name: str) -> bool:
        """Return whether a file of that name from the same folder was finished with before."""
        folder = self._key(file.path).rpartition("/")[0]
        pages: Any = s3().get_paginator("list_objects_v2")
        try:
            return any(
                found["Prefix"].endswith(f"-{shortened(name)}/")
                for end in ENDS
                for page in pages.paginate(
                    Bucket=self._bucket, Prefix=f"{folder}/{end}/", Delimiter="/"
                )
                for found in page.get("CommonPrefixes", [])
            )
        except (aws().BotoCoreError, aws().ClientError) as error:
            raise unreachable(error) from error

    def _finish(self, file: Dropped, folder: str, beside: Mapping[str, Path]) -> bool:
        key = self._key(file.path)
        target = f"{key.rpartition('/')[0]}/{folder}"
        for name, path in beside.items():
            s3().upload_file(str(path), self._bucket, f"{target}/{name}")
        self._copy(key, f"{target}/{shortened(file.name)}", file)
        # S3 has no move: whoever writes between these two calls loses that version, so the
        # department's program should give each export a name of its own.
        if s3().head_object(Bucket=self._bucket, Key=key)["ETag"] != file.mark:
            return False
        s3().delete_object(Bucket=self._bucket, Key=key)
        return True

    def _copy(self, key: str, target: str, file: Dropped) -> None:
        source: Any = {"Bucket": self._bucket, "Key": key}
        if file.size >= _ONE_COPY:
            s3().copy(source, self._bucket, target)
        else:
            s3().copy_object(
                Bucket=self._bucket, Key=target, CopySource=source, CopySourceIfMatch=file.mark
            )

    def _key(self, path: str) -> str:
        return f"{self._prefix}/{path}"


def _unless_changed(do: Callable[[], bool]) -> bool:
    """Do something with an object; return false where it is no longer what was listed."""
    try:
        return do()
    except aws().ClientError as error:
        if error.response.get("Error", {}).get("Code", "") in _CHANGED:
            return False
        raise unreachable(error) from error
    except aws().BotoCoreError as error:
        raise unreachable(error) from error
