"""Names: what a slug may be, and what things are called in AWS.

Every external name carries the tenant's uid and the slot's epoch, so that two lives of one slug, two
tenants and two environments never meet, and `tenant-1` never matches `tenant-10`.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import NewType

from controlplane.domain.errors import FieldError, Invalid

Slug = NewType("Slug", str)
TenantUid = NewType("TenantUid", str)
WorkspaceId = NewType("WorkspaceId", str)
OperationId = NewType("OperationId", str)
RunId = NewType("RunId", str)

SLUG_RULE = (
    "3-40 characters of a-z, 0-9 and single hyphens, starting with a letter, ending in a letter or digit"
)
SLUG = r"[a-z]([a-z0-9]|-(?=[a-z0-9])){2,39}"
_SLUG = re.compile(SLUG)
_UID = re.compile(r"[a-z][a-z0-9]{7}")


def parse_slug(text: str, field: str = "slug") -> Slug:
    """The one rule for slugs, for every door. `field`: what it is called where it was said."""
    if not _SLUG.fullmatch(text):
        message = f"{text!r} is not a tenant slug: {SLUG_RULE}"
        raise Invalid(message, errors=[FieldError(field, SLUG_RULE)])
    return Slug(text)


def parse_uid(text: str) -> TenantUid:
    if not _UID.fullmatch(text):
        raise Invalid(f"{text!r} is not a tenant uid: a letter and seven of a-z, 0-9")
    return TenantUid(text)


def tenant_workspace(uid: TenantUid) -> WorkspaceId:
    return WorkspaceId(f"tenant-{uid}")


def platform_workspace(blueprint: str, environment: str, cell: str) -> WorkspaceId:
    return WorkspaceId(f"platform-{blueprint}-{environment}-{cell}")


SHORT_NAME_LENGTH = 24


def short_name(name: str) -> str:
    """Where AWS gives few characters, or one name in the whole world: a beginning and a digest of it all."""
    return f"{name[:15].rstrip('-')}-{sha256(name.encode()).hexdigest()[:8]}"


def slot_key(epoch: int) -> str:
    """The key of a database slot in Terraform's `for_each`."""
    return f"e{epoch}"


def tenant_prefix(slug: Slug, uid: TenantUid) -> str:
    """At most 49 characters, ending in the fixed-length uid: no prefix of another tenant's."""
    return f"{slug}-{uid}"


def database_identifier(slug: Slug, uid: TenantUid, epoch: int) -> str:
    """At most 57 of RDS's 63 characters."""
    return f"{tenant_prefix(slug, uid)}-{slot_key(epoch)}"


def final_snapshot_identifier(slug: Slug, uid: TenantUid, epoch: int) -> str:
    return f"{database_identifier(slug, uid, epoch)}-final"


def secret_name(slug: Slug, uid: TenantUid, epoch: int, role: str) -> str:
    """The secret of one login role (`master`, `cp_control`, `app_a`, `app_b`) of one slot."""
    return f"controlplane/{tenant_prefix(slug, uid)}/{slot_key(epoch)}/{role}"


def platform_secret(platform: str, life: int, role: str) -> str:
    """The secret of one login role of a platform's shared database, in one of its lives."""
    return f"controlplane/{platform}/{slot_key(life)}/{role}"


def route_parameter(slug: Slug, uid: TenantUid) -> str:
    """The SSM parameter from which the application reads endpoint and epoch."""
    return f"/controlplane/{tenant_prefix(slug, uid)}/route"


def route_secret(slug: Slug, uid: TenantUid) -> str:
    """The secret from which the application reads its credentials, whatever the epoch."""
    return f"controlplane/{tenant_prefix(slug, uid)}/application"
