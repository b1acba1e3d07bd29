"""What the control plane called on the emulator, beside what the policies of docs/iam hold."""

from __future__ import annotations

import json
from pathlib import Path

from controlplane.catalog.permissions import load
from controlplane.sandbox import lifecycle
from tests.e2e.machine import Machine
from tests.e2e.team import INSPECTOR

# What stories called so far, the long ones too; actions of the table that no story calls say why.
SEEN = frozenset(json.loads(Path(__file__).with_name("seen_actions.json").read_text(encoding="utf-8")))
NEED_NO_RIGHT = {"sts:GetCallerIdentity"}  # AWS answers it to everybody


def beyond_policy(machine: Machine) -> list[str]:
    """What no role of the control plane could have done."""
    info = lifecycle.status(machine.folder / ".controlplane" / "sandbox").info
    assert info is not None
    recorded = lifecycle.recorded_actions(info).items()
    called = {action for who, actions in recorded if who != INSPECTOR for action in actions}
    assert called
    return sorted(called - load().actions - NEED_NO_RIGHT)
