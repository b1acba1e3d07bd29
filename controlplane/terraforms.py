"""Terraform as this installation has it: runs that change, and plans that are only looked at. A part of the
composition root: `wiring` says with which account and keys. Imported when needed, like everything there."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from controlplane.adapters.aws.clients import AwsAccount, Clients
    from controlplane.adapters.terraform.discovery import Installation
    from controlplane.adapters.terraform.place import RunnerPlace
    from controlplane.domain.workspace import StateHome
    from controlplane.ports import Keyring, PlanSource, Runner, RunVerb
    from controlplane.settings import Settings
    from controlplane.store.database import Database
    from controlplane.store.states import States

# A Terraform process mostly reads the provider's schema and ends. Collecting less garbage saves a fourth of
# its CPU time, for 0.6 GB instead of 0.3; a slot counts on 0.8. Collecting none saves no more, and would keep
# it all through the waits of an apply.
_RUNTIME = {"GOGC": "800", "GOMEMLIMIT": "450MiB"}


def runner(settings: Settings, db: Database, ring: Keyring, clients: Clients) -> Runner:
    """Under its supervisors, with the credentials of the role that a run needs."""
    from controlplane.adapters.terraform.runner import TerraformRunner
    from controlplane.store.runs import Runs

    return TerraformRunner(
        _place(settings),
        Runs(db, ring),
        states(settings, db, ring, lambda: clients),
        ring,
        partial(installation, settings),
        lambda verb, operation: _environment(settings, clients.acting_for(operation), verb),
    )


def plans(settings: Settings, db: Database, ring: Keyring, clients: Clients) -> PlanSource:
    """With the credentials of the reading role."""
    from controlplane.adapters.terraform.looks.bench import bench
    from controlplane.adapters.terraform.looks.source import TerraformPlans
    from controlplane.ports import RunVerb

    ours = clients.acting_for("drift-look")  # kept: other credentials would be another process
    environment = partial(_environment, settings, ours, RunVerb.PLAN)
    return TerraformPlans(
        _place(settings),
        states(settings, db, ring, lambda: clients),
        lambda: bench(installation(settings), environment),
    )


def states(settings: Settings, db: Database, ring: Keyring, clients: Callable[[], Clients]) -> States:
    """In the catalog, every serial; and published where people want to use plain Terraform on them."""
    from controlplane.store.states import States

    home = state_home(settings)
    if home is None:
        return States(db, ring)
    from controlplane.adapters.aws.state_bucket import S3StateBucket
    from controlplane.store.states.bucket import PublishedStates

    return PublishedStates(db, ring, S3StateBucket(clients().get("s3"), home))


def state_home(settings: Settings) -> StateHome | None:
    """The bucket that people read states from; None: they come to us for them."""
    from controlplane.domain.workspace import StateHome

    if settings.state_bucket is None:
        return None
    return StateHome(*settings.state_bucket, region=settings.region, path_style=settings.is_sandbox)


def make_state_bucket(settings: Settings, account: AwsAccount) -> None:
    """The emulator's, where one is named: on AWS it is the account's to have one."""
    from controlplane.adapters.aws.clients import Clients
    from controlplane.adapters.aws.state_bucket import make_bucket

    home = state_home(settings)
    if home is not None and account.endpoint_url:
        make_bucket(Clients(account).get("s3"), home)


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
    values = {**_RUNTIME, "AWS_REGION": settings.region, **clients.environment(Role(verb.value))}
    return values | ({"AWS_ENDPOINT_URL": endpoint} if endpoint else {})
