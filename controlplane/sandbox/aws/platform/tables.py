"""Glue's databases, whose tags go with them."""

from __future__ import annotations

from typing import Any

from moto.glue.models import GlueBackend
from moto.glue.urls import url_paths

from controlplane.sandbox.aws.platform.routes import routes


class SandboxGlue(GlueBackend):  # type: ignore[misc]
    """moto goes on listing what was deleted, by its tags."""

    @property
    def url_paths(self) -> dict[str, Any]:
        return routes(url_paths)

    def delete_database(self, database_name: str) -> None:
        super().delete_database(database_name)
        for arn in [arn for arn in self.tagger.tags if arn.endswith(f":database/{database_name}")]:
            self.tagger.delete_all_tags_for_resource(arn)
