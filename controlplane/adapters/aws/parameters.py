"""SSM parameters: small values that applications read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from controlplane.adapters.aws.errors import calling, is_code

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

SERVICE = "ssm"


def write(client: SSMClient, name: str, value: str) -> None:
    """Unwritten when the value stands there: every write is a version, and their number is limited."""
    with calling(f"writing the parameter {name}", SERVICE):
        found = _value(client, name)
        if found is None:
            client.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)
        elif found != value:
            client.put_parameter(Name=name, Value=value, Overwrite=True)  # keeps its type


def read(client: SSMClient, name: str) -> str | None:
    with calling(f"reading the parameter {name}", SERVICE):
        return _value(client, name)


def _value(client: SSMClient, name: str) -> str | None:
    try:
        return client.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    except ClientError as error:
        if is_code(error, "ParameterNotFound"):
            return None
        raise
