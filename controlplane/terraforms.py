"""Terraform as this installation has it: runs that change, and plans that are only looked at. A part of the
composition root: `wiring` says with which account and keys. Imported when needed, like everything there."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from controlplane.adapters.aws.clients import Clients
    from controlplane.adapters.terraform.discovery import Installation
    from controlplane.adapters.terraform.place import RunnerPlace
    from controlplane.ports import Keyring, PlanSource, Runner, RunVerb
    from controlplane.settings import Settings
    from controlplane.store.database import Database


def runner(settings: Settings, db: Database, ring: Keyring, clients: Clients) -> Runner:
    """Under its supervisors, with the credentials of the role that a run needs."""
    from controlplane.adapters.terraform.runner import TerraformRunner
    from controlplane.store.runs import Runs
    from controlplane.store.states import States

    return TerraformRunner(
        _place(settings),
        Runs(db, ring),
        States(db, ring),
        ring,
        partial(installation, settings),
        lambda verb, operation: _environment(settings, clients.acting_for(operation), verb),
    )


def plans(settings: Settings, db: Database, ring: Keyring, clients: Clients) -> PlanSource:
    """With the credentials of the reading role."""
    from controlplane.adapters.terraform.looks.bench import bench
    from controlplane.adapters.terraform.looks.source import TerraformPlans
    from controlplane.ports import RunVerb
    from controlplane.store.states import States

    ours = clients.acting_for("drift-look")  # kept: other credentials would be another process
    environment = partial(_environment, settings, ours, RunVerb.PLAN)
    return TerraformPlans(
        _place(settings), States(db, ring), lambda: bench(installation(settings), environment)
    )


def installation(settings: Settings) -> Installation:
    from controlplane.adapters.terraform import discovery

    data_dir = settings.data_dir.absolute()
    return discovery.install(settings.terraform, settings.provider_mirror, data_dir)


def _place(settings: Settings) -> RunnerPlace:
    from controlplane.adapters.terraform.place import RunnerPlace

    return RunnerPlace(settings.data_dir.absolute(), settings.database_url, settings.slots)


def _environment(settings: Settings, clients: Clients, verb: RunVerb) -> dict[str, str]:
    """What a Terraform child may know: the credentials of its role, and where AWS is."""
    from controlplane.adapters.aws.clients import Role

    endpoint = clients.account.endpoint_url
    values = {"AWS_REGION": settings.region, **clients.environment(Role(verb.value))}
    return values | ({"AWS_ENDPOINT_URL": endpoint} if endpoint else {})
