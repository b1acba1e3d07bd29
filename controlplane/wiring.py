"""The composition root: settings → store, ports, engine. The only namer of adapters and of the sandbox.

Everything here is imported when it is needed: a command that only reads the catalog pays for nothing else.
"""

from __future__ import annotations

import getpass
import json
import socket
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, LiteralString

from controlplane import sources, telling, terraforms
from controlplane.domain.errors import Invalid, Unavailable
from controlplane.domain.tracing import SILENCE, Tracer
from controlplane.settings import Settings, load
from controlplane.store.database import Database, open_database

if TYPE_CHECKING:
    from controlplane.adapters.aws.clients import AwsAccount, Clients
    from controlplane.catalog import Catalog
    from controlplane.ports import Keyring, PlanSource, Ports, PriceSource
    from controlplane.sandbox.lifecycle import SandboxInfo, SandboxStatus
    from controlplane.services.actor import Actor
    from controlplane.services.control import Control
    from controlplane.steps.world import World
    from controlplane.store.states import States

SANDBOX_FOLDER = "sandbox"


def load_settings() -> Settings:
    """Settings from the environment, refused in our words."""
    try:
        return load()
    except ValueError as error:
        raise Invalid(str(error)) from error


def control(settings: Settings) -> Control:
    """What services need: the catalog's database and the facts. No engine, no cloud."""
    return control_of(settings, open_or_create(settings))


def control_of(settings: Settings, db: Database) -> Control:
    from controlplane.services.control import Control

    return Control(
        db=db,
        catalog=catalog(settings),
        region=settings.region,
        cell=settings.cell,
        cells=sources.cells(settings),
        two_person=settings.two_person,
        worker_lives=lambda cell: worker_lives(db, cell),
        prices=prices_folder(settings),
        price_source=lambda: price_source(settings),
        bill_source=lambda: sources.bills(aws_account(settings)),
        changes_through=settings.changes_through,
        apply_before_merge=settings.apply_before_merge,
        forge=cache(lambda: sources.forge(settings)),
        host=sources.host_rules(settings),
        metric_source=lambda: sources.metrics(aws_account(settings)),
        fleet_source=cache(lambda: sources.fleet(aws_account(settings))),
        quota_source=lambda: sources.quotas(aws_account(settings)),
        opinion_source=(lambda: sources.opinions(aws_account(settings)))
        if settings.compute_optimizer
        else None,
        alarm_topics=settings.alarm_topic_arns,
        topic_source=cache(sources.topics),
        alarm_source=sources.alarms(settings.alarm_queue, lambda: aws_account(settings)),
        plan_source=lambda: plans(settings, db),
        rehearsing=lambda: (world(settings, db), plans(settings, db)),
        workspaces=settings.data_dir.absolute() / "workspaces",
        states=lambda: states(settings, db),
        **telling.outside(settings, partial(aws_account, settings), partial(keyring, settings)),
        rightsizing_alone=settings.rightsizing_alone,
        budget_headroom_percent=settings.budget_headroom_percent,
        machine_reviews=settings.machine_reviews,
        retention_days=settings.retention_days,
        retention_states=settings.retention_states,
        audit_days=settings.audit_days,
        audit_exports=settings.data_dir.absolute() / "audit",
    )


def catalog(settings: Settings) -> Catalog:
    """All facts, with where plain Terraform finds states, and what bounds roles in each cell."""
    from controlplane.catalog import load as load_catalog

    bounds = {cell.name: cell.role_boundary for cell in sources.cells(settings).values()}
    return replace(load_catalog(), state_home=terraforms.state_home(settings), role_boundaries=bounds)


def open_or_create(settings: Settings) -> Database:
    """Open the catalog. A file is made at its first use; a server is migrated on purpose."""
    if settings.database_url.startswith("sqlite") and not sqlite_file(settings).exists():
        migrate(settings)
    return open_database(settings.database_url)


def sqlite_file(settings: Settings) -> Path:
    return Path(settings.database_url.removeprefix("sqlite:///"))


def migrate(settings: Settings) -> None:
    """Our tables first (that sets WAL), the engine's after them, in the same database."""
    from controlplane import durable
    from controlplane.store.database import connect
    from controlplane.store.migrate import migrate as migrate_catalog

    db = connect(settings.database_url)
    try:
        migrate_catalog(db)
    finally:
        db.close()
    durable.create_tables(settings.database_url)


