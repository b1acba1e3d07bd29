"""The control plane's roles on the emulator, and what each called beside its policy."""

from __future__ import annotations

import json
from fnmatch import fnmatch
from pathlib import Path

from controlplane.catalog.permissions import ROLES, load
from controlplane.catalog.permissions.policies import SESSIONS
from controlplane.sandbox import lifecycle
from tests.e2e.machine import Machine

# What stories called so far, the long ones too; actions of the table that no story calls say why.
SEEN = frozenset(json.loads(Path(__file__).with_name("seen_actions.json").read_text(encoding="utf-8")))
NEED_NO_RIGHT = {"sts:GetCallerIdentity"}  # AWS answers it to everybody
BOUNDARY = "arn:aws:iam::123456789012:policy/controlplane-cell/controlplane-default-services"
# The workers' own credentials are for taking roles; the tests read as the tenant's application with the same.
OWN = {"sts:AssumeRole", "secretsmanager:GetSecretValue", "ssm:GetParameter"}


def take_roles(machine: Machine) -> None:
    """From now on the program asks as AWS would have it: each thing as the role for it."""
    machine.settings |= {
        f"CONTROLPLANE_{role.upper()}_ROLE": f"arn:aws:iam::123456789012:role/{role}" for role in ROLES
    }
    machine.settings |= {"CONTROLPLANE_EXTERNAL_ID": "an-external-id", "CONTROLPLANE_ROLE_BOUNDARY": BOUNDARY}


def called(machine: Machine) -> dict[str, set[str]]:
    """Actions by role, and as `own` those of the credentials that take the roles. Every session's name is
    one that the roles trust."""
    info = lifecycle.status(machine.folder / ".controlplane" / "sandbox").info
    assert info is not None
    found: dict[str, set[str]] = {}
    for who, actions in lifecycle.recorded_actions(info).items():
        role, _, session = who.partition("/")
        assert not session or any(fnmatch(session, pattern) for pattern in SESSIONS), who
        if role in ROLES or who == "sandbox":
            found.setdefault(role if role in ROLES else "own", set()).update(actions.keys() - NEED_NO_RIGHT)
    return found


def beyond_policy(found: dict[str, set[str]]) -> dict[str, list[str]]:
    """What AWS would have refused, by role."""
    table = load()
    held = {role: table.of(role) for role in ROLES} | {"own": frozenset(OWN)}
    return {role: sorted(left) for role, actions in found.items() if (left := actions - held[role])}
