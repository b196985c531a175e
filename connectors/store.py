"""Object storage beside the tables: the S3 client, and what the tables' own client is told.

All of AWS's usual settings hold (AWS_ACCESS_KEY_ID, AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL, …):
boto3 reads them, and deltalake and Polars, which have clients of their own, are given its answer.
"""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from connectors.disk import room
from connectors.errors import MiantiError
from connectors.refusals import meaning

if TYPE_CHECKING:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError
    from mypy_boto3_s3 import S3Client

S3: Final = "s3://"
#: For one whole request of the tables' clients: Polars' own would wait for an answer for ever.
TIMEOUT: Final = "120s"
_AMAZON: Final = (".amazonaws.com", ".amazonaws.com.cn")
#: Servers that take a bucket's name in the host name only: Aliyun OSS, Tencent COS, Volcengine TOS.
_IN_HOST: Final = (".aliyuncs.com", ".myqcloud.com", ".volces.com", ".ivolces.com")
_CONFIG: Final[dict[str, Any]] = {
    "retries": {"mode": "standard", "max_attempts": 5},
    "max_pool_connections": 16,  # as many as race in the preflight, and some
    "connect_timeout": 10,
    "read_timeout": 60,
}
#: Else boto3 puts a checksum behind each body (aws-chunked), and a server that knows nothing of it
#: stores the frame within the object. Amazon's own take it apart.
_NO_FRAMES: Final[dict[str, Any]] = {
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
}

#: What no repetition helps against, as the tables' own client tells it.
_REFUSED: Final = re.compile(r"\b(?:30[17]|4\d\d|50[17]) [A-Z].*?<Code>(\w+)</Code>", re.DOTALL)


class StoreUnreachable(MiantiError):
    """The object storage does not answer, does not let this client in, or takes no more."""


class AlreadyThere(MiantiError):
    """A file that is written once is there with another content."""


def aws() -> Any:
    """Return boto3's errors (`botocore.exceptions`), imported where one is to be told.

    boto3 takes a third of a second to import, and a lake in a directory has no use for it.
    """
    from botocore import exceptions

    return exceptions


def unreachable(error: BotoCoreError | ClientError) -> StoreUnreachable:
    """Return the error of a person for one of boto3's; it names no key."""
    kind = type(error).__name__
    if isinstance(error, aws().ClientError):
        kind = error.response.get("Error", {}).get("Code", kind)
    return no_answer(kind)


def no_answer(kind: str) -> StoreUnreachable:
    """Return the error of a person for one of the tables' own client, told in a word."""
    return StoreUnreachable(*meaning(kind))


def refusal(error: BaseException) -> str | None:
    """Return in a word why a server will not do it, told by the tables' own client; None if it may."""
    text = str(error)  # it has lines of colours and addresses
    told = _REFUSED.search(text)
    if told:
        return told[1]
    if "certificate" in text:
        return "SSLError"
    return "AccessDenied" if "privileges" in text else None


@cache
def s3() -> S3Client:
    """Return the S3 client of this process's settings. Raises StoreUnreachable.

    A bucket's name stands in the path, but in the host name where the profile says so
    (`addressing_style`), or the server is known to want it.
    """
    from botocore.config import Config

    config = Config(**_CONFIG)
    try:
        told = _session().client("s3", config=config).meta
        said = _style(told)  # of the profile
        within = said == "virtual" or (
            said != "path" and _host(told.endpoint_url).endswith(_IN_HOST)
        )
        config = config.merge(Config(s3={"addressing_style": "virtual" if within else "path"}))
        if not _host(told.endpoint_url).endswith(_AMAZON):
            config = config.merge(Config(**_NO_FRAMES))
        return _session().client("s3", config=config)
    except aws().BotoCoreError as error:
        raise unreachable(error) from error
    except ValueError:  # "Invalid endpoint: …"
        raise no_answer("BadAddress") from None


def _style(meta: Any) -> str | None:
    """Return how a client was told to address buckets; its types do not say that it can be asked."""
    style: str | None = (meta.config.s3 or {}).get("addressing_style")
    return style


def _host(endpoint: str) -> str:
    return urlsplit(endpoint).hostname or ""


