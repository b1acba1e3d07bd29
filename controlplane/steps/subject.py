"""What an operation is about, read together: its row, its tenant with slots, its platform."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from controlplane.catalog import Catalog
from controlplane.domain.desired import wanted_of_tenant, wanted_slots
from controlplane.domain.errors import Conflict
from controlplane.domain.names import Slug, TenantUid
from controlplane.domain.operation import Kind
from controlplane.domain.tenant import Environment, Size, Stage
from controlplane.domain.workspace import Import, PlatformWorkspace, SlotSpec, Template, TenantWorkspace
from controlplane.steps.templates import kept
from controlplane.steps.world import world
from controlplane.store import operations, platforms, slots, tenants
from controlplane.store.tables import Operation, Platform, Slot, Tenant
from controlplane.store.tenants import rules

_PLATFORM = ("blueprint", "environment", "region", "cell", "options")


@dataclass(frozen=True)
class Subject:
    operation: Operation
    platform: Platform | None
    tenant: Tenant | None = None
    slots: tuple[SlotSpec, ...] = ()
    labels: dict[str, str] | None = None
    beside: tuple[SlotSpec, ...] = ()  # kept by a migration; Terraform knows nothing of them
    there: frozenset[int] = frozenset()  # epochs whose slot an apply has begun to make
    homes: Mapping[Environment, Mapping[str, Any]] = field(default_factory=dict)  # every platform's outputs
    priorities: Mapping[Environment, int] = field(default_factory=dict)  # of its rules on their listeners

    @property
    def kind(self) -> Kind:
        return Kind(self.operation.kind)

    @property
    def payload(self) -> dict[str, Any]:
        return self.operation.payload

    def the_tenant(self) -> Tenant:
        if self.tenant is None:
            raise Conflict(f"operation {self.operation.id} is not about a tenant")
        return self.tenant

    @property
    def is_schema(self) -> bool:
        """Whether the tenant is a schema of its platform's database, and has none of its own."""
        blueprint = world().catalog.blueprints.get(self.tenant.blueprint) if self.tenant else None
        return blueprint is not None and blueprint.is_shared

    def the_platform(self) -> Platform:
        """On which the tenant lives."""
        if self.platform is None or not self.platform.outputs:
            tenant = self.the_tenant()
            raise Conflict(
                f"{tenant.slug}: the platform {tenant.blueprint} is not there in {tenant.environment}",
                hint=f"controlplane blueprint apply {tenant.blueprint} --environment {tenant.environment}",
            )
        return self.platform

    def route_slot(self) -> SlotSpec:
        """The slot that the tenant's route points to."""
        epoch = self.the_tenant().epoch
        return next(s for s in self.slots if s.epoch == epoch)

    def wanted(self) -> tuple[SlotSpec, ...]:
        payload = {**self.payload, "round": self.operation.round}
        return wanted_slots(self.kind, payload, self.slots, self.the_tenant().epoch)

    def becomes(self) -> dict[str, Any]:
        """What the tenant is to be when all is done: by this its plan is judged."""
        if "after" in self.payload:
            return dict(self.payload["after"])
        return self.wanted_of_tenant()

    def wanted_of_tenant(self) -> dict[str, Any]:
        tenant = self.the_tenant()
        return wanted_of_tenant(self.kind, self.payload, self.slots, tenant.epoch, Stage(tenant.stage))


def load(operation_id: str) -> Subject:
    with world().db.read() as session:
        return read(session, operation_id)


def read(session: Session, operation_id: str) -> Subject:
    operation = operations.get(session, operation_id)
    if operation.tenant_uid is None:
        return Subject(operation, platforms.by_workspace(session, operation.workspace_id))
    tenant = tenants.by_uid(session, operation.tenant_uid)
    every, homes = slots.every(session, tenant.uid), _homes(session, tenant)
    return Subject(
        operation,
        next((home for home in homes if home.environment == tenant.environment), None),
        tenant,
        tuple(slot_spec(row) for row in every if slots.is_present(row)),
        tenants.labels(session, tenant.uid),
        tuple(slot_spec(row) for row in every if slots.is_beside(row)),
        frozenset(row.epoch for row in every if row.status == "present"),
        {Environment(home.environment): home.outputs for home in homes if home.region == tenant.region},
        rules.of_tenant(session, tenant.uid),
    )


def template(session: Session, found: Subject, catalog: Catalog) -> Template | None:
    """A rollout's is that which it moves to; everybody else's, that which the tenant is pinned to. Asked for
    where it is needed: a template that is lost keeps nobody from lifting a fence."""
    tenant, moves = found.the_tenant(), found.kind is Kind.ROLLOUT
    digest = found.payload["template"] if moves else tenant.template_digest
    return kept.by_digest(session, catalog, tenant.blueprint, digest)


def _homes(session: Session, tenant: Tenant) -> list[Platform]:
    """The platforms of its blueprint in its cell: on those in its region a slot of it may live."""
    of_tenant = tenant.blueprint, tenant.cell
    return [row for row in platforms.every(session) if (row.blueprint, row.cell) == of_tenant]


def slot_spec(row: Slot) -> SlotSpec:
    return SlotSpec(
        epoch=row.epoch,
        identifier=row.identifier,
        size=Size(row.size),
        storage_gb=row.storage_gb,
        multi_az=row.multi_az,
        backup_days=row.backup_days,
        protected=row.protected,
        alarms=row.alarms,
        credential_version=row.credential_version,
        credential_write=row.credential_write,
        adopted=row.adopted,
        snapshot_identifier=row.snapshot_identifier or None,
        backup_source=row.backup_source or None,
        backup_time=row.backup_time or None,
        kms_key_id=row.kms_key_id or None,
        engine_version=row.engine_version or None,
        stage=Stage(row.stage) if row.stage else None,
        environment=Environment(row.environment) if row.environment else None,
    )


def tenant_workspace(
    subject: Subject, wanted: tuple[SlotSpec, ...], template: Template | None
) -> TenantWorkspace:
    """The input of the rendering, from what is recorded and what the operation wants."""
    tenant = subject.the_tenant()
    platform = subject.the_platform()
    return TenantWorkspace(
        workspace=operations_workspace(subject),
        slug=Slug(tenant.slug),
        uid=TenantUid(tenant.uid),
        stage=Stage(tenant.stage),
        environment=Environment(tenant.environment),
        region=tenant.region,
        cell=tenant.cell,
        blueprint=tenant.blueprint,
        route_epoch=tenant.epoch,
        slots=wanted,
        platform=platform.outputs,
        homes=subject.homes,
        labels=subject.labels or {},
        imports=tuple(Import(address, id_) for address, id_ in subject.operation.imports),
        template=template,
        priorities=subject.priorities,
    )


def operations_workspace(subject: Subject) -> Any:
    return subject.operation.workspace_id


def platform_workspace(subject: Subject) -> PlatformWorkspace:
    """Of an operation on a platform, as it asks for it; of one on a tenant, as its platform stands."""
    payload, workspace = subject.payload, operations_workspace(subject)
    if subject.tenant is not None:
        row = subject.the_platform()
        payload, workspace = {name: getattr(row, name) for name in _PLATFORM}, row.workspace_id
    return PlatformWorkspace(
        workspace=workspace,
        blueprint=payload["blueprint"],
        environment=Environment(payload["environment"]),
        region=payload["region"],
        cell=payload["cell"],
        options=payload.get("options", {}),
        credential_write=not (subject.platform and subject.platform.outputs),
    )
