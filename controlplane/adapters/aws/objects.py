"""S3: a file that is put away, and the proof that it lies there whole."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError

from controlplane.adapters.aws.errors import calling, code_of
from controlplane.domain.errors import Conflict

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SERVICE = "s3"
_CHUNK = 1 << 20


def keep(client: S3Client, bucket: str, key: str, file: str, sha256: str) -> None:
    """In parts where it is large. The bucket's own encryption applies."""
    doing = f"putting {key} into {bucket}"
    with calling(doing, SERVICE):
        try:
            client.upload_file(file, bucket, key, ExtraArgs={"Metadata": {"sha256": sha256}})
        except S3UploadFailedError as error:
            if isinstance(error.__context__, ClientError):
                raise error.__context__ from error
            raise Conflict(f"{doing}: {error}", hint="it is safe to run again") from error


def digest(client: S3Client, bucket: str, key: str) -> str | None:
    """Read back to the last byte: what S3 says of itself would prove less."""
    with calling(f"reading {key} in {bucket}", SERVICE):
        try:
            body = client.get_object(Bucket=bucket, Key=key)["Body"]
        except ClientError as error:
            if code_of(error) == "NoSuchKey":
                return None
            raise
        seen = hashlib.sha256()
        for chunk in body.iter_chunks(_CHUNK):
            seen.update(chunk)
        return seen.hexdigest()
