"""Lakes in a directory and in a bucket, opened as any reader opens them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import urlopen

import boto3
import polars as pl
from deltalake import DeltaTable

from deploy.local.ports import HOST, choose_port

BUCKET: Final = "mianti-tests"
VERSITYGW: Final = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"
_KEYS: Final = {"AWS_ACCESS_KEY_ID": "mianti", "AWS_SECRET_ACCESS_KEY": "of-no-worth"}
# Ends the server when this process has ended, however it did.
_GUARD: Final = """
import subprocess, sys
server = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
try:
    sys.stdin.buffer.read()
finally:
    server.kill()
"""


def options(uri: str) -> dict[str, str] | None:
    """Return what a reader must be told to reach a place."""
    if not uri.startswith("s3://"):
        return None
    names = ("AWS_ENDPOINT_URL", *_KEYS, "AWS_REGION")
    return {name: os.environ[name] for name in names} | {"AWS_ALLOW_HTTP": "true"}


def delta(uri: str) -> DeltaTable:
    """Open a table."""
    return DeltaTable(uri, storage_options=options(uri))


def read(uri: str) -> pl.DataFrame:
    """Read a table whole."""
    return pl.read_delta(uri, storage_options=options(uri))


def exists(uri: str) -> bool:
    """Return whether there is anything at a place."""
    return bool(_keys(uri)) if uri.startswith("s3://") else Path(uri).exists()


def put(uri: str, content: bytes) -> None:
    """Write a file into a lake."""
    if not uri.startswith("s3://"):
        Path(uri).write_bytes(content)
        return
    _client().put_object(Bucket=BUCKET, Key=urlsplit(uri).path.strip("/"), Body=content)


def copy(source: str, target: str) -> None:
    """Copy a lake to a new place of the same kind."""
    if not source.startswith("s3://"):
        shutil.copytree(source, target)
        return
    for key in _keys(source):
        new = urlsplit(target).path.strip("/") + key.removeprefix(urlsplit(source).path.strip("/"))
        _client().copy_object(Bucket=BUCKET, Key=new, CopySource={"Bucket": BUCKET, "Key": key})


def fetched(uri: str, folder: Path) -> Path:
    """Return a directory with what a lake holds."""
    if not uri.startswith("s3://"):
        return Path(uri)
    for key in _keys(uri):
        path = folder / key.removeprefix(urlsplit(uri).path.strip("/") + "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_client().get_object(Bucket=BUCKET, Key=key)["Body"].read())
    return folder


def _keys(uri: str) -> list[str]:
    prefix = urlsplit(uri).path.strip("/") + "/"
    pages = _client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    return [one["Key"] for page in pages for one in page.get("Contents", [])]


@cache
def _client() -> Any:
    return boto3.client("s3")


@contextmanager
def server(tools: Path, folder: Path) -> Iterator[dict[str, str]]:
    """Run an S3 server with a bucket; give the settings by which programs reach it."""
    port = choose_port(None, None, "")
    guard = subprocess.Popen(
        [sys.executable, "-c", _GUARD, *_command(tools, folder, port)],
        stdin=subprocess.PIPE,
        stdout=(folder / "s3.log").open("wb"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env={**os.environ, "ROOT_ACCESS_KEY": _KEYS["AWS_ACCESS_KEY_ID"],
             "ROOT_SECRET_KEY": _KEYS["AWS_SECRET_ACCESS_KEY"]},
    )  # fmt: skip
    told = {"AWS_ENDPOINT_URL": f"http://{HOST}:{port}", "AWS_REGION": "us-east-1", **_KEYS}
    try:
        _wait(guard, told["AWS_ENDPOINT_URL"], folder)
        yield told
    finally:
        guard.communicate()


def _command(tools: Path, folder: Path, port: int) -> list[str]:
    """VersityGW where Go is; moto elsewhere, which is no real server, so CI takes only the first."""
    data, versions = folder / "buckets", folder / "versions"
    data.mkdir()
    versions.mkdir()
    if shutil.which("go") is None:
        assert os.environ.get("CI", "").lower() != "true", "Go is needed: see the README"
        warnings.warn("no Go, so no VersityGW: the lake on S3 is tried on moto", stacklevel=1)
        return [sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(port)]
    kept = ("--versioning-dir", str(versions))  # of buckets that ask for it
    return [str(_program(tools)), "--port", f"{HOST}:{port}", "posix", *kept, str(data)]


def fetch(tools: Path) -> None:
    """Have Go build the server into a folder, unless it is there; nothing where there is no Go."""
    program = _program(tools)
    if shutil.which("go") is not None and not program.exists():
        said = {**os.environ, "GOBIN": str(program.parent), "GOFLAGS": "-modcacherw"}
        subprocess.run(["go", "install", VERSITYGW], env=said, check=True)


def _program(tools: Path) -> Path:
    return tools / VERSITYGW.rpartition("@")[2] / "versitygw"


def _wait(guard: subprocess.Popen[bytes], endpoint: str, folder: Path) -> None:
    end = time.monotonic() + 60
    while True:
        assert guard.poll() is None, (folder / "s3.log").read_text()
        assert time.monotonic() < end, "the S3 server does not answer"
        try:
            urlopen(endpoint, timeout=5)
        except OSError as error:
            if getattr(error, "code", None) is not None:
                return  # it answers: whoever has no key is not let in
            time.sleep(0.05)
        else:
            return
