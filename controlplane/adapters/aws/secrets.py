"""Secrets Manager. A secret is made once with its value; a retry finds it by name, token and tags."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from controlplane.adapters.aws.errors import calling, code_of, is_code
from controlplane.adapters.aws.ownership import check_ours, check_same_owner, to_list, to_mapping
from controlplane.domain.errors import Conflict, Missing, Unavailable
from controlplane.ports import SecretRef

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_secretsmanager.type_defs import DescribeSecretResponseTypeDef

SERVICE = "secretsmanager"
RECOVERY_DAYS = 30
_PAUSES = (0, 0.2, 1, 3)  # seconds before each look; reads of Secrets Manager can be stale
_EXISTS = "ResourceExistsException"
_NOT_FOUND = "ResourceNotFoundException"
_WRONG_STATE = "InvalidRequestException"  # marked for deletion


def ensure(
    client: SecretsManagerClient, name: str, value: str, tags: Mapping[str, str], token: str
) -> SecretRef:
    with calling(f"creating the secret {name}", SERVICE):
        for pause in _PAUSES:
            time.sleep(pause)
            there = describe(client, name)
            if there is None:
                made = _create(client, name, value, tags, token)
                if made:
                    return SecretRef(made, name, created=True)
                continue  # a stale read, or somebody was quicker: look again
            check_same_owner(f"the secret {name}", to_mapping(there.get("Tags")), tags)
            if there.get("DeletedDate"):
                client.restore_secret(SecretId=there["ARN"])
            _fill(client, there["ARN"], value, token)
            return SecretRef(there["ARN"], name, created=False)
    raise Unavailable(
        f"creating the secret {name}: AWS says that it exists and that it does not",
        hint="it is safe to run again in a minute",
    )


def _create(
    client: SecretsManagerClient, name: str, value: str, tags: Mapping[str, str], token: str
) -> str | None:
    """The new secret's ARN; None when there is one of this name.

    The same token and value as before are no error to AWS: its answer is then the first one's."""
    try:
        answer = client.create_secret(
            Name=name,
            SecretString=value,
            ClientRequestToken=_request_token(name, token),
            Tags=to_list(tags),  # type: ignore[arg-type]
        )
    except ClientError as error:
        if code_of(error) in (_EXISTS, _WRONG_STATE):
            return None
        raise
    return answer["ARN"]


def _request_token(name: str, token: str) -> str:
    """AWS wants 32 to 64 characters; ours may be of any length, and mean one value of one secret."""
    return hashlib.sha256(f"{name}\n{token}".encode()).hexdigest()


def _fill(client: SecretsManagerClient, arn: str, value: str, token: str) -> None:
    """Give a secret that never had a value its first one; a value that is there stays."""
    try:
        client.get_secret_value(SecretId=arn)
    except ClientError as error:
        if code_of(error) != _NOT_FOUND:
            raise
        request = _request_token(arn, token)
        client.put_secret_value(SecretId=arn, SecretString=value, ClientRequestToken=request)


def describe(client: SecretsManagerClient, name: str) -> DescribeSecretResponseTypeDef | None:
    try:
        return client.describe_secret(SecretId=name)
    except ClientError as error:
        if code_of(error) == _NOT_FOUND:
            return None
        raise


def read(client: SecretsManagerClient, name: str) -> str:
    with calling(f"reading the secret {name}", SERVICE):
        try:
            return client.get_secret_value(SecretId=name)["SecretString"]
        except ClientError as error:
            if is_code(error, _NOT_FOUND):
                raise Missing(f"reading the secret {name}: there is none, or it has no value") from error
            if is_code(error, _WRONG_STATE):
                raise Missing(
                    f"reading the secret {name}: it is scheduled for deletion",
                    hint="restore it while its recovery window lasts",
                ) from error
            raise


def write(client: SecretsManagerClient, name: str, value: str, token: str) -> None:
    """A new version under this token; the same token and value again change nothing."""
    with calling(f"writing the secret {name}", SERVICE):
        try:
            request = _request_token(name, token)
            client.put_secret_value(SecretId=name, SecretString=value, ClientRequestToken=request)
        except ClientError as error:
            if is_code(error, _NOT_FOUND):
                raise Missing(f"writing the secret {name}: there is none") from error
            if is_code(error, _EXISTS):
                raise Conflict(
                    f"writing the secret {name}: this token was used for another value",
                    hint="a token belongs to one value: use a new one for a new value",
                ) from error
            if is_code(error, _WRONG_STATE):
                raise Conflict(
                    f"writing the secret {name}: it is scheduled for deletion",
                    hint="restore it first, or use the next epoch's name",
                ) from error
            raise


def exists(client: SecretsManagerClient, name: str) -> bool:
    with calling(f"looking at the secret {name}", SERVICE):
        found = describe(client, name)
    return found is not None and not found.get("DeletedDate")


def delete(client: SecretsManagerClient, name: str) -> None:
    doing = f"deleting the secret {name}"
    with calling(doing, SERVICE):
        found = describe(client, name)
        if found is None or found.get("DeletedDate"):
            return
        check_ours(f"the secret {name}", to_mapping(found.get("Tags")), doing)
        try:
            client.delete_secret(SecretId=found["ARN"], RecoveryWindowInDays=RECOVERY_DAYS)
        except ClientError as error:
            if code_of(error) not in (_NOT_FOUND, _WRONG_STATE):
                raise
