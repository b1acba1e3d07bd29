"""What a bucket of states promises: in memory and in S3, laid out as Terraform's own backend has it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from controlplane.adapters.aws.state_bucket import S3StateBucket, look_for_bucket, make_bucket
from controlplane.domain.errors import Conflict, Missing, Unavailable
from controlplane.domain.workspace import StateHome
from controlplane.ports import StateBucket
from tests.fakes.bucket import FakeBucket

W = "tenant-abc"
HOME = StateHome("states", "fleet", "eu-west-1")
KEY = "fleet/tenant-abc/terraform.tfstate"
OURS = {"ID": "run:1", "Who": "op-1"}
THEIRS = {"ID": "0c1d", "Who": "ann@laptop"}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    emulator = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    emulator.start()
    host, port = emulator.get_host_and_port()
    yield f"http://{host}:{port}"
    emulator.stop()


@pytest.fixture
def s3(server: str) -> Iterator[Any]:
    client = boto3.client(
        "s3",
        region_name=HOME.region,
        endpoint_url=server,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    make_bucket(client, HOME)
    yield client
    for one in client.list_object_versions(Bucket=HOME.bucket).get("Versions", ()):
        client.delete_object(Bucket=HOME.bucket, Key=one["Key"], VersionId=one["VersionId"])


@pytest.fixture(params=["memory", "s3"])
def bucket(request: pytest.FixtureRequest) -> StateBucket:
    if request.param == "memory":
        return FakeBucket()
    return S3StateBucket(request.getfixturevalue("s3"), HOME)


def test_what_was_written_is_read_and_written_over_by_who_has_seen_it(bucket: StateBucket) -> None:
    assert bucket.read(W) is None
    bucket.write(W, b"one", "")
    found = bucket.read(W)
    assert found is not None and found.content == b"one"
    bucket.write(W, b"two", found.version)
    again = bucket.read(W)
    assert again is not None and again.content == b"two"
    assert bucket.read("tenant-other") is None


def test_what_one_has_not_seen_is_not_written_over(bucket: StateBucket) -> None:
    bucket.write(W, b"one", "")
    with pytest.raises(Conflict, match="somebody else"):
        bucket.write(W, b"mine", "")
    seen = bucket.read(W)
    assert seen is not None
    bucket.write(W, b"two", seen.version)
    with pytest.raises(Conflict, match="somebody else"):
        bucket.write(W, b"mine", seen.version)
    found = bucket.read(W)
    assert found is not None and found.content == b"two"


def test_a_lock_is_one_persons_until_it_is_freed_by_its_id(bucket: StateBucket) -> None:
    assert bucket.lock_there(W) == {}
    assert bucket.lock(W, OURS)["ID"] == "run:1"
    assert bucket.lock(W, OURS)["ID"] == "run:1", "taken again by the same"
    assert bucket.lock(W, THEIRS)["Who"] == "op-1"
    bucket.unlock(W, "0c1d")
    assert bucket.lock_there(W)["ID"] == "run:1"
    bucket.unlock(W, "run:1")
    bucket.unlock(W, "run:1")
    assert bucket.lock(W, THEIRS)["ID"] == "0c1d"


class LosesAnswers:
    """S3 whose first answer to a write never comes, so that the client writes again."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def put_object(self, **request: Any) -> Any:
        self._client.put_object(**request)
        return self._client.put_object(**request)


def test_a_write_whose_answer_was_lost_is_ours_all_the_same(s3: Any) -> None:
    bucket = S3StateBucket(LosesAnswers(s3), HOME)
    bucket.write(W, b"one", "")
    assert bucket.lock(W, OURS)["ID"] == "run:1"
    assert s3.get_object(Bucket=HOME.bucket, Key=KEY)["Body"].read() == b"one"


def test_state_and_lock_lie_where_terraform_looks_for_them(s3: Any) -> None:
    bucket = S3StateBucket(s3, HOME)
    bucket.write(W, b"one", "")
    bucket.lock(W, OURS)
    assert bucket.place(W) == f"s3://states/{KEY}"
    found = {o["Key"] for o in s3.list_objects_v2(Bucket=HOME.bucket)["Contents"]}
    assert found == {KEY, f"{KEY}.tflock"}
    assert json.loads(s3.get_object(Bucket=HOME.bucket, Key=f"{KEY}.tflock")["Body"].read()) == OURS


def test_a_lock_that_cannot_be_read_is_somebodys(s3: Any) -> None:
    s3.put_object(Bucket=HOME.bucket, Key=f"{KEY}.tflock", Body=b"{")
    bucket = S3StateBucket(s3, HOME)
    assert "cannot be read" in bucket.lock(W, OURS)["Who"]


def test_the_doctor_wants_versions_and_a_key(s3: Any) -> None:
    assert "keeps versions, encrypts by aws:kms" in look_for_bucket(s3, HOME)
    with pytest.raises(Missing, match="NoSuchBucket"):
        look_for_bucket(s3, StateHome("nowhere", "", HOME.region))
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    s3.put_bucket_encryption(Bucket=HOME.bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    with pytest.raises(Unavailable, match="under AES256"):
        look_for_bucket(s3, HOME)
    s3.put_bucket_versioning(Bucket=HOME.bucket, VersioningConfiguration={"Status": "Suspended"})
    with pytest.raises(Unavailable, match="keeps no versions"):
        look_for_bucket(s3, HOME)
