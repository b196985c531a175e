"""The lake in a bucket: which servers are trusted with it, and what is said when one is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest
from click.testing import CliRunner

from connectors import preflight, store
from connectors.preflight import UnsafeStore, require_safe
from deploy.cli.main import cli
from tests.support.exchange import Exchange
from tests.support.s3_heedless import heedless


@pytest.fixture(autouse=True)
def afresh() -> Iterator[None]:
    """Let each test's environment count."""
    forget()
    yield
    forget()


def forget() -> None:
    """Do as a new process: one keeps its client and its verdict."""
    for kept in (store.s3, store._session, require_safe):
        kept.cache_clear()  # type: ignore[attr-defined]


def puts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the keys that are put from now on, as they are."""
    keys: list[str] = []
    client = store.s3()
    put = client.put_object

    def noted(**told: Any) -> Any:
        keys.append(told["Key"])
        return put(**told)

    monkeypatch.setattr(client, "put_object", noted)
    return keys


def test_a_server_that_keeps_the_promise_is_trusted_and_left_clean(bucket: str) -> None:
    place = f"{bucket}/{uuid4().hex}"
    require_safe(place)
    assert list(store.files(place)) == [preflight.MARK]


def test_a_server_that_passed_of_late_is_not_asked_again(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = f"{bucket}/{uuid4().hex}"
    require_safe(place)
    forget()
    put = puts(monkeypatch)
    require_safe(place)
    assert put == []


@pytest.mark.parametrize(
    "mark",
    [
        b'{"endpoint": "http://elsewhere", "at": "2026-01-01T00:00:00+00:00"}',
        b'{"endpoint": "ENDPOINT", "at": "2020-01-01T00:00:00+00:00"}',
        b'{"endpoint": "ENDPOINT", "at": "2999-01-01T00:00:00+00:00"}',
        b'{"endpoint": "ENDPOINT", "at": "2026-01-01T00:00:00"}',
        b'{"endpoint": "ENDPOINT"}',
        b"[]",
        b"\xff",
    ],
)
def test_a_mark_of_another_server_or_another_time_counts_for_nothing(
    bucket: str, monkeypatch: pytest.MonkeyPatch, mark: bytes
) -> None:
    place = f"{bucket}/{uuid4().hex}"
    name, prefix = store.bucket_of(place)
    here = store.s3().meta.endpoint_url.encode()
    written = mark.replace(b"ENDPOINT", here)
    store.s3().put_object(Bucket=name, Key=f"{prefix}/{preflight.MARK}", Body=written)
    put = puts(monkeypatch)
    require_safe(place)
    assert len(put) == preflight.KEYS * preflight.RACERS + 1


def test_a_server_that_ignores_the_condition_is_refused(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with heedless() as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        with pytest.raises(UnsafeStore, match="If-None-Match") as refused:
            require_safe(f"{bucket}/lake")
    assert str([preflight.RACERS] * preflight.KEYS) in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("AWS_SECRET_ACCESS_KEY", "not-the-secret", "SignatureDoesNotMatch"),
        ("AWS_ACCESS_KEY_ID", "nobody", "UserNotFound"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9", "EndpointConnectionError"),
        ("AWS_PROFILE", "no-such-profile", "ProfileNotFound"),
    ],
)
@pytest.mark.parametrize("new_lake", ["s3"], indirect=True)
def test_a_bucket_that_does_not_let_us_in_is_told_without_the_key(
    exchange: Exchange, name: str, value: str, said: str
) -> None:
    department = exchange.department()
    department.publish([department.licence(1)])
    done = CliRunner(env=exchange.environment | {name: value}).invoke(
        cli, ["ingest", "licence"], prog_name="mianti"
    )
    assert done.exit_code == 2
    assert said in done.stderr
    assert "AWS_" in done.stderr
    assert "not-the-secret" not in done.stderr
    asked = CliRunner(env=exchange.environment | {name: value}).invoke(
        cli, ["query", "licence"], prog_name="mianti"
    )
    assert asked.exit_code == 2
    assert "AWS_" in asked.stderr


def test_a_profile_of_the_usual_file_is_used(
    bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    keys = boto3.Session().get_credentials().get_frozen_credentials()
    file = tmp_path / "credentials"
    file.write_text(
        f"[city]\naws_access_key_id = {keys.access_key}\n"
        f"aws_secret_access_key = {keys.secret_key}\n"
    )
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_PROFILE", "city")
    told = store.options(bucket) or {}
    assert told["aws_access_key_id"] == keys.access_key
    require_safe(f"{bucket}/{uuid4().hex}")


def test_a_lake_in_a_directory_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    assert store.options("/srv/lake") is None
    require_safe("/srv/lake")
