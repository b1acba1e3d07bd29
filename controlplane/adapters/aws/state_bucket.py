"""States in S3 as Terraform's own `s3` backend keeps them with `use_lockfile`: the state under its key, the
lock beside it, taken by a write that fails where one is. Encryption is the bucket's own, as for Terraform.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from controlplane.adapters.aws.errors import calling, is_code
from controlplane.domain.errors import Conflict, Unavailable
from controlplane.domain.workspace import StateHome
from controlplane.ports import PublicState

_ABSENT = ("NoSuchKey", "404")
_PASSED_BY = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409", "NoSuchKey")
_JSON = "application/json"


class S3StateBucket:
    """`StateBucket` on boto3's `s3` client."""

    def __init__(self, client: Any, home: StateHome) -> None:
        self._client = client
        self._home = home

    def place(self, workspace: str) -> str:
        return f"s3://{self._home.bucket}/{self._home.key(workspace)}"

    # --- states

    def read(self, workspace: str) -> PublicState | None:
        return self._read(self._home.key(workspace))

    def write(self, workspace: str, content: bytes, over: str) -> None:
        key = self._home.key(workspace)
        if self._put(key, content, {"IfMatch": over} if over else {"IfNoneMatch": "*"}):
            return
        found = self._read(key)
        if found is None or found.content != content:  # else an answer was lost, and the call was made again
            raise Conflict(
                f"writing {self.place(workspace)}: somebody else wrote it meanwhile",
                hint="docs/runbook.md, `Two states of one workspace`",
            )

    # --- the lock

    def lock(self, workspace: str, info: Mapping[str, Any]) -> Mapping[str, Any]:
        mine = json.dumps(dict(info)).encode()
        if self._put(self._lock_key(workspace), mine, {"IfNoneMatch": "*"}):
            return info
        return self.lock_there(workspace) or {"Who": "somebody who just freed it"}

    def lock_there(self, workspace: str) -> Mapping[str, Any]:
        found = self._read(self._lock_key(workspace))
        if found is None:
            return {}
        try:
            info = json.loads(found.content)
        except ValueError:
            info = None
        return info if isinstance(info, dict) else {"Who": "somebody whose lock cannot be read"}

    def unlock(self, workspace: str, lock_id: str) -> None:
        """Looked at, then removed, as Terraform does: S3 has no way to do both at once everywhere."""
        if self.lock_there(workspace).get("ID") == lock_id:
            key = self._lock_key(workspace)
            with calling(f"freeing {key} in {self._home.bucket}", "s3"):
                self._client.delete_object(Bucket=self._home.bucket, Key=key)

    def _lock_key(self, workspace: str) -> str:
        return f"{self._home.key(workspace)}.tflock"

    # --- S3

    def _read(self, key: str) -> PublicState | None:
        with calling(f"reading {key} in {self._home.bucket}", "s3"):
            try:
                answer = self._client.get_object(Bucket=self._home.bucket, Key=key)
                return PublicState(answer["Body"].read(), answer["ETag"])
            except ClientError as error:
                if is_code(error, *_ABSENT):
                    return None
                raise

    def _put(self, key: str, content: bytes, only: Mapping[str, str]) -> bool:
        """False where what stands there is another version than this."""
        with calling(f"writing {key} in {self._home.bucket}", "s3"):
            try:
                self._client.put_object(
                    Bucket=self._home.bucket, Key=key, Body=content, ContentType=_JSON, **only
                )
            except ClientError as error:
                if is_code(error, *_PASSED_BY):
                    return False
                raise
        return True


def look_for_bucket(client: Any, home: StateHome) -> str:
    """Whether it answers, keeps versions, and encrypts by KMS; raises with the way to get that."""
    bucket = home.bucket
    with calling(f"looking at the bucket {bucket}", "s3"):
        versioning = client.get_bucket_versioning(Bucket=bucket).get("Status")
        algorithm = _encryption(client, bucket)
    if versioning != "Enabled":
        raise Unavailable(
            f"the bucket {bucket} keeps no versions",
            hint=f"aws s3api put-bucket-versioning --bucket {bucket} "
            "--versioning-configuration Status=Enabled",
        )
    if not algorithm.startswith("aws:kms"):
        raise Unavailable(
            f"the bucket {bucket} encrypts under {algorithm or 'no key'}: who may read it reads every state",
            hint="set its default encryption to a KMS key of yours",
        )
    return f"s3://{bucket}/{home.prefix}: keeps versions, encrypts by {algorithm}"


def _encryption(client: Any, bucket: str) -> str:
    try:
        answer = client.get_bucket_encryption(Bucket=bucket)
    except ClientError as error:
        if is_code(error, "ServerSideEncryptionConfigurationNotFound"):
            return ""
        raise
    [rule, *_] = answer["ServerSideEncryptionConfiguration"]["Rules"]
    return str(rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"])


def make_bucket(client: Any, home: StateHome) -> None:
    """For an emulator, which forgets nothing that it was told: as an account should have it."""
    with calling(f"making the bucket {home.bucket}", "s3"):
        elsewhere = {} if home.region == "us-east-1" else {"LocationConstraint": home.region}
        options = {"CreateBucketConfiguration": elsewhere} if elsewhere else {}
        try:
            client.create_bucket(Bucket=home.bucket, **options)
        except ClientError as error:
            if not is_code(error, "BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
                raise
        client.put_bucket_versioning(Bucket=home.bucket, VersioningConfiguration={"Status": "Enabled"})
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
        client.put_bucket_encryption(Bucket=home.bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