@cache
def _session() -> boto3.Session:
    import boto3

    try:
        found = boto3.Session()
    except aws().ProfileNotFound as error:
        raise unreachable(error) from error
    return found if found.region_name else boto3.Session(region_name="us-east-1")


def bucket_of(uri: str) -> tuple[str, str]:
    """Return the bucket of an `s3://` URI and the path in it, without slashes at its ends."""
    parts = urlsplit(uri)
    return parts.netloc, parts.path.strip("/")


def options(uri: str) -> dict[str, str] | None:
    """Return what deltalake and Polars must be told to reach a place; None for a directory.

    Credentials are asked for each time: those of a role expire. Raises StoreUnreachable.
    """
    if not uri.startswith(S3):
        return None
    try:
        found = _session().get_credentials()
    except aws().BotoCoreError as error:
        raise unreachable(error) from error
    told = {"aws_region": str(_session().region_name), "timeout": TIMEOUT}
    if found is not None:
        keys = found.get_frozen_credentials()
        told |= {
            "aws_access_key_id": keys.access_key or "",
            "aws_secret_access_key": keys.secret_key or "",
        }
        told |= {"aws_session_token": keys.token} if keys.token else {}
    endpoint = s3().meta.endpoint_url
    within = _style(s3().meta) == "virtual"
    if within:
        told["aws_virtual_hosted_style_request"] = "true"
    if not _host(endpoint).endswith(_AMAZON):
        told["aws_endpoint"] = _with_bucket(endpoint, uri) if within else endpoint
    if endpoint.startswith("http://"):
        told["aws_allow_http"] = "true"
    return told


def _with_bucket(endpoint: str, uri: str) -> str:
    """Return a server's address with the bucket's name in it, as the tables' client wants it."""
    parts = urlsplit(endpoint)
    return parts._replace(netloc=f"{bucket_of(uri)[0]}.{parts.netloc}").geturl()


def place_of(uri: str) -> str:
    """Return where a table or its file lies, as the settings name it: a path, or an `s3://` URI."""
    uri = uri.rstrip("/")
    return uri if uri.startswith(S3) else unquote(uri.removeprefix("file://"))


def read(uri: str) -> bytes | None:
    """Return a small file whole; None where there is none. Raises StoreUnreachable, OSError."""
    if not uri.startswith(S3):
        path = Path(uri)
        return path.read_bytes() if path.exists() else None
    bucket, key = bucket_of(uri)
    try:
        return s3().get_object(Bucket=bucket, Key=key)["Body"].read()
    except s3().exceptions.NoSuchKey:
        return None
    except (aws().BotoCoreError, aws().ClientError) as error:
        raise unreachable(error) from error


def read_first(uri: str) -> bytes | None:
    """Return a small file as it was first written, where the bucket keeps versions; None for none.

    Under an object lock the first version stays whatever is written or deleted after it. Raises
    StoreUnreachable, OSError.
    """
    if not uri.startswith(S3):
        return read(uri)
    bucket, key = bucket_of(uri)
    kept = [one for one in _versions(uri) if one["Key"] == key]
    if not kept:
        return None
    first = kept[-1]["VersionId"]  # S3 lists the newest first
    try:
        return s3().get_object(Bucket=bucket, Key=key, VersionId=first)["Body"].read()
    except s3().exceptions.NoSuchKey:
        return None
    except (aws().BotoCoreError, aws().ClientError) as error:
        raise unreachable(error) from error


def names_ever(uri: str) -> list[str]:
    """Return the names of the files directly in a place, in order; deleted ones whose versions are kept, too.

    Raises StoreUnreachable, OSError.
    """
    if not uri.startswith(S3):
        return names_after(uri, "")
    prefix = bucket_of(uri)[1] + "/"
    names = {one["Key"].removeprefix(prefix) for one in _versions(f"{uri}/")}
    return sorted(name for name in names if "/" not in name)


def _versions(uri: str) -> Iterator[Any]:
    """Yield the versions of the objects whose URI begins so, each one's newest first."""
    bucket = bucket_of(uri)[0]
    prefix = urlsplit(uri).path.lstrip("/")
    try:
        pages = s3().get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            yield from page.get("Versions", [])
    except (aws().BotoCoreError, aws().ClientError) as error:
        raise unreachable(error) from error


