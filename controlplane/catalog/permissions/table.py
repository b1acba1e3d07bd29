"""The table of actions, read and judged: `actions.toml` holds it, `unseen.toml` what no test can show."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from controlplane.catalog.toml_files import Table, read

ROLES = ("plan", "apply", "data")
_ACTION = re.compile(r"[a-z][a-z0-9-]*:[A-Z][A-Za-z0-9]+")
_NAME = re.compile(r"[A-Za-z0-9]+")
_HERE = Path(__file__).parent


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
    unseen: Mapping[str, str]  # actions that the emulator is not asked for, with the reason

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
    grants = tuple(_read_grant(child, tuple(limits)) for child in table.tables("grants"))
    table.done()
    return Permissions(grants, limits, _read_unseen(folder / "unseen.toml"))


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
        resources=table.texts("resources"),
        actions=actions,
        limit=table.text("limit", ("", *limits), default=""),
    )
    table.done()
    return grant


def _read_unseen(file: Path) -> dict[str, str]:
    table = read(file)
    reasons = {}
    for child in table.tables("unseen"):
        why = child.text("why")
        reasons.update(dict.fromkeys(child.texts("actions"), why))
        child.done()
    table.done()
    return reasons
