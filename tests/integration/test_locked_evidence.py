"""Evidence under an object lock, on a real S3 server: what is put over an anchor proves nothing."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from uuid import uuid4

import boto3
import orjson
import pytest
from botocore.exceptions import ClientError

from connectors import store
from connectors.receipts import Receipts
from connectors.settings import Settings
from flows.receipt.desk import Desk
from flows.receipt.register import register
from flows.receipt.ship import ship
from flows.receipt.verify import verify

REFUSAL = {"kind": "refusal", "subject": "s", "who": {"clerk": "c1", "departments": ["d"]}}


@pytest.fixture
def locked(bucket: str, tmp_path: Path) -> Settings:
    """A window whose evidence lies in a bucket that keeps each version for a day."""
    name, s3 = f"locked-{uuid4().hex[:12]}", boto3.client("s3")
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}
    lock = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    s3.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration=lock)  # type: ignore[arg-type]
    here = Settings(mianti_home=tmp_path, mianti_evidence=f"s3://{name}/evidence")
    for _ in range(3):
        with closing(Desk(here.mianti_window, here.mianti_window_name)) as desk:
            desk.write([REFUSAL] * 3)
        with closing(Receipts(here.mianti_window)) as receipts:
            ship(here, receipts)
    register(here)
    return here


def told(here: Settings) -> list[str]:
    proofs = [verify(here, f"{here.mianti_window_name}-{number}") for number in (5, 9)]
    assert all(proof.anchored for proof in proofs)
    return [flaw for proof in proofs for flaw in proof.flaws]


@pytest.mark.parametrize("deed", ["overwritten", "deleted"])
@pytest.mark.parametrize("number", [7, 10])
def test_an_anchor_stays_whatever_is_put_over_it(locked: Settings, number: int, deed: str) -> None:
    place = f"{locked.mianti_evidence}/anchors/{locked.mianti_window_name}/{number:012}.json"
    bucket, key = store.bucket_of(place)
    first = store.read(place)
    assert first is not None
    assert told(locked) == []
    if deed == "deleted":
        store.s3().delete_object(Bucket=bucket, Key=key)
        assert store.read(place) is None
    else:
        store.write(place, orjson.dumps(orjson.loads(first) | {"hash": "0" * 64}))
        assert store.read(place) != first
    assert store.read_first(place) == first
    assert told(locked) == []
    kept = store.s3().list_object_versions(Bucket=bucket, Prefix=key)["Versions"][-1]
    with pytest.raises(ClientError, match="AccessDenied"):
        store.s3().delete_object(Bucket=bucket, Key=key, VersionId=kept["VersionId"])
