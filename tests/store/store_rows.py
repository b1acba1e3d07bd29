"""Rows that tests begin with; what a test is about it says itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain.tenant import Phase
from controlplane.store import tenants
from controlplane.store.tables import Tenant

NOW = datetime(2025, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def tenant(number: int = 1, **columns: Any) -> Tenant:
    at = NOW + timedelta(seconds=number)
    return Tenant(
        **{
            "uid": f"u{number:07}",
            "slug": f"tenant-{number:05}",
            "stage": "poc",
            "size": "micro",
            "region": "us-east-1",
            "cell": "default",
            "blueprint": "fargate_db_per_tenant",
            "environment": "development",
            "storage_gb": 20,
            "phase": "requested",
            "cost_tier": "poc-micro",
            "created_at": at,
            "updated_at": at,
            **columns,
        }
    )


def add_tenant(session: Session, number: int = 1, labels: Any = None, **columns: Any) -> Tenant:
    return tenants.insert(session, tenant(number, **columns), labels or {}, actor="ann")


def in_phase(session: Session, phase: Phase, number: int = 1) -> Tenant:
    return add_tenant(session, number, phase=phase.value)
