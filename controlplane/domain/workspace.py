"""What a rendered workspace is made from: every decision stands here, made in Python, before Jinja runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from controlplane.domain.names import Slug, TenantUid, WorkspaceId, slot_key
from controlplane.domain.tenant import Environment, Size, Stage, cost_tier

MASTER_USERNAME = "cp_master"
DATABASE_NAME = "app"


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
    backup_source: str | None = None  # whose automated backups it is restored from, by DbiResourceId
    backup_time: str | None = None  # as of when; None: the latest that can be reached
    kms_key_id: str | None = None
    engine_version: str | None = None
    stage: Stage | None = None  # how it is kept; None: as its tenant's stage says
    environment: Environment | None = None  # whose platform it lives on; None: its tenant's


@dataclass(frozen=True)
class Import:
    """An import block: adopt what exists in AWS under this address."""

    address: str
    id: str


@dataclass(frozen=True, eq=False)
class Template:
    """What all tenants' workspaces of one version are made from: the files that are the same for them."""

    blueprint: str
    version: str
    modules: Mapping[str, str]  # their versions by name
    files: Mapping[str, str]
    digests: Mapping[str, str]  # of the files
    digest: str  # of the whole: one version has one, unless somebody changed it without saying so


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
    route_epoch: int
    slots: tuple[SlotSpec, ...]
    platform: Mapping[str, object]  # the platform's recorded outputs, rendered as literals
    homes: Mapping[Environment, Mapping[str, object]] = field(default_factory=dict)  # of slots elsewhere
    labels: Mapping[str, str] = field(default_factory=dict)
    imports: tuple[Import, ...] = ()
    template: Template | None = None  # that it is pinned to; None: the one of this release
    # Places of its rules on its platforms' listeners; a drill's copy has none, since nobody is to reach it.
    priorities: Mapping[Environment, int] = field(default_factory=dict)

    def stage_of(self, slot: SlotSpec) -> Stage:
        return slot.stage or self.stage

    def home_of(self, slot: SlotSpec) -> Mapping[str, object]:
        """The outputs of the platform that the slot lives on; empty: they are not known."""
        return self.outputs_in(slot.environment or self.environment)

    def outputs_in(self, environment: Environment) -> Mapping[str, object]:
        return self.platform if environment == self.environment else self.homes.get(environment, {})

    @property
    def environments(self) -> set[Environment]:
        """Those on whose platforms a database of the tenant lies: two, while it moves."""
        return {slot.environment or self.environment for slot in self.slots}


@dataclass(frozen=True)
class PlatformWorkspace:
    """Everything that the rendering of one platform's workspace depends on."""

    workspace: WorkspaceId
    blueprint: str
    environment: Environment
    region: str
    cell: str
    options: Mapping[str, object] = field(default_factory=dict)
    credential_write: bool = False  # open the ephemeral that reads the shared database's master secret
    imports: tuple[Import, ...] = ()


@dataclass(frozen=True)
class StateHome:
    """The bucket in which plain Terraform finds every workspace's state, where it is not our http backend."""

    bucket: str
    prefix: str  # without a slash at either end; may be empty
    region: str
    path_style: bool = False  # the bucket's name stands in the path, as emulators want it

    def key(self, workspace: str) -> str:
        return "/".join(part for part in (self.prefix, workspace, "terraform.tfstate") if part)


@dataclass(frozen=True)
class Rendering:
    """Files by path relative to the workspace's folder, and one digest over all of them."""

    files: Mapping[str, str]
    digest: str
    template_version: str


def tenant_tags(slug: Slug, uid: TenantUid, blueprint: str) -> dict[str, str]:
    """What everything of a tenant carries in AWS, as long as it lives."""
    return {"tenant": slug, "uid": uid, "blueprint": blueprint, "managed-by": "controlplane"}


def slot_tags(epoch: int, stage: Stage, size: Size) -> dict[str, str]:
    """What a slot's things carry besides: while a tenant moves, each of its databases is of another stage."""
    return {"epoch": str(epoch), "stage": stage.value, "cost-tier": cost_tier(stage, size)}


def slot_changes_refused(before: Sequence[SlotSpec], after: Sequence[SlotSpec]) -> list[str]:
    """Changes that Terraform would pass over in silence or carry out wrongly; each as a reason."""
    was = {slot.epoch: slot for slot in before}
    stays = {slot.epoch for slot in after}
    refused = [
        f"slot {slot_key(slot.epoch)} is still protected: an apply without protection and alarms comes first"
        for slot in before
        if slot.epoch not in stays and slot.protected
    ]
    for slot in after:
        refused += _born_refused(slot) if slot.epoch not in was else _change_refused(was[slot.epoch], slot)
    return refused


def _born_refused(slot: SlotSpec) -> list[str]:
    if slot.adopted or slot.credential_write:
        return []
    return [f"slot {slot_key(slot.epoch)} is new: it needs its credential gate open to get a password"]


def _change_refused(was: SlotSpec, slot: SlotSpec) -> list[str]:
    key = slot_key(slot.epoch)
    checks = (
        (slot.identifier != was.identifier, "cannot be renamed"),
        (slot.storage_gb < was.storage_gb, f"cannot shrink from {was.storage_gb} to {slot.storage_gb} GB"),
        (
            _password_changes(was, slot) and not slot.credential_write,
            "changes its password with the credential gate closed",
        ),
        (
            _goes_back(was.engine_version, slot.engine_version),
            f"cannot go back from engine {was.engine_version} to {slot.engine_version}",
        ),
    )
    return [f"slot {key} {reason}" for broken, reason in checks if broken]


def _password_changes(was: SlotSpec, slot: SlotSpec) -> bool:
    versions_differ = (was.adopted, was.credential_version) != (slot.adopted, slot.credential_version)
    return versions_differ and not slot.adopted


def _goes_back(was: str | None, wanted: str | None) -> bool:
    """A major that stands alone, such as 16, asks for any of its minors."""
    if was is None or wanted is None:
        return False
    parts = [int(part) for part in wanted.split(".")]
    return parts < [int(part) for part in was.split(".")][: len(parts)]
