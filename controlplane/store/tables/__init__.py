"""All tables. One metadata, created only by migrations; queries live in the file of their noun."""

from __future__ import annotations

from controlplane.store.tables.guard import AuditEntry, IdempotencyKey, PolicyOverride, Token, User, Window
from controlplane.store.tables.operations import (
    HOLDING,
    Approval,
    Operation,
    OperationEvent,
    Plan,
    Wave,
    WaveItem,
)
from controlplane.store.tables.runs import Artifact, Run, RunLine, StateLock, StateVersion, WorkerLease
from controlplane.store.tables.tenants import (
    ListenerRule,
    Platform,
    Slot,
    Template,
    Tenant,
    TenantEvent,
    TenantLabel,
)

__all__ = [
    "HOLDING",
    "Approval",
    "Artifact",
    "AuditEntry",
    "IdempotencyKey",
    "ListenerRule",
    "Operation",
    "OperationEvent",
    "Plan",
    "Platform",
    "PolicyOverride",
    "Run",
    "RunLine",
    "Slot",
    "StateLock",
    "StateVersion",
    "Template",
    "Tenant",
    "TenantEvent",
    "TenantLabel",
    "Token",
    "User",
    "Wave",
    "WaveItem",
    "Window",
    "WorkerLease",
]
