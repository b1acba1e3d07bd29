"""What a rendered workspace is made from: every decision stands here, made in Python, before Jinja runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from controlplane.domain.names import Slug, TenantUid, WorkspaceId
from controlplane.domain.tenant import Environment, Size, Stage


@dataclass(frozen=True)
class SlotSpec:
    """One database of a tenant, as it shall be."""

    epoch: int
    identifier: str
    size: Size
    storage_gb: int
    multi_az: bool
    backup_days: int
    protected: bool = True  # deletion protection; a slot leaves only after an apply without it
    alarms: bool = True
    credential_version: int = 1
    credential_write: bool = False  # open the ephemeral that reads the master secret
    adopted: bool = False  # no password arguments at all
    snapshot_identifier: str | None = None
    kms_key_id: str | None = None
    engine_version: str | None = None


@dataclass(frozen=True)
class Import:
    """An import block: adopt what exists in AWS under this address."""

    address: str
    id: str


@dataclass(frozen=True)
class TenantWorkspace:
    """Everything that the rendering of one tenant's workspace depends on."""

    workspace: WorkspaceId
    slug: Slug
    uid: TenantUid
    stage: Stage
    environment: Environment
    region: str
    cell: str
    blueprint: str
    cost_tier: str
    route_epoch: int
    slots: tuple[SlotSpec, ...]
    platform: Mapping[str, object]  # the platform's recorded outputs, rendered as literals
    labels: Mapping[str, str] = field(default_factory=dict)
    imports: tuple[Import, ...] = ()


@dataclass(frozen=True)
class PlatformWorkspace:
    """Everything that the rendering of one platform's workspace depends on."""

    workspace: WorkspaceId
    blueprint: str
    environment: Environment
    region: str
    cell: str
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Rendering:
    """Files by path relative to the workspace's folder, and one digest over all of them."""

    files: Mapping[str, str]
    digest: str
    template_version: str
