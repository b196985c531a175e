"""The lake in a bucket: which servers are trusted with it, and what is said when one is not."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import polars as pl
import pytest
from click.testing import CliRunner

from connectors import preflight, store
from connectors.errors import MiantiError
from connectors.preflight import UnsafeStore, require_safe
from deploy.cli.main import cli
from tests.faults.processes import mianti
from tests.support import s3_proxy
from tests.support.exchange import Exchange
from tests.support.s3_heedless import heedless
from tests.support.s3_odd import BUCKET, certify, odd


@pytest.fixture(autouse=True)
def afresh() -> Iterator[None]:
    """Let each test's environment count."""
    forget()
    yield
    forget()


def forget() -> None:
    """Do as a new process: one keeps its client and its verdict."""
    for kept in (store.s3, store._session, require_safe):
        kept.cache_clear()


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
        b'{"endpoint": "ENDPOINT", "at": "NOW"}',
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
    now = dt.datetime.now(dt.UTC).isoformat().encode()
    written = mark.replace(b"ENDPOINT", here).replace(b"NOW", now)
    store.s3().put_object(Bucket=name, Key=f"{prefix}/{preflight.MARK}", Body=written)
    put = puts(monkeypatch)
    require_safe(place)
    assert len(put) == preflight.KEYS * preflight.RACERS + 2


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
    found = boto3.Session().get_credentials()
    assert found is not None
    keys = found.get_frozen_credentials()
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


