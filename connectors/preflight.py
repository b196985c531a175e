"""Whether a lake on S3 can be trusted: exactly one wins a key, and what is written is read again.

delta-rs commits by a PUT with `If-None-Match: *`. A server that does not keep that promise loses
commits without a word: of 40 appends that were acknowledged by such a server, 19 were left. One that
does not take the frames of a body apart, or behind a proxy that changes bodies, damages each data
file: so one is written as they are, and read by both clients.
"""

from __future__ import annotations

import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from io import BytesIO
from typing import Any, Final
from uuid import uuid4

import polars as pl
from polars.exceptions import PolarsError

from connectors.errors import MiantiError
from connectors.store import (
    S3,
    StoreUnreachable,
    aws,
    bucket_of,
    no_answer,
    options,
    read,
    refusal,
    s3,
    unreachable,
    write,
)

#: A server that checks first and writes later lets two of these win sooner or later; each key is
#: another chance to see it.
KEYS: Final = 12
RACERS: Final = 12
#: Says in a lake which server has passed, and when; a server may be replaced behind its address.
MARK: Final = ".preflight.json"
TRUSTED: Final = dt.timedelta(days=1)
#: What a server has passed; a mark without it is of a release that tried less.
TRIED: Final = "race and content"
#: 412 says that the key is there; 409, that another is writing it just now.
_LOST: Final = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}


#: The server knows no conditions at all.
_NO_CONDITIONS: Final = {"NotImplemented", "501"}


class UnsafeStore(MiantiError):
    """The S3 server would lose commits, or damage what is written."""


@cache
def require_safe(uri: str) -> None:
    """Try a lake's server, unless it has passed of late; nothing for a directory.

    Writers race for some keys, and a file is written and read again.

    Raises UnsafeStore with what was seen, StoreUnreachable.
    """
    if not uri.startswith(S3) or _passed(uri):
        return
    folder = f"{uri}/.preflight/{uuid4().hex}"
    _race(folder)
    _write_and_read(f"{folder}/content.parquet")
    mark = {
        "endpoint": s3().meta.endpoint_url,
        "at": dt.datetime.now(dt.UTC).isoformat(),
        "tried": TRIED,
    }
    write(f"{uri}/{MARK}", json.dumps(mark).encode())


def _passed(uri: str) -> bool:
    """Whether a lake says that its server has passed: each run would else write 144 objects."""
    try:
        mark = json.loads(read(f"{uri}/{MARK}") or b"{}")
        age = dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(mark["at"])
    except (StoreUnreachable, ValueError, KeyError, TypeError):
        return False  # whatever is wrong shows in the race
    here = mark.get("endpoint") == s3().meta.endpoint_url and mark.get("tried") == TRIED
    return here and dt.timedelta(0) <= age < TRUSTED


def _race(folder: str) -> None:
    keys = [f"{folder}/{number}" for number in range(KEYS)]
    try:
        with ThreadPoolExecutor(RACERS) as racers:
            tries = [(key, str(racer)) for key in keys for racer in range(RACERS)]
            won = list(racers.map(_won, tries))
        wins = [sum(won[first : first + RACERS]) for first in range(0, len(won), RACERS)]
        if any(count != 1 for count in wins):
            raise _unsafe(json.dumps(wins))
        for (key, racer), first in zip(tries, won, strict=True):
            if first and read(key) != racer.encode():
                raise _changed("boto3")
    except aws().ClientError as error:
        if _code(error) in _NO_CONDITIONS:
            raise _unconditional(_code(error)) from error
        raise unreachable(error) from error
    except aws().BotoCoreError as error:
        raise unreachable(error) from error
    finally:
        _remove(keys)


def _won(attempt: tuple[str, str]) -> bool:
    (bucket, key), racer = bucket_of(attempt[0]), attempt[1]
    try:
        s3().put_object(Bucket=bucket, Key=key, Body=racer.encode(), IfNoneMatch="*")
    except aws().ClientError as error:
        if _code(error) in _LOST:
            return False
        raise
    return True


def _write_and_read(uri: str) -> None:
    """Write a data file as the tables' are written, and read it by each of the clients."""
    rows = pl.DataFrame({"text": [uuid4().hex * 32 for _ in range(200)]})
    content = BytesIO()
    rows.write_parquet(content, compression="zstd")
    write(uri, content.getbuffer())
    try:
        if read(uri) != content.getvalue():
            raise _changed("boto3")
        try:
            same = pl.read_parquet(uri, glob=False, storage_options=options(uri)).equals(rows)
        except (PolarsError, OSError) as error:
            raise no_answer(refusal(error) or "no answer") from error
        if not same:
            raise _changed("Polars")
    finally:
        _remove([uri])


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code"))


def _remove(uris: list[str]) -> None:
    """Remove one by one: several at once want a checksum that not every server takes."""
    for bucket, key in map(bucket_of, uris):
        with suppress(aws().BotoCoreError, aws().ClientError):  # small, in a folder of their own
            s3().delete_object(Bucket=bucket, Key=key)


def _unconditional(code: str) -> UnsafeStore:
    return UnsafeStore(
        f"This S3 server does not know `If-None-Match: *` ({code}), without which two runs would "
        "write over each other's commits: nothing was written. Use a server that keeps it (AWS S3, "
        "VersityGW 1.8, SeaweedFS of 2026-05 or later), or a directory.",
        f"该 S3 服务不支持 `If-None-Match: *`（{code}），并发运行会互相覆盖提交，因此未写入任何内容。"
        "请使用支持的服务（AWS S3、VersityGW 1.8、2026-05 及以后的 SeaweedFS）或本地目录。",
    )


def _changed(client: str) -> UnsafeStore:
    return UnsafeStore(
        f"This S3 server gives back other content than was written (read by {client}): it stores a "
        "body's frames within it, or something on the way changes bodies. The lake would be "
        "damaged, so nothing was written to it. Look for a proxy before the server; use one that "
        "passes (AWS S3, VersityGW 1.8, SeaweedFS of 2026-05 or later), or a directory.",
        f"该 S3 服务读回的内容与写入的不同（由 {client} 读取）：服务端把传输分块一并存入对象，或途中有程序改动了内容。"
        "继续使用会损坏数据湖，因此未写入任何表。请检查其前面的代理，或使用通过检测的服务"
        "（AWS S3、VersityGW 1.8、2026-05 及以后的 SeaweedFS）或本地目录。",
    )


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
