"""Answers of RDS that moto lacks or gives differently."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.rds.exceptions import DBParameterGroupNotFoundError
from moto.rds.responses import RDSResponse

from controlplane.sandbox.aws import facts
from controlplane.sandbox.aws.instance import PARAMETERS

_PARAMETER_GROUP_QUOTA = 50
_SUBNET_GROUP_QUOTA = 50


class RdsAnswers(RDSResponse):  # type: ignore[misc]
    # --- catalogues ---------------------------------------------------------------------------------

    def describe_orderable_db_instance_options(self) -> ActionResult:
        """moto knows no PostgreSQL here: it answers without rows."""
        if self.params.get("Engine") != facts.ENGINE:
            return super().describe_orderable_db_instance_options()
        rows = facts.orderable(self.params.get("EngineVersion"), self.params.get("DBInstanceClass"))
        return self._page("OrderableDBInstanceOptions", rows)

    def describe_db_engine_versions(self) -> ActionResult:
        """moto has no such action."""
        asked = self.params
        if asked.get("Engine") not in (None, facts.ENGINE):
            return self._page("DBEngineVersions", [])
        rows = [facts.engine_version(version) for version in _versions(asked)]
        family = asked.get("DBParameterGroupFamily")
        rows = [row for row in rows if not family or row["DBParameterGroupFamily"] == family]
        return self._page("DBEngineVersions", rows)

    def describe_account_attributes(self) -> ActionResult:
        """moto has no such action."""
        backend: Any = self.backend
        snapshots = [s for s in backend.database_snapshots.values() if s.snapshot_type == "manual"]
        options = backend.works.options
        stored = sum(int(db.allocated_storage) for db in backend.databases.values())
        quotas = (
            ("DBInstances", len(backend.databases), options.instance_quota),
            ("ManualSnapshots", len(snapshots), options.snapshot_quota),
            ("DBParameterGroups", len(backend.db_parameter_groups), _PARAMETER_GROUP_QUOTA),
            ("DBSubnetGroups", len(backend.subnet_groups), _SUBNET_GROUP_QUOTA),
            ("AllocatedStorage", stored, 100_000),
        )
        rows = [{"AccountQuotaName": name, "Used": used, "Max": most} for name, used, most in quotas]
        return ActionResult({"AccountQuotas": rows})

    def describe_pending_maintenance_actions(self) -> ActionResult:
        """moto has no such action. The sandbox never plans maintenance of its own."""
        return self._page("PendingMaintenanceActions", [])

    def describe_reserved_db_instances(self) -> ActionResult:
        """moto has no such action. Nobody reserves in a sandbox."""
        return self._page("ReservedDBInstances", [])

    # --- parameter groups ---------------------------------------------------------------------------

    def describe_db_parameters(self) -> ActionResult:
        """moto leaves out where a value comes from; the provider asks for `Source=user`."""
        name = self.params.get("DBParameterGroupName")
        if name not in self.backend.db_parameter_groups:
            raise DBParameterGroupNotFoundError(name)
        rows: list[dict[str, Any]] = []
        if self.params.get("Source") in (None, "user"):
            parameters = self.backend.db_parameter_groups[name].parameters
            rows = [_parameter(key, values) for key, values in parameters.items()]
        return self._page("Parameters", rows)

    def reset_db_parameter_group(self) -> ActionResult:
        """moto has no such action; the provider calls it when a parameter leaves the configuration."""
        name = self.params.get("DBParameterGroupName")
        if name not in self.backend.db_parameter_groups:
            raise DBParameterGroupNotFoundError(name)
        parameters = self.backend.db_parameter_groups[name].parameters
        names = [parameter["ParameterName"] for parameter in self.params.get("Parameters", [])]
        for key in list(parameters) if self.params.get("ResetAllParameters") else names:
            parameters.pop(key, None)
        self.backend.modify_db_parameter_group(name, [])
        return ActionResult({"DBParameterGroupName": name})

    def describe_blue_green_deployments(self) -> ActionResult:
        """moto fails when it is asked for pages."""
        wanted = {one["Name"]: one["Values"] for one in self.params.get("Filters", [])}
        identifier = self.params.get("BlueGreenDeploymentIdentifier")
        rows = self.backend.describe_blue_green_deployments(identifier, wanted)
        return self._page("BlueGreenDeployments", rows)

    # --- backups ------------------------------------------------------------------------------------

    def describe_db_snapshots(self) -> ActionResult:
        """moto gives them all at once; AWS gives pages."""
        return self._page("DBSnapshots", super().describe_db_snapshots()._result["DBSnapshots"])

    def describe_db_instance_automated_backups(self) -> ActionResult:
        wanted = {name: self.params.get(name) for name in ("DBInstanceIdentifier", "DbiResourceId")}
        rows = self.backend.automated_backup_rows(wanted)
        return self._page("DBInstanceAutomatedBackups", rows)

    def delete_db_instance_automated_backup(self) -> ActionResult:
        """moto has no such action."""
        row = self.backend.delete_automated_backup(
            self.params.get("DbiResourceId"), self.params.get("DBInstanceAutomatedBackupsArn")
        )
        return ActionResult({"DBInstanceAutomatedBackup": row})

    def _page(self, name: str, rows: list[Any]) -> ActionResult:
        """moto's own pages need a unique attribute, which these rows lack; the marker is a place here."""
        begin = int(self.params.get("Marker") or 0)
        end = begin + int(self.params.get("MaxRecords") or 100)
        marker = str(end) if end < len(rows) else None
        return ActionResult({name: rows[begin:end], "Marker": marker})


def _versions(asked: Any) -> list[str]:
    version = asked.get("EngineVersion")
    if asked.get("DefaultOnly"):
        return [facts.resolve_version(version) or ""] if facts.resolve_version(version) else []
    if version and version.isdigit():
        return list(facts.ENGINE_VERSIONS.get(int(version), ()))
    return [known for known in facts.versions() if not version or known == version]


def _parameter(name: str, values: dict[str, Any]) -> dict[str, Any]:
    static = PARAMETERS.get(name, values.get("ApplyMethod") == "pending-reboot")
    return {
        "ParameterName": name,
        "Source": "user",
        "IsModifiable": True,
        "ApplyType": "static" if static else "dynamic",
        **values,
    }
