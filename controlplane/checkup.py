"""The doctor's list: everything that an installation needs, each with the way to look for it.

Beside `wiring` the only namer of adapters and of the sandbox, since it asks what wiring would find.
"""

from __future__ import annotations

from pathlib import Path

from controlplane import sources, terraforms, wiring
from controlplane.domain.errors import Unavailable
from controlplane.services.doctor import Check
from controlplane.settings import Settings
from controlplane.store.database import open_database
from controlplane.store.fleet import databases


def checks(settings: Settings) -> list[Check]:
    """What this installation needs, each with the way to look for it."""
    from controlplane.adapters import doctor as machine  # noqa: PLC0415

    return [
        Check("catalog", lambda: _look_for_catalog(settings)),
        Check("worker", lambda: _look_for_worker(settings), needed=False),
        Check("terraform", lambda: _look_for_terraform(settings)),
        Check("providers", lambda: _look_for_providers(settings), needed=False),
        Check("sandbox" if settings.is_sandbox else "aws", lambda: _look_for_cloud(settings)),
        Check("cell", lambda: _look_for_cell(settings)),
        Check("postgresql", _look_for_postgres, needed=settings.is_sandbox),
        Check("keyring", lambda: _look_for_keys(settings)),
        Check("states", lambda: _look_for_states(settings)),
        Check("disk", lambda: machine.look_for_disk(settings.data_dir)),
        Check("git", machine.look_for_git, needed=False),
        Check("pg clients", machine.look_for_postgres_clients, needed=False),
        *([] if settings.forge == "embedded" else [Check("forge", lambda: look_for_forge(settings))]),
        *([] if settings.is_sandbox else [Check("certificates", lambda: _look_for_certificates(settings))]),
    ]


def look_for_forge(settings: Settings) -> str:
    """Its host lets the token read the repository of reviews, and who people are is said."""
    forge = sources.forge(settings)
    count, people = len(forge.branches()), len(sources.host_rules(settings).people)
    if not people:
        raise Unavailable(
            f"{settings.forge_repository} on {settings.forge} answers, and nobody there is anybody here",
            hint="CONTROLPLANE_FORGE_PEOPLE_FILE says who may do what (docs/gitops.md)",
        )
    return (
        f"{settings.forge_repository} on {settings.forge}: {count} branches beside the base, {people} people"
    )


def _look_for_certificates(settings: Settings) -> str:
    from controlplane.adapters.doctor import look_for_certificates  # noqa: PLC0415

    bundle = settings.database_certificates
    return look_for_certificates(Path(bundle).expanduser() if bundle else None)


def _look_for_catalog(settings: Settings) -> str:
    if settings.database_url.startswith("sqlite") and not wiring.sqlite_file(settings).exists():
        return f"{settings.database_url}: made at its first use"
    db = open_database(settings.database_url)
    try:
        return f"{db.place}, revision {db.revision()}"
    finally:
        db.close()


def _look_for_worker(settings: Settings) -> str:
    if settings.database_url.startswith("sqlite") and not wiring.sqlite_file(settings).exists():
        raise Unavailable("no catalog yet, so no worker", hint="controlplane worker")
    db = open_database(settings.database_url)
    try:
        cell = settings.cell if len(sources.cells(settings)) > 1 else ""
        where = f" in the cell {cell}" if cell else ""
        if wiring.worker_lives(db, cell):
            return f"one is alive{where}"
        hint = "controlplane worker; a command that waits starts one itself"
        raise Unavailable(f"none is alive{where}", hint=hint)
    finally:
        db.close()


def _look_for_terraform(settings: Settings) -> str:
    from controlplane.adapters.terraform.discovery import find_terraform  # noqa: PLC0415

    found = find_terraform(settings.terraform)
    return f"{found.product} {found.version} ({found.origin})"


def _look_for_providers(settings: Settings) -> str:
    from controlplane.adapters.terraform.discovery import find_mirror  # noqa: PLC0415

    found = find_mirror(settings.provider_mirror)
    if found is None:
        message = "no mirror: providers come from their registry"
        raise Unavailable(message, hint="a folder in CONTROLPLANE_PROVIDER_MIRROR works without network")
    return f"{found.path} ({found.origin})"


def _look_for_cloud(settings: Settings) -> str:
    if settings.is_sandbox:
        found = wiring.sandbox_status(settings)
        if not found.running or found.info is None:
            raise Unavailable("the sandbox does not run", hint="controlplane sandbox start")
        return f"{found.info.endpoint_url}, {len(found.instances)} instances: an emulator, not AWS"
    from controlplane.adapters.aws.clients import Clients  # noqa: PLC0415
    from controlplane.adapters.aws.cloud import Aws  # noqa: PLC0415

    account = wiring.aws_account(settings)
    who = Aws(account, Clients(account)).identity()
    return f"{who['arn']} in {who['region']}"


def _look_for_cell(settings: Settings) -> str:
    """The account that the file names is the one that we are in, and a database of it answers from here."""
    from controlplane.adapters.aws.clients import Clients  # noqa: PLC0415
    from controlplane.adapters.aws.cloud import Aws  # noqa: PLC0415
    from controlplane.adapters.doctor import look_for_home  # noqa: PLC0415

    own = sources.cells(settings)[settings.cell]
    account = wiring.aws_account(settings)
    found = Aws(account, Clients(account)).identity()["account"]
    return look_for_home(own, found, _somewhere(settings))


def _somewhere(settings: Settings) -> tuple[str, int] | None:
    """Where the first tenant of this cell answers that has an address."""
    if settings.database_url.startswith("sqlite") and not wiring.sqlite_file(settings).exists():
        return None
    db = open_database(settings.database_url)
    try:
        with db.read() as session:
            return databases.an_endpoint(session, settings.cell)
    finally:
        db.close()


def _look_for_postgres() -> str:
    from controlplane.sandbox.postgres import discover  # noqa: PLC0415

    found = discover()
    return f"PostgreSQL {found.version}, {found.folder}"


def _look_for_states(settings: Settings) -> str:
    """Where every serial is, and what of it people do not see yet."""
    home = terraforms.state_home(settings)
    if home is None:
        return "in the catalog, every serial, sealed by the keyring; served as Terraform's http backend"
    from controlplane.adapters.aws.clients import Clients  # noqa: PLC0415
    from controlplane.adapters.aws.state_bucket import look_for_bucket  # noqa: PLC0415

    found = look_for_bucket(Clients(wiring.aws_account(settings)).get("s3"), home)
    return f"{found}; every serial in the catalog too, sealed by the keyring"


def _look_for_keys(settings: Settings) -> str:
    if not settings.is_sandbox and not settings.keyring:
        wiring.keyring(settings)
    return settings.keyring or "a file of the sandbox"
