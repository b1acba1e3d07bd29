"""`Cloud` on boto3, for AWS and for anything that speaks its API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from controlplane.adapters.aws import containers, metrics, objects, parameters, secrets
from controlplane.adapters.aws.clients import AwsAccount, Clients, Role
from controlplane.adapters.aws.errors import calling
from controlplane.adapters.aws.rds import backups, bluegreen, databases, snapshots
from controlplane.domain.migration.evidence import Redeployment
from controlplane.ports import (
    ArchivePlace,
    BackupWindow,
    BlueGreen,
    DatabaseInstance,
    Export,
    SecretRef,
    Snapshot,
)

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_resourcegroupstaggingapi import ResourceGroupsTaggingAPIClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_sts import STSClient

TAGS_PAGE = 100


class Aws:
    """One cell's AWS. Changes and secrets go under the data role, looks at the fleet under the plan role."""

    def __init__(self, account: AwsAccount, clients: Clients | None = None) -> None:
        self.account = account
        self.clients = clients or Clients(account)

    def acting_for(self, operation: str) -> Aws:
        """The same AWS with the operation's id as session name."""
        return Aws(self.account, self.clients.acting_for(operation))

    @property
    def _secrets(self) -> SecretsManagerClient:
        return self.clients.get("secretsmanager")  # type: ignore[no-any-return]

    @property
    def _parameters(self) -> SSMClient:
        return self.clients.get("ssm")  # type: ignore[no-any-return]

    def _rds(self, role: Role = Role.DATA) -> RDSClient:
        return self.clients.get("rds", role)  # type: ignore[no-any-return]

    def identity(self) -> Mapping[str, str]:
        client: STSClient = self.clients.get("sts")
        with calling("asking AWS who we are", "sts"):
            answer = client.get_caller_identity()
        return {"account": answer["Account"], "arn": answer["Arn"], "region": self.account.region}

    def ensure_secret(self, name: str, value: str, tags: Mapping[str, str], token: str) -> SecretRef:
        return secrets.ensure(self._secrets, name, value, tags, token)

    def read_secret(self, name: str) -> str:
        return secrets.read(self._secrets, name)

    def write_secret(self, name: str, value: str, token: str) -> None:
        secrets.write(self._secrets, name, value, token)

    def secret_exists(self, name: str) -> bool:
        return secrets.exists(self._secrets, name)

    def delete_secret(self, name: str) -> None:
        secrets.delete(self._secrets, name)

    def write_parameter(self, name: str, value: str) -> None:
        parameters.write(self._parameters, name, value)

    def read_parameter(self, name: str) -> str | None:
        return parameters.read(self._parameters, name)

    def keep_object(self, bucket: str, key: str, file: str, sha256: str) -> None:
        objects.keep(self.clients.get(objects.SERVICE), bucket, key, file, sha256)

    def object_digest(self, bucket: str, key: str) -> str | None:
        return objects.digest(self.clients.get(objects.SERVICE), bucket, key)

    def database(self, identifier: str) -> DatabaseInstance | None:
        return databases.get(self._rds(Role.PLAN), identifier)

    def databases(self) -> Sequence[DatabaseInstance]:
        return databases.all_of_them(self._rds(Role.PLAN))

    def create_snapshot(self, identifier: str, database: str, tags: Mapping[str, str]) -> Snapshot:
        return snapshots.create(self._rds(), identifier, database, tags)

    def copy_snapshot(self, source: str, identifier: str, kms_key: str, tags: Mapping[str, str]) -> Snapshot:
        return snapshots.copy(self._rds(), source, identifier, kms_key, tags)

    def snapshot(self, identifier: str) -> Snapshot | None:
        return snapshots.get(self._rds(Role.PLAN), identifier)

    def snapshots(self, database: str | None = None) -> Sequence[Snapshot]:
        return snapshots.all_of_them(self._rds(Role.PLAN), database)

    def delete_snapshot(self, identifier: str) -> None:
        snapshots.delete(self._rds(), identifier)

    def export_snapshot(self, identifier: str, snapshot_arn: str, prefix: str, to: ArchivePlace) -> Export:
        return snapshots.export(self._rds(), identifier, snapshot_arn, prefix, to)

    def exports(self, snapshot_arn: str) -> Sequence[Export]:
        return snapshots.exports(self._rds(Role.PLAN), snapshot_arn)

    def backup_window(self, resource_id: str) -> BackupWindow | None:
        return backups.window(self._rds(Role.PLAN), resource_id)

    def start_database(self, identifier: str) -> None:
        databases.start(self._rds(), identifier)

    def stop_database(self, identifier: str) -> None:
        databases.stop(self._rds(), identifier)

    def begin_blue_green(
        self, name: str, database: str, instance_class: str, tags: Mapping[str, str]
    ) -> BlueGreen:
        return bluegreen.begin(self._rds(), name, database, instance_class, tags)

    def blue_green(self, name: str) -> BlueGreen | None:
        return bluegreen.find(self._rds(), name)

    def switch_over(self, name: str, seconds: int) -> None:
        bluegreen.switch_over(self._rds(), name, seconds)

    def end_blue_green(self, name: str) -> None:
        bluegreen.end(self._rds(), name)

    def delete_database(self, identifier: str) -> None:
        databases.delete(self._rds(), identifier)

    def redeploy(self, cluster: str, service: str) -> Redeployment:
        return containers.redeploy(self.clients.get(containers.SERVICE), cluster, service)

    def peak_connections(self, identifier: str, days: int) -> int | None:
        client: CloudWatchClient = self.clients.get("cloudwatch", Role.PLAN)
        found = metrics.peak(client, identifier, "DatabaseConnections", days)
        return None if found is None else round(found)

    def orderable_classes(self, engine_version: str) -> frozenset[str]:
        return databases.orderable_classes(self._rds(Role.PLAN), engine_version)

    def tagged_resources(self, tags: Mapping[str, str]) -> Sequence[str]:
        client: ResourceGroupsTaggingAPIClient = self.clients.get("resourcegroupstaggingapi", Role.PLAN)
        filters = [{"Key": key, "Values": [value]} for key, value in sorted(tags.items())]
        with calling("searching resources by tag", "resourcegroupstaggingapi"):
            pages = client.get_paginator("get_resources").paginate(
                TagFilters=filters,  # type: ignore[arg-type]
                PaginationConfig={"PageSize": TAGS_PAGE},
            )
            return [one["ResourceARN"] for page in pages for one in page["ResourceTagMappingList"]]