def local_actor() -> Actor:
    """Who works on the local catalog without a server: whoever may read that file is its admin."""
    from controlplane.services.actor import Actor, Role

    return Actor(f"local:{getpass.getuser()}", Role.ADMIN, origin=socket.gethostname())


# --- the outside ------------------------------------------------------------------------------------


def sandbox_folder(settings: Settings) -> Path:
    return settings.data_dir.absolute() / SANDBOX_FOLDER


def sandbox(settings: Settings) -> SandboxInfo:
    """The running sandbox of this data folder."""
    found = sandbox_status(settings)
    if not found.running or found.info is None:
        raise Unavailable("the sandbox does not run", hint="controlplane sandbox start")
    return found.info


def aws_account(settings: Settings) -> AwsAccount:
    from controlplane.adapters.aws.clients import AwsAccount, Role

    own = sources.cells(settings)[settings.cell]
    roles = {Role.PLAN: own.plan_role, Role.APPLY: own.apply_role, Role.DATA: own.data_role}
    account = AwsAccount(
        region=own.region,
        roles={role: arn for role, arn in roles.items() if arn},
        external_id=own.external_id,
    )
    if not settings.is_sandbox:
        return account
    endpoint = sandbox(settings).endpoint_url
    return replace(account, endpoint_url=endpoint, access_key="sandbox", secret_key="sandbox")  # noqa: S106


def plans(settings: Settings, db: Database) -> PlanSource:
    from controlplane.adapters.aws.clients import Clients

    return terraforms.plans(settings, db, keyring(settings), Clients(aws_account(settings)))


def prices_folder(settings: Settings) -> Path:
    """Where the price books are that somebody took."""
    return settings.data_dir.absolute() / "prices"


def price_source(settings: Settings) -> PriceSource:
    if settings.is_sandbox:
        raise Unavailable("the sandbox has no price list", hint="CONTROLPLANE_CLOUD=aws asks AWS for prices")
    return sources.prices(aws_account(settings))


def keyring(settings: Settings, clients: Clients | None = None) -> Keyring:
    """KMS on AWS; in the sandbox a 0600 file beside the data folder: a copy of the data opens nothing."""
    from controlplane.adapters.keyring import FileKeyring, KmsKeyring, file_beside

    kind, _, place = settings.keyring.partition(":")
    if kind == "file":
        return FileKeyring(Path(place).expanduser())
    if kind == "kms":
        key, *older = (one.strip() for one in place.split(","))
        return KmsKeyring(clients.get("kms") if clients else sources.kms(aws_account(settings)), key, older)
    if settings.keyring == "" and settings.is_sandbox:
        return FileKeyring(file_beside(settings.data_dir.absolute()))
    raise Invalid(
        f"CONTROLPLANE_KEYRING is {settings.keyring!r}: state and plans cannot be encrypted",
        hint="say kms:KEY-ARN (older ones behind it, with commas), or file:PATH",
    )


def ports(settings: Settings, db: Database) -> Ports:
    """The real adapters, pointed at AWS or at the sandbox."""
    from controlplane.adapters.aws.clients import Clients
    from controlplane.adapters.aws.cloud import Aws
    from controlplane.adapters.postgres import Connector, MigrationSql, Postgres, SchemaSql
    from controlplane.ports import Ports

    account = aws_account(settings)
    clients = Clients(account)
    ring = keyring(settings, clients)
    connector = Connector(settings.certificate_bundle)
    programs = sandbox(settings).postgres_programs if settings.is_sandbox else None
    return Ports(
        runner=terraforms.runner(settings, db, ring, clients),
        cloud=Aws(account, clients),
        database=Postgres(connector),
        keyring=ring,
        migration=MigrationSql(connector, programs),
        web=sources.web(settings.webhook_networks),
        schemas=SchemaSql(connector, programs),
    )


def run_as_application(
    settings: Settings, slug: str, uid: str, statements: Sequence[LiteralString]
) -> list[list[tuple[Any, ...]]]:
    """SQL as a tenant's application runs it: with what Secrets Manager says, and nothing else."""
    from controlplane.adapters.aws.clients import Clients
    from controlplane.adapters.aws.cloud import Aws
    from controlplane.adapters.postgres import Postgres
    from controlplane.domain import names
    from controlplane.ports import Login

    account = aws_account(settings)
    name = names.route_secret(names.Slug(slug), names.TenantUid(uid))
    found = json.loads(Aws(account, Clients(account)).read_secret(name))
    login = {key: found[key] for key in ("host", "port", "database", "username", "password")}
    return Postgres().run_sql(Login(**login, tls=tls_of(settings)), statements)


