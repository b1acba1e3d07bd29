"""Who asks, and what each role may do: one table, action by action."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from enum import StrEnum

from controlplane.domain.errors import Denied, Missing


class Role(StrEnum):
    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


class Action(StrEnum):
    READ_TENANT = "tenant.read"
    CREATE_TENANT = "tenant.create"
    CHANGE_TENANT = "tenant.change"
    DESTROY_TENANT = "tenant.destroy"
    READ_OPERATION = "operation.read"
    APPROVE = "operation.approve"
    STEER = "operation.steer"  # cancel, retry
    SETTLE = "operation.settle"
    READ_FLEET = "fleet.read"
    CHANGE_PLATFORM = "platform.change"
    CHANGE_FLEET = "fleet.change"  # windows, waves, schedules
    READ_STATE = "state.read"
    WRITE_STATE = "state.write"
    READ_AUDIT = "audit.read"
    ADMINISTER = "access.administer"  # tokens, users, keys


_VIEW = frozenset({Action.READ_TENANT, Action.READ_OPERATION, Action.READ_FLEET})
_OPERATE = _VIEW | {
    Action.CREATE_TENANT,
    Action.CHANGE_TENANT,
    Action.DESTROY_TENANT,
    Action.APPROVE,
    Action.STEER,
    Action.READ_STATE,
}
PERMISSIONS: dict[Role, frozenset[Action]] = {
    Role.VIEWER: _VIEW,
    Role.OPERATOR: _OPERATE,
    Role.ADMIN: frozenset(Action),
}


@dataclass(frozen=True)
class Actor:
    """`tenants` are slugs or patterns such as `acme-*`; empty means every tenant."""

    name: str
    role: Role
    tenants: tuple[str, ...] = ()
    origin: str = ""  # where the request came from

    @property
    def sees_everything(self) -> bool:
        return not self.tenants

    def sees(self, slug: str) -> bool:
        return self.sees_everything or any(fnmatch.fnmatchcase(slug, pattern) for pattern in self.tenants)

    def require(self, action: Action, slug: str | None = None) -> None:
        """Raise unless this actor may. Another's tenant is answered as if it did not exist."""
        if slug is not None and not self.sees(slug):
            raise Missing(f"there is no tenant {slug!r}", hint="controlplane tenant list")
        if action not in PERMISSIONS[self.role]:
            raise Denied(
                f"{self.name} ({self.role}) may not do {action}",
                hint="ask an admin for a token with the role that may",
            )
        if slug is None and not self.sees_everything and action in _FLEET_WIDE:
            raise Denied(f"{self.name} may do {action} only within {', '.join(self.tenants)}")


_FLEET_WIDE = frozenset({Action.CHANGE_PLATFORM, Action.CHANGE_FLEET, Action.READ_AUDIT, Action.ADMINISTER})
