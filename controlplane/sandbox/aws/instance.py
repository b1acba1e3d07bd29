"""An emulated DB instance: moto's, with what the Terraform provider reads and moto forgets."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from moto.core.utils import utcnow
from moto.rds.models import DBInstance

from controlplane.sandbox.aws import facts
from controlplane.sandbox.clusters import Master
from controlplane.sandbox.postgres import Address

# moto takes these and forgets them; the provider reads them back and would plan a change for ever.
_KEPT: Mapping[str, Any] = {
    "engine_lifecycle_support": "open-source-rds-extended-support",
    "network_type": "IPV4",
    "performance_insights_enabled": False,
    "performance_insights_kms_key_id": None,
    "performance_insights_retention_period": None,
    "database_insights_mode": "standard",
    "customer_owned_ip_enabled": False,
    "backup_target": "region",
    "dedicated_log_volume": False,
    "storage_throughput": None,
}
# Members of the answer that have another name in a request.
_RENAMED = {
    "enable_performance_insights": "performance_insights_enabled",
    "db_port_number": "port",
    "enable_customer_owned_ip": "customer_owned_ip_enabled",
}
# What AWS does at once, whatever ApplyImmediately says, is everything but these.
DEFERRED = frozenset(
    {
        "allocated_storage",
        "db_instance_class",
        "db_port_number",
        "engine_version",
        "iops",
        "multi_az",
        "storage_throughput",
        "storage_type",
        "ca_certificate_identifier",
        "new_db_instance_identifier",
        "master_user_password",
    }
)
# How a deferred change is shown in PendingModifiedValues.
_SHOWN = {
    "allocated_storage": "AllocatedStorage",
    "db_instance_class": "DBInstanceClass",
    "db_port_number": "Port",
    "engine_version": "EngineVersion",
    "iops": "Iops",
    "multi_az": "MultiAZ",
    "storage_throughput": "StorageThroughput",
    "storage_type": "StorageType",
    "ca_certificate_identifier": "CACertificateIdentifier",
    "new_db_instance_identifier": "DBInstanceIdentifier",
    "master_user_password": "MasterUserPassword",
}
# Parameters of a group that reach the real PostgreSQL. True: only at its next start, as on RDS.
PARAMETERS = {
    "max_connections": True,
    "max_prepared_transactions": True,
    "max_replication_slots": True,
    "max_wal_senders": True,
    "max_logical_replication_workers": True,
    "max_worker_processes": True,
    "track_commit_timestamp": True,
    "rds.logical_replication": True,
    "idle_in_transaction_session_timeout": False,
    "idle_session_timeout": False,
    "statement_timeout": False,
    "lock_timeout": False,
    "log_min_duration_statement": False,
    "work_mem": False,
    "wal_sender_timeout": False,
    "wal_receiver_timeout": False,
    "max_slot_wal_keep_size": False,
}
NOBODY = "nobody"  # whose standby the old side of a switchover is
CONNECTIONS = 250  # no more are really allowed on this machine, whatever the class


class SandboxInstance(DBInstance):  # type: ignore[misc]
    """moto's instance with an identity of its own, pending values, and a real PostgreSQL's address."""

    follows = ""  # of a deployment's side that is only read: whose standby it is, by resource id

    def __init__(self, backend: Any, **kwargs: Any) -> None:
        self.place: Address | None = None
        self.parameter_apply_status = "in-sync"
        self.storage_changed_at: datetime | None = None
        self.born_at: datetime | None = None  # from then on its history can be replayed
        self.waiting: dict[str, Any] = {}  # changes that wait for the window, or are being made
        super().__init__(backend, **_kept_names(kwargs))
        # The provider takes the resource id for the instance's identity; moto gives all the same one.
        self.dbi_resource_id = new_resource_id()
        self.status = "creating"
        for name, value in _kept(kwargs).items():
            setattr(self, name, value)
        self.parameters_at_start = self.user_parameters()

    # --- what describe shows ------------------------------------------------------------------------

    @property
    def address(self) -> str:
        return self.place.host if self.place else ""

    @property
    def endpoint(self) -> dict[str, Any] | None:
        """None until it answers, as on AWS."""
        return (
            {"Address": self.place.host, "Port": self.place.port, "HostedZoneId": "Z0"}
            if self.place
            else None
        )

    @property
    def latest_restorable_time(self) -> datetime | None:
        return utcnow() if self.backup_retention_period else None

    @property
    def pending_modified_values(self) -> dict[str, Any]:
        shown = {_SHOWN[name]: value for name, value in self.waiting.items() if name in _SHOWN}
        if "MasterUserPassword" in shown:
            shown["MasterUserPassword"] = "****"
        return shown

    @property
    def db_parameter_group_status_list(self) -> list[dict[str, Any]]:
        return [
            {"DBParameterGroupName": group.name, "ParameterApplyStatus": self.parameter_apply_status}
            for group in self.db_parameter_groups()
        ]

    @property
    def certificate_details(self) -> dict[str, str]:
        return {"CAIdentifier": self.ca_certificate_identifier}

    def default_db_parameter_group_details(self) -> tuple[str, str]:
        """moto cuts the version at the wrong dot for two-part versions such as `16`."""
        family = f"postgres{facts.major(self.engine_version)}"
        return family, f"default.{family}"

    @property
    def option_group_memberships(self) -> list[dict[str, Any]]:
        """AWS names the default group by the major version alone."""
        name = self.option_group_name
        if name.startswith("default:"):
            name = f"default:postgres-{facts.major(self.engine_version)}"
        return [{"OptionGroupName": name, "Status": "in-sync"}]

    # --- changes ------------------------------------------------------------------------------------

    def update(self, **values: Any) -> None:
        renamed = _kept_names(values)
        password = renamed.pop("master_user_password", None)
        if password is not None:
            self._master_user_password = None  # it lives in PostgreSQL only
        super().update(**renamed)

    # --- the real PostgreSQL ------------------------------------------------------------------------

    @property
    def master(self) -> Master:
        return Master(self.master_username, self._master_user_password, self.db_name)

    def user_parameters(self) -> dict[str, str]:
        """What the parameter group sets and the sandbox's PostgreSQL understands."""
        found = {}
        for group in self.db_parameter_groups():
            for name, parameter in group.parameters.items():
                value = str(parameter.get("ParameterValue", ""))
                if name in PARAMETERS and value and "{" not in value:  # a formula is AWS's arithmetic
                    found[name] = value
        return found

    @property
    def wants_logical_replication(self) -> bool:
        return self.parameters_at_start.get("rds.logical_replication") == "1"

    def server_settings(self, instance_class: str = "") -> dict[str, str]:
        """PostgreSQL's settings for its next start, of another class when it is being changed to that."""
        settings = dict(self.parameters_at_start)
        logical = settings.pop("rds.logical_replication", "0") == "1"
        limit = int(
            settings.get("max_connections")
            or facts.connection_limit(instance_class or self.db_instance_class)
        )
        settings["max_connections"] = str(min(limit, CONNECTIONS))
        if logical:
            settings["wal_level"] = "logical"
        return settings

    def follow_parameters(self) -> None:
        """A changed group: static parameters wait for a reboot, and the status says so."""
        wanted = self.user_parameters()
        changed = {
            n for n in wanted | self.parameters_at_start if wanted.get(n) != self.parameters_at_start.get(n)
        }
        if any(PARAMETERS[name] for name in changed):
            self.parameter_apply_status = "pending-reboot"


def new_resource_id() -> str:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    return "db-" + "".join(secrets.choice(letters) for _ in range(26))


def _kept_names(values: Mapping[str, Any]) -> dict[str, Any]:
    return {_RENAMED.get(name, name): values[name] for name in values}


def _kept(values: Mapping[str, Any]) -> dict[str, Any]:
    given = _kept_names(values)
    kept = {name: given[name] if given.get(name) is not None else default for name, default in _KEPT.items()}
    if kept["performance_insights_enabled"] and not kept["performance_insights_retention_period"]:
        kept["performance_insights_retention_period"] = 7
    return kept
