"""What the product needs from the outside, as Protocols, and the one value that holds them.

Operations and steps see these only. `wiring` puts real adapters behind them, tests put fakes; the same
promises (tests/contract) run against both. Values that cross a port are small, frozen and JSON-friendly.
"""

from __future__ import annotations

from dataclasses import dataclass

from controlplane.ports.aws import (
    ArchivePlace,
    BackupWindow,
    BlueGreen,
    Cloud,
    DatabaseInstance,
    Export,
    SecretRef,
    Snapshot,
)
from controlplane.ports.fleet import (
    AlarmMessage,
    AlarmSource,
    FleetSource,
    Measurement,
    MetricQuery,
    MetricSource,
    QuotaFigure,
    QuotaSource,
    TopicSource,
)
from controlplane.ports.keys import DataKey, Keyring
from controlplane.ports.money import BillSource, PriceSource
from controlplane.ports.postgres import Database, Login, Migration, Probe, SchemaExport, Schemas, SchemaState
from controlplane.ports.terraform import (
    PlanFound,
    PlanSource,
    PlanWanted,
    PublicState,
    RunLine,
    Runner,
    RunOrder,
    RunReport,
    RunStatus,
    RunVerb,
    StateBucket,
)
from controlplane.ports.web import Web

__all__ = [
    "AlarmMessage",
    "AlarmSource",
    "ArchivePlace",
    "BackupWindow",
    "BillSource",
    "BlueGreen",
    "Cloud",
    "DataKey",
    "Database",
    "DatabaseInstance",
    "Export",
    "FleetSource",
    "Keyring",
    "Login",
    "Measurement",
    "MetricQuery",
    "MetricSource",
    "Migration",
    "PlanFound",
    "PlanSource",
    "PlanWanted",
    "Ports",
    "PriceSource",
    "Probe",
    "PublicState",
    "QuotaFigure",
    "QuotaSource",
    "RunLine",
    "RunOrder",
    "RunReport",
    "RunStatus",
    "RunVerb",
    "Runner",
    "SchemaExport",
    "SchemaState",
    "Schemas",
    "SecretRef",
    "Snapshot",
    "StateBucket",
    "TopicSource",
    "Web",
]


@dataclass(frozen=True)
class Ports:
    """Everything outside, in one value: `wiring` fills it with adapters, a test with fakes."""

    runner: Runner
    cloud: Cloud
    database: Database
    keyring: Keyring
    migration: Migration
    web: Web
    schemas: Schemas
