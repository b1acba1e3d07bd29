"""AWS Backup with its selections: what a plan saves."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

from moto.backup.exceptions import (
    AlreadyExistsException,
    InvalidRequestException,
    ResourceNotFoundException,
)
from moto.backup.models import BackupBackend, Plan
from moto.backup.responses import BackupResponse
from moto.backup.urls import url_paths
from moto.core.resource_tagging import TaggedResource

from controlplane.sandbox.aws.platform.routes import routes

_SELECTIONS = "/backup/plans/<plan>/selections"


class SandboxBackup(BackupBackend):  # type: ignore[misc]
    """moto has no selections, changes no plan, and keeps deleted ones with their names."""

    @property
    def url_paths(self) -> dict[str, Any]:
        more = (_SELECTIONS, f"{_SELECTIONS}/<selection>")
        return routes(url_paths, BackupAnswers.dispatch, *more)

    def selections(self, plan: str) -> dict[str, dict[str, Any]]:
        self.get_backup_plan(plan, None)
        every: dict[str, dict[str, dict[str, Any]]] = self.__dict__.setdefault("selections_of", {})
        return every.setdefault(plan, {})

    def update_backup_plan(self, plan: str, wanted: dict[str, Any]) -> Plan:
        """The plan of that id, in a new version."""
        known = self.get_backup_plan(plan, None)
        fresh = Plan(wanted, known.creator_request_id, self)
        fresh.backup_plan_id, fresh.backup_plan_arn = known.backup_plan_id, known.backup_plan_arn
        self.plans[plan] = fresh
        return fresh

    def delete_backup_plan(self, backup_plan_id: str) -> tuple[str, str, float, str]:
        if self.selections(backup_plan_id):
            raise InvalidRequestException("Related backup plan selections must be deleted prior to the plan")
        told: tuple[str, str, float, str] = super().delete_backup_plan(backup_plan_id)
        del self.plans[backup_plan_id]
        return told

    def iter_tagged_resources(self) -> Iterator[TaggedResource]:
        yield from super().iter_tagged_resources()
        for plan in self.plans.values():
            arn = plan.backup_plan_arn
            tags = self.tagger.get_tag_dict_for_resource(arn)
            yield TaggedResource(arn=arn, tags=tags, resource_type="backup:backup-plan")


class BackupAnswers(BackupResponse):  # type: ignore[misc]
    def update_backup_plan(self) -> str:
        plan = self.backup_backend.update_backup_plan(self._of_path()[0], json.loads(self.body)["BackupPlan"])
        return json.dumps(plan.to_dict())

    def list_tags(self) -> str:
        """moto wants a stroke at the end, which not everybody sends."""
        arn = unquote(self.path.partition("/tags/")[2]).rstrip("/")
        return json.dumps({"Tags": self.backup_backend.list_tags(resource_arn=arn)})

    def create_backup_selection(self) -> str:
        plan, asked = self._of_path()[0], json.loads(self.body)
        selection, selections = asked["BackupSelection"], self.backup_backend.selections(plan)
        if selection["SelectionName"] in (
            one["BackupSelection"]["SelectionName"] for one in selections.values()
        ):
            raise AlreadyExistsException("Backup selection with the same name already exists")
        row = {
            "SelectionId": str(uuid4()),
            "BackupPlanId": plan,
            "CreationDate": time.time(),
            "CreatorRequestId": asked.get("CreatorRequestId"),
            "BackupSelection": selection,
        }
        selections[row["SelectionId"]] = row
        return json.dumps({key: row[key] for key in ("SelectionId", "BackupPlanId", "CreationDate")})

    def get_backup_selection(self) -> str:
        plan, selection = self._of_path()
        return json.dumps(self._found(plan, selection))

    def list_backup_selections(self) -> str:
        rows = self.backup_backend.selections(self._of_path()[0]).values()
        told = [
            {key: row[key] for key in ("SelectionId", "BackupPlanId", "CreationDate")}
            | {key: row["BackupSelection"][key] for key in ("SelectionName", "IamRoleArn")}
            for row in rows
        ]
        return json.dumps({"BackupSelectionsList": told})

    def delete_backup_selection(self) -> str:
        plan, selection = self._of_path()
        self._found(plan, selection)
        del self.backup_backend.selections(plan)[selection]
        return ""

    def _of_path(self) -> list[str]:
        """The plan, and the selection where one is named."""
        plan, *selection = [part for part in self.path.split("/plans/")[-1].split("/") if part]
        return [plan, *selection[1:]]

    def _found(self, plan: str, selection: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self.backup_backend.selections(plan)[selection]
        except KeyError:
            raise ResourceNotFoundException("Backup selection does not exist") from None
        return found
