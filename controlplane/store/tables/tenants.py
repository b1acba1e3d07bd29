"""What is known of tenants, their databases and the platforms that they live on."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from controlplane.store.columns import Code, Money, document, moment, sequence


class Tenant(SQLModel, table=True):
    __table_args__ = (
        # One for every offered filter with every offered sort: no page of a listing is sorted.
        *(
            Index(f"tenant_{filtered}_{sort}", filtered, *dict.fromkeys((sort, "slug")))
            for filtered in ("stage", "size", "phase", "region")
            for sort in ("slug", "created_at", "monthly_usd")
        ),
        Index("tenant_created", "created_at", "slug"),
        Index("tenant_cost", "monthly_usd", "slug"),
    )

    uid: str = Field(primary_key=True)
    slug: str = Field(unique=True, sa_type=Code)
    display_name: str = ""
    stage: str
    size: str
    region: str
    cell: str
    blueprint: str
    environment: str
    storage_gb: int
    locations: int = 1
    users: int = 1
    paying: bool = False
    sla: bool = False
    sensitive: bool = False
    rightsizing_decision: str = ""
    generation: int = 1  # of the desired spec above
    observed_generation: int = 0
    phase: str
    phase_reason: str = ""
    unverified: bool = False
    migration_state: str = "none"
    epoch: int = 1  # whose slot the route points to
    endpoint: str = ""
    port: int = 0
    cost_tier: str
    monthly_usd: Decimal | None = Field(default=None, sa_type=Money)
    template_version: str = ""
    template_digest: str = ""  # of the template that its workspace is made from until it is rolled out
    revision: int = 1  # optimistic concurrency: the ETag
    spec_commit: str = ""  # on the base of reviews, whose tenant.yaml is the desired spec above
    created_at: datetime = moment(nullable=False)
    updated_at: datetime = moment(nullable=False)
    ready_at: datetime | None = moment()
    torn_down_at: datetime | None = moment()
    expires_at: datetime | None = moment()  # the end of a proof of concept that was made for a time


class TenantLabel(SQLModel, table=True):
    __tablename__ = "tenant_label"
    __table_args__ = (Index("tenant_label_key", "key", "value", "tenant_uid"),)

    tenant_uid: str = Field(primary_key=True, foreign_key="tenant.uid")
    key: str = Field(primary_key=True)
    value: str


class Slot(SQLModel, table=True):
    """One database of a tenant. Never renamed, never moved; its key in Terraform is e<epoch>."""

    tenant_uid: str = Field(primary_key=True, foreign_key="tenant.uid")
    epoch: int = Field(primary_key=True)
    identifier: str = Field(unique=True)
    size: str
    storage_gb: int
    multi_az: bool = False
    backup_days: int = 1
    protected: bool = True
    alarms: bool = True
    credential_version: int = 1
    credential_write: bool = False
    adopted: bool = False  # rendered without password arguments until rotated
    snapshot_identifier: str = ""  # restored from
    backup_source: str = ""  # restored from the backups of this resource id
    backup_time: str = ""
    resource_id: str = ""  # what AWS calls it, for ever
    kms_key_id: str = ""
    engine_version: str = ""
    stage: str = ""  # how it is kept; empty: as its tenant's stage says
    environment: str = ""  # whose platform it lives on; empty: its tenant's
    status: str = "wanted"  # wanted, present, retiring, gone
    final_snapshot: dict[str, Any] = document(dict)  # the teardown receipt
    created_at: datetime = moment(nullable=False)


class TenantEvent(SQLModel, table=True):
    """History: what changed, when, by whom, in which operation."""

    __tablename__ = "tenant_event"
    __table_args__ = (Index("tenant_event_tenant", "tenant_uid", "seq"),)

    seq: int | None = sequence()
    tenant_uid: str = Field(foreign_key="tenant.uid")
    at: datetime = moment(nullable=False)
    actor: str
    operation_id: str | None = None
    what: str
    before: dict[str, Any] = document(dict)
    after: dict[str, Any] = document(dict)


class Platform(SQLModel, table=True):
    __table_args__ = (UniqueConstraint("blueprint", "environment", "cell"),)

    workspace_id: str = Field(primary_key=True)
    blueprint: str
    environment: str
    cell: str
    region: str
    phase: str = "requested"
    outputs: dict[str, Any] = document(dict)
    outputs_version: int = 0
    template_version: str = ""
    options: dict[str, Any] = document(dict)
    updated_at: datetime = moment(nullable=False)


class ListenerRule(SQLModel, table=True):
    """A tenant's place among the rules of its platform's listener: no two tenants share one."""

    __tablename__ = "listener_rule"
    __table_args__ = (UniqueConstraint("tenant_uid", "platform_id"),)

    platform_id: str = Field(primary_key=True, foreign_key="platform.workspace_id")
    priority: int = Field(primary_key=True)
    tenant_uid: str = Field(foreign_key="tenant.uid")


class Template(SQLModel, table=True):
    """What workspaces of one version are made from, kept so that they can be rendered after an upgrade."""

    __table_args__ = (Index("template_blueprint", "blueprint", "version"),)

    digest: str = Field(primary_key=True)
    blueprint: str
    version: str
    modules: dict[str, str] = document(dict)
    files: dict[str, str] = document(dict)
    kept_at: datetime = moment(nullable=False)
