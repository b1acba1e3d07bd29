"""AWS through boto3: sessions by role, errors translated at the edge, every call safe to repeat."""

from controlplane.adapters.aws.clients import AwsAccount, Clients, Role
from controlplane.adapters.aws.cloud import Aws

__all__ = ["Aws", "AwsAccount", "Clients", "Role"]