def tls_of(settings: Settings) -> str:
    """Certificates are verified, but for the sandbox's, which has none."""
    return "prefer" if settings.is_sandbox else "verify-full"


def world(settings: Settings, db: Database, tracer: Tracer = SILENCE) -> World:
    from controlplane.steps.world import World

    return World(
        ports=ports(settings, db),
        db=db,
        catalog=catalog(settings),
        folders=settings.data_dir.absolute() / "workspaces",
        poll_seconds=settings.poll_seconds,
        approval_days=settings.approval_days,
        two_person=settings.two_person,
        tls=tls_of(settings),
        policy=sources.policy(settings),
        tracer=tracer,
        prices=prices_folder(settings),
        guard=sources.watchdog(settings.data_dir.absolute()),
        steady_seconds=3 if settings.is_sandbox else 60,
    )


# --- looking after the installation -----------------------------------------------------------------


def process_lives(pid: int) -> bool:
    from controlplane.supervisor.child import lives

    return lives(pid)


def worker_lives(db: Database, cell: str = "") -> bool:
    """Does anybody do the work? In one cell, where there are several."""
    if db.file is not None:
        from controlplane.worker.lock import worker_lives as holds_lock

        return holds_lock(db.file)
    from controlplane.store import leases

    with db.read() as session:
        return bool(leases.living(session, cell))


def start_sandbox(settings: Settings) -> SandboxInfo:
    from controlplane.sandbox import lifecycle

    info = lifecycle.start(sandbox_folder(settings), faults=settings.sandbox_faults)
    terraforms.make_state_bucket(settings, aws_account(settings))
    return info


def stop_sandbox(settings: Settings) -> bool:
    from controlplane.sandbox import lifecycle

    return lifecycle.stop(sandbox_folder(settings))


def reset_sandbox(settings: Settings) -> None:
    from controlplane.sandbox import lifecycle

    lifecycle.reset(sandbox_folder(settings))


def sandbox_status(settings: Settings) -> SandboxStatus:
    from controlplane.sandbox import lifecycle

    return lifecycle.status(sandbox_folder(settings))


def load_metrics(settings: Settings, file: Path) -> int:
    """Give the sandbox's CloudWatch a past; how many values."""
    from controlplane.sandbox import lifecycle

    return lifecycle.load_metrics(sandbox(settings), file)


def change_by_hand(settings: Settings, identifier: str, facts: Mapping[str, Any]) -> None:
    """What somebody does to a database of the sandbox past the control plane."""
    sources.change_by_hand(aws_account(settings), identifier, facts)


def backup_catalog(settings: Settings, target: Path) -> None:
    """A whole copy, or none; keys are never in it."""
    from controlplane.adapters.dump import pg_dump
    from controlplane.store.migrate.backup import backup

    db = open_database(settings.database_url)
    try:
        backup(db, target, pg_dump)
    finally:
        db.close()


def check_catalog(settings: Settings) -> list[dict[str, str]]:
    """What is wrong with the catalog; an empty list says that it is whole."""
    from controlplane.store.database import connect
    from controlplane.store.migrate.check import check

    db = connect(settings.database_url)
    try:
        return [{"code": f.code, "message": f.message, "hint": f.hint} for f in check(db)]
    finally:
        db.close()


def rebuild_catalog(settings: Settings, reason: str, *, dry_run: bool) -> dict[str, Any]:
    """What AWS and the rendered workspaces know and the catalog does not."""
    from controlplane.services.records.rebuild import rebuild

    folder = settings.data_dir.absolute() / "workspaces"
    return rebuild(control(settings), local_actor(), folder, reason, dry_run=dry_run)


def states(settings: Settings, db: Database) -> States:
    """The state store, for Terraform's http backend."""
    from controlplane.adapters.aws.clients import Clients

    def clients() -> Clients:
        return Clients(aws_account(settings))

    return terraforms.states(settings, db, keyring(settings), clients)
