"""Which columns a view shows; read by the quick way and by the long one, so that both answer the same."""

from __future__ import annotations

TENANT = (
    "slug",
    "uid",
    "display_name",
    "stage",
    "size",
    "region",
    "cell",
    "environment",
    "blueprint",
    "storage_gb",
    "locations",
    "users",
    "paying",
    "sla",
    "sensitive",
    "cost_tier",
    "monthly_usd",
    "phase",
    "phase_reason",
    "unverified",
    "migration_state",
    "endpoint",
    "port",
    "epoch",
    "generation",
    "observed_generation",
    "template_version",
    "revision",
    "spec_commit",
    "created_at",
    "updated_at",
    "ready_at",
    "torn_down_at",
    "expires_at",
)

SLOT = ("epoch", "identifier", "size", "storage_gb", "multi_az", "backup_days", "status", "final_snapshot")