@pytest.fixture
def strange(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment with keys of no worth, for servers that look at none."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "any")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    return monkeypatch


@pytest.mark.parametrize("way", ["plain", "frames"])
def test_over_tls_a_body_is_stored_as_it_is_also_by_a_server_that_keeps_frames(
    strange: pytest.MonkeyPatch, tmp_path: Path, way: str
) -> None:
    certificate = certify(tmp_path / "server.pem")
    for name in ("AWS_CA_BUNDLE", "SSL_CERT_FILE"):
        strange.setenv(name, str(certificate))
    with odd(way, certificate) as endpoint:
        strange.setenv("AWS_ENDPOINT_URL", endpoint)
        require_safe(f"s3://{BUCKET}/lake")
        store.write_once(f"s3://{BUCKET}/evidence/anchor", b"one receipt")
        store.write(f"s3://{BUCKET}/zone/file", b"a file")
        assert store.read(f"s3://{BUCKET}/evidence/anchor") == b"one receipt"
        assert store.read(f"s3://{BUCKET}/zone/file") == b"a file"


def test_a_server_that_damages_content_is_found_before_anything_is_written(
    strange: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certificate = certify(tmp_path / "server.pem")
    strange.setenv("AWS_CA_BUNDLE", str(certificate))
    strange.setattr(store, "_NO_FRAMES", store._CONFIG)
    with odd("frames", certificate) as endpoint:
        strange.setenv("AWS_ENDPOINT_URL", endpoint)
        with pytest.raises(UnsafeStore, match="other content than was written"):
            require_safe(f"s3://{BUCKET}/lake")
    forget()
    with odd("changes") as endpoint:
        strange.setenv("AWS_ENDPOINT_URL", endpoint)
        with pytest.raises(UnsafeStore, match="other content than was written"):
            require_safe(f"s3://{BUCKET}/lake")


def test_a_client_that_does_not_trust_the_certificate_says_which_settings(
    strange: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Two clients, two settings: the one that lacks is found before anything is written."""
    certificate = certify(tmp_path / "server.pem")
    with odd("plain", certificate) as endpoint:
        strange.setenv("AWS_ENDPOINT_URL", endpoint)
        with pytest.raises(store.StoreUnreachable, match="AWS_CA_BUNDLE and SSL_CERT_FILE"):
            require_safe(f"s3://{BUCKET}/lake")
        strange.setenv("AWS_CA_BUNDLE", str(certificate))
        forget()
        with pytest.raises(store.StoreUnreachable, match="AWS_CA_BUNDLE and SSL_CERT_FILE"):
            require_safe(f"s3://{BUCKET}/lake")


@pytest.mark.parametrize("known", [True, False])
def test_a_bucket_stands_in_the_host_name_where_the_server_wants_it(
    strange: pytest.MonkeyPatch, tmp_path: Path, known: bool
) -> None:
    place = f"s3://{BUCKET}/lake"
    with odd("host") as proxy:
        strange.setenv("http_proxy", proxy)
        strange.setenv("HTTP_PROXY", proxy)
        for name in ("no_proxy", "NO_PROXY"):
            strange.delenv(name, raising=False)
        if known:
            strange.setenv("AWS_ENDPOINT_URL", "http://oss-cn-nowhere.aliyuncs.com")
        else:
            strange.setenv("AWS_ENDPOINT_URL", "http://store.nowhere.example:9000")
            with pytest.raises(store.StoreUnreachable, match="addressing_style = virtual") as told:
                require_safe(place)
            assert "SecondLevelDomainForbidden" in str(told.value)
            profile = tmp_path / "config"
            profile.write_text("[default]\ns3 =\n    addressing_style = virtual\n")
            strange.setenv("AWS_CONFIG_FILE", str(profile))
            forget()
        require_safe(place)
        rows = pl.DataFrame({"a": [1]})
        rows.write_parquet(tmp_path / "a.parquet")
        store.write(f"{place}/a.parquet", (tmp_path / "a.parquet").read_bytes())
        told_to = store.options(place)
        assert pl.read_parquet(f"{place}/a.parquet", storage_options=told_to).equals(rows)


@pytest.mark.parametrize("address", ["127.0.0.1:9000", "localhost", "http://", "ftp:/x"])
def test_an_address_without_a_scheme_or_host_is_told(
    strange: pytest.MonkeyPatch, address: str
) -> None:
    strange.setenv("AWS_ENDPOINT_URL", address)
    with pytest.raises(store.StoreUnreachable, match="must begin with http:// or https://"):
        require_safe(f"s3://{BUCKET}/lake")


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (501, "NotImplemented", "does not know `If-None-Match"),
        (403, "RequestTimeTooSkewed", "set this machine's clock"),
        (403, "AccessDenied", "ListBucket, GetObject, PutObject and DeleteObject"),
        (404, "NoSuchBucket", "has no such bucket"),
        (400, "ExpiredToken", "have expired"),
        (403, "InvalidAccessKeyId", "does not know these keys"),
        (403, "SecondLevelDomainForbidden", "addressing_style = virtual"),
        (400, "AuthorizationHeaderMalformed", "another region"),
        (507, "XMinioStorageFull", "make room"),
        (400, "SomethingNew", "does not answer as it should"),
    ],
)
def test_each_refusal_of_a_conditional_write_is_told_in_words_that_help(
    bucket: str, monkeypatch: pytest.MonkeyPatch, status: int, code: str, said: str
) -> None:
    with s3_proxy.before(os.environ["AWS_ENDPOINT_URL"]) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        proxy.faults = [s3_proxy.Fault("refuse", "PUT", "preflight", 10_000, status, code)]
        with pytest.raises(MiantiError) as refused:
            require_safe(f"{bucket}/{uuid4().hex}")
    english, chinese = refused.value.args
    assert said in english
    assert code in english
    assert code in chinese


@pytest.mark.parametrize("new_lake", ["s3"], indirect=True)
def test_objects_moved_to_cold_storage_are_told_and_not_the_servers_xml(
    exchange: Exchange,
) -> None:
    department = exchange.department()
    department.publish([department.licence(1)])
    exchange.ingest()
    with s3_proxy.before(os.environ["AWS_ENDPOINT_URL"]) as proxy:
        cold = s3_proxy.Fault(
            "refuse", "GET", r"bucket=\d+/.*parquet", 10_000, 403, "InvalidObjectState"
        )
        proxy.faults = [cold]
        done = mianti(
            exchange.environment | {"AWS_ENDPOINT_URL": proxy.endpoint}, "query", "licence"
        )
    assert done.returncode == 2
    assert "cold storage" in done.stderr
    assert "归档存储" in done.stderr
    assert "<" not in done.stderr
