"""Whether a lake on S3 can be trusted: of those who write one key at once, exactly one must win.

delta-rs commits by a PUT with `If-None-Match: *`. A server that does not keep that promise loses
commits without a word: of 40 appends that were acknowledged by such a server, 19 were left.
"""

from __future__ import annotations

import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Final
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from connectors.errors import MiantiError
from connectors.store import S3, StoreUnreachable, bucket_of, read, s3, unreachable

#: A server that checks first and writes later lets two of these win sooner or later; each key is
#: another chance to see it.
KEYS: Final = 12
RACERS: Final = 12
#: Says in a lake which server has passed, and when; a server may be replaced behind its address.
MARK: Final = ".preflight.json"
TRUSTED: Final = dt.timedelta(days=1)
#: 412 says that the key is there; 409, that another is writing it just now.
_LOST: Final = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}


class UnsafeStore(MiantiError):
    """The S3 server would lose commits."""


@cache
def require_safe(uri: str) -> None:
    """Race for some keys below a lake, unless this server has passed of late; not for a directory.

    Raises UnsafeStore with what was seen, StoreUnreachable.
    """
    if not uri.startswith(S3) or _passed(uri):
        return
    _race(uri)
    mark = {"endpoint": s3().meta.endpoint_url, "at": dt.datetime.now(dt.UTC).isoformat()}
    bucket, prefix = bucket_of(uri)
    try:
        s3().put_object(Bucket=bucket, Key=f"{prefix}/{MARK}", Body=json.dumps(mark).encode())
    except (BotoCoreError, ClientError) as error:
        raise unreachable(error) from error


def _passed(uri: str) -> bool:
    """Whether a lake says that its server has passed: each run would else write 144 objects."""
    try:
        mark = json.loads(read(f"{uri}/{MARK}") or b"{}")
        age = dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(mark["at"])
    except (StoreUnreachable, ValueError, KeyError, TypeError):
        return False  # whatever is wrong shows in the race
    here = mark.get("endpoint") == s3().meta.endpoint_url
    return here and dt.timedelta(0) <= age < TRUSTED


def _race(uri: str) -> None:
    bucket, prefix = bucket_of(uri)
    folder = f"{prefix}/.preflight/{uuid4().hex}".lstrip("/")
    keys = [f"{folder}/{number}" for number in range(KEYS)]
    try:
        with ThreadPoolExecutor(RACERS) as racers:
            tries = [(bucket, key) for key in keys for _ in range(RACERS)]
            won = list(racers.map(_won, tries))
    except (BotoCoreError, ClientError) as error:
        raise unreachable(error) from error
    finally:
        _remove(bucket, keys)
    wins = [sum(won[first : first + RACERS]) for first in range(0, len(won), RACERS)]
    if any(count != 1 for count in wins):
        raise _unsafe(json.dumps(wins))


def _won(place: tuple[str, str]) -> bool:
    bucket, key = place
    try:
        s3().put_object(Bucket=bucket, Key=key, Body=b"", IfNoneMatch="*")
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _LOST:
            return False
        raise
    return True


def _remove(bucket: str, keys: list[str]) -> None:
    try:
        s3().delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]})
    except (BotoCoreError, ClientError):
        return  # empty objects under a name of their own; what matters is told otherwise


def _unsafe(wins: str) -> UnsafeStore:
    return UnsafeStore(
        f"This S3 server does not keep `If-None-Match: *`: of {RACERS} that wrote one key at once, "
        f"so many won, key by key: {wins}. It would lose commits without a word, so nothing was "
        "written. Use a server that passes (AWS S3, VersityGW 1.8, SeaweedFS of 2026-05 or later), "
        "or a directory.",
        f"该 S3 服务不支持原子的 `If-None-Match: *`：{RACERS} 个并发写入同一对象，各对象成功次数为 {wins}（应均为 1）。"
        "继续使用会无声丢失数据，因此未写入任何内容。请使用通过检测的服务（AWS S3、VersityGW 1.8、"
        "2026-05 及以后的 SeaweedFS）或本地目录。",
    )
