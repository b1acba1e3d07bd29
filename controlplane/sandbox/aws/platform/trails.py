"""CloudTrail's trails, which go by their ARN too."""

from __future__ import annotations

from typing import Any

from moto.cloudtrail.models import CloudTrailBackend
from moto.cloudtrail.urls import url_paths

from controlplane.sandbox.aws.platform.routes import routes


class SandboxCloudTrail(CloudTrailBackend):  # type: ignore[misc]
    """moto passes over the end of a trail that is not named by its name."""

    @property
    def url_paths(self) -> dict[str, Any]:
        return routes(url_paths)

    def delete_trail(self, name: str) -> None:
        super().delete_trail(name.rpartition(":trail/")[2])
