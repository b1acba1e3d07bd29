"""The table of actions, read and judged: `actions.toml` holds it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from controlplane.catalog.toml_files import Table, read
from controlplane.domain.names import short_name

ROLES = ("plan", "apply", "data")
_ACTION = re.compile(r"[a-z][a-z0-9-]*:[A-Z][A-Za-z0-9]+")
_NAME = re.compile(r"[A-Za-z0-9]+")
_HERE = Path(__file__).parent
_BLUEPRINTS = _HERE.parent / "blueprints"
# In a resource: how the names of platforms begin, of every blueprint.
PLATFORM = "PLATFORM"


@dataclass(frozen=True)
class Grant:
    """Actions of one role, at the same resources and under the same limit; a statement of its policy."""

    name: str
    role: str
    why: str
    resources: tuple[str, ...]
    actions: tuple[str, ...]
    limit: str = ""  # one of the limits by name; empty: the resources say it all


@dataclass(frozen=True)
class Permissions:
    grants: tuple[Grant, ...]
    limits: Mapping[str, Mapping[str, Any]]  # conditions as IAM writes them
    services: tuple[str, ...] = ()  # that the roles work with which Terraform makes

    def of(self, role: str) -> frozenset[str]:
        """What a session of the role may call; whoever applies reads as a plan does."""
        held = ("plan", "apply") if role == "apply" else (role,)
        return frozenset(self._actions(held))

    @property
    def actions(self) -> frozenset[str]:
        return frozenset(self._actions(ROLES))

    def _actions(self, roles: tuple[str, ...]) -> Iterator[str]:
        for grant in self.grants:
            if grant.role in roles:
                yield from grant.actions


def load(folder: Path = _HERE) -> Permissions:
    table = read(folder / "actions.toml")
    limits = {name: dict(child.values) for name, child in table.table("limits").children()}
    services = table.texts("services")
    grants = tuple(_read_grant(child, tuple(limits)) for child in table.tables("grants"))
    table.done()
    return Permissions(grants, limits, services)


def _read_grant(table: Table, limits: tuple[str, ...]) -> Grant:
    name, actions = table.text("name"), table.texts("actions")
    if not _NAME.fullmatch(name):
        table.fail("name", f"is {name!r}; IAM takes letters and digits")
    for action in actions:
        if not _ACTION.fullmatch(action):
            table.fail("actions", f"holds {action!r}, which is not one action, such as rds:CreateDBInstance")
    grant = Grant(
        name=name,
        role=table.text("role", ROLES),
        why=table.text("why"),
        resources=of_platforms(table.texts("resources")),
        actions=actions,
        limit=table.text("limit", ("", *limits), default=""),
    )
    table.done()
    return grant


def of_platforms(resources: tuple[str, ...]) -> tuple[str, ...]:
    """With the names of platforms put in."""
    beginnings = [short_name(file.stem.replace("_", "-")) for file in sorted(_BLUEPRINTS.glob("*.toml"))]
    patterns = [f"{name.rpartition('-')[0]}*" for name in beginnings]  # as far as long and short names agree
    return tuple(
        resource.replace(PLATFORM, pattern)
        for resource in resources
        for pattern in (patterns if PLATFORM in resource else [""])
    )
