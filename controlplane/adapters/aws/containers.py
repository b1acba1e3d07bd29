"""ECS services: their tasks begin anew, and read at their start what changed since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from controlplane.adapters.aws.errors import calling, is_code
from controlplane.domain.migration.evidence import Redeployment

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient

SERVICE = "ecs"
_GONE = ("ClusterNotFound", "ServiceNotFound", "ServiceNotActive")
_OURS_TO_START = "ECS"  # the deployments of another controller are begun by that one alone


def redeploy(client: ECSClient, cluster: str, service: str) -> Redeployment:
    nothing = Redeployment(False, f"there is no service {service} in the cluster {cluster}")
    with calling(f"redeploying {service} in {cluster}", SERVICE):
        try:
            found = client.describe_services(cluster=cluster, services=[service])["services"]
            if not found or found[0]["status"] != "ACTIVE":
                return nothing
            controller = found[0].get("deploymentController", {}).get("type", _OURS_TO_START)
            if controller != _OURS_TO_START:
                return Redeployment(False, f"deployments of {service} are begun by {controller} alone")
            made = client.update_service(cluster=cluster, service=service, forceNewDeployment=True)
        except ClientError as error:
            if is_code(error, *_GONE):
                return nothing
            raise
    newest = next((one["id"] for one in made["service"]["deployments"] if one["status"] == "PRIMARY"), "")
    return Redeployment(True, f"{service} in {cluster}: deployment {newest}")