def exists(uri: str) -> bool:
    """Return whether a file is there. Raises StoreUnreachable."""
    if not uri.startswith(S3):
        return Path(uri).exists()
    bucket, key = bucket_of(uri)
    try:
        s3().head_object(Bucket=bucket, Key=key)
    except aws().ClientError as error:
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 404:
            return False
        raise unreachable(error) from error
    except aws().BotoCoreError as error:
        raise unreachable(error) from error
    return True


def write(uri: str, content: bytes | memoryview) -> None:
    """Write a file whole. Raises StoreUnreachable, connectors.disk.DiskFull, OSError."""
    if not uri.startswith(S3):
        path = Path(uri)
        with room(str(path.parent)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return
    bucket, key = bucket_of(uri)
    try:
        s3().put_object(Bucket=bucket, Key=key, Body=bytes(content))
    except (aws().BotoCoreError, aws().ClientError) as error:
        raise unreachable(error) from error


def replace(uri: str, content: bytes) -> None:
    """Put a small file in the place of the former one; a reader finds the one or the other whole.

    Raises StoreUnreachable, connectors.disk.DiskFull, OSError.
    """
    if uri.startswith(S3):
        write(uri, content)
        return
    path = Path(uri)
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
    try:
        write(str(part), content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_once(uri: str, content: bytes) -> None:
    """Write a file that is never written again; harmless where it is there with that content.

    Raises AlreadyThere where it is there with another, StoreUnreachable, OSError.
    """
    try:
        if uri.startswith(S3):
            bucket, key = bucket_of(uri)
            s3().put_object(Bucket=bucket, Key=key, Body=content, IfNoneMatch="*")
        else:
            _link_new(Path(uri), content)
    except FileExistsError:
        _must_be(uri, content)
    except aws().ClientError as error:
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") not in (409, 412):
            raise unreachable(error) from error
        _must_be(uri, content)
    except aws().BotoCoreError as error:
        raise unreachable(error) from error


def _link_new(path: Path, content: bytes) -> None:
    """Put a file in its place whole, unless one is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(part, path)
    finally:
        part.unlink(missing_ok=True)


def _must_be(uri: str, content: bytes) -> None:
    if read(uri) != content:
        raise AlreadyThere(
            f"{uri} is there already with another content: what is kept for good is not written "
            "over. Look who else writes there.",
            f"{uri} 已存在且内容不同：存证文件不得覆盖，请检查是否有其他程序写入该位置。",
        )


def files(uri: str) -> dict[str, int]:
    """Return every file below a place: its path from there, and its bytes."""
    found = _objects(uri) if uri.startswith(S3) else _walk(Path(uri))
    return dict(found)


def names_after(uri: str, name: str) -> list[str]:
    """Return the names of the files directly in a place that sort behind a name, in their order.

    Raises StoreUnreachable, OSError.
    """
    if not uri.startswith(S3):
        folder = Path(uri)
        return sorted(one for one in os.listdir(folder) if one > name) if folder.is_dir() else []
    found = _objects(uri, name)
    return sorted(one for one, _ in found if "/" not in one and one > name)


def _walk(folder: Path) -> Iterator[tuple[str, int]]:
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place) / name
            with suppress(FileNotFoundError):  # gone since it was listed
                yield path.relative_to(folder).as_posix(), path.stat().st_size


def _objects(uri: str, after: str = "") -> Iterator[tuple[str, int]]:
    bucket, prefix = bucket_of(uri)
    where = {"Bucket": bucket, "Prefix": f"{prefix}/"}
    if after:
        where["StartAfter"] = f"{prefix}/{after}"
    try:
        pages: Any = s3().get_paginator("list_objects_v2").paginate(**where)  # type: ignore[arg-type]
        for page in pages:
            for one in page.get("Contents", []):
                yield one["Key"].removeprefix(f"{prefix}/"), one["Size"]
    except (aws().BotoCoreError, aws().ClientError) as error:
        raise unreachable(error) from error
