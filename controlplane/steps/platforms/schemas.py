"""A tenant that is a schema of its platform's database: made and tried, its logins renewed, closed, kept as a
file, and dropped. Nothing of it is Terraform's. One secret holds how its application logs in."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from controlplane.domain import names
from controlplane.domain.errors import Conflict, Refused
from controlplane.domain.schema import Space
from controlplane.domain.workspace import DATABASE_NAME
from controlplane.ports import Login, SchemaExport
from controlplane.steps import subject
from controlplane.steps.credentials import new_password, tags_of
from controlplane.steps.platforms import shared
from controlplane.steps.story import effect, say
from controlplane.steps.world import world
from controlplane.store.tables import Tenant

_PREFIX = "backups/tenants"  # which the buckets keep for a year


def space_of(tenant: Tenant) -> Space:
    return Space(names.TenantUid(tenant.uid))


# --- coming -----------------------------------------------------------------------------------------------


@effect("check_shared_database", "asking the shared database")
def check(operation_id: str) -> None:
    """Before anything is made: it has to be there and to let us in."""
    found = subject.load(operation_id)
    world().ports.schemas.look(shared.master(found), space_of(found.the_tenant()))


@effect("make_schema", "making the tenant's schema and its logins")
def make(operation_id: str) -> dict[str, Any]:
    """Safe to repeat: the secret that is there keeps its passwords, and the roles are brought to it."""
    found = subject.load(operation_id)
    tenant, master = found.the_tenant(), shared.master(found)
    space = space_of(tenant)
    secret = _ensure_secret(tenant, space, master)
    world().ports.schemas.make(master, space, secret["logins"])
    return _route(secret)


@effect("probe_schema", "asking the database as the tenant's application would")
def probe(operation_id: str) -> dict[str, Any]:
    """That it cannot be reached is said, not hidden."""
    answer = world().ports.database.probe(_login(_read(subject.load(operation_id).the_tenant())))
    if not answer.reachable:
        say(operation_id, "warning", f"the database does not answer from this cell: {answer.detail}")
    return {"reachable": answer.reachable, "detail": answer.detail, "latency_ms": answer.latency_ms}


def _ensure_secret(tenant: Tenant, space: Space, master: Login) -> dict[str, Any]:
    """Of this life and pointing to where the database is now; a secret of an earlier life is written over."""
    cloud, name = world().ports.cloud, _secret(tenant)
    logins = {login: new_password() for login in space.logins}
    made = {"logins": logins, "username": space.logins[0], "epoch": tenant.epoch}
    token = f"{tenant.uid}-e{tenant.epoch}-schema"
    cloud.ensure_secret(name, _text(made, space, master), tags_of(tenant), token)
    there = _read(tenant)
    wanted = _text(there if there["epoch"] == tenant.epoch else made, space, master)
    if wanted != json.dumps(there, sort_keys=True):
        cloud.write_secret(name, wanted, f"{token}-{new_password()}")
    return dict(json.loads(wanted))


def _text(secret: dict[str, Any], space: Space, master: Login) -> str:
    where = {"host": master.host, "port": master.port, "database": DATABASE_NAME, "schema": space.schema}
    password = secret["logins"][secret["username"]]
    return json.dumps({**secret, **where, "password": password}, sort_keys=True)


# --- new passwords ----------------------------------------------------------------------------------------


@effect("renew_idle_schema_login", "giving the idle login a new password")
def renew_idle(operation_id: str) -> dict[str, str]:
    """The secret still names the other one: until it is switched, running this again changes nothing else."""
    found = subject.load(operation_id)
    secret = _read(found.the_tenant())
    active = str(secret["username"])
    idle = next(login for login in space_of(found.the_tenant()).logins if login != active)
    _renew(operation_id, found, idle)
    return {"active": active, "idle": idle}


@effect("switch_schema_login", "naming the other login to the application")
def switch(operation_id: str, login: str) -> None:
    tenant = subject.load(operation_id).the_tenant()
    secret = _read(tenant)
    _write(operation_id, tenant, {**secret, "username": login, "password": secret["logins"][login]})


@effect("retire_schema_login", "taking the old password away")
def retire(operation_id: str, login: str) -> None:
    """From here on the old password is refused, which is tried."""
    found = subject.load(operation_id)
    old = _login(_read(found.the_tenant()), login)
    _renew(operation_id, found, login)
    if world().ports.database.probe(old).reachable:
        raise Conflict(f"the old password of {login} still opens the database", hint="rotate again")


def _renew(operation_id: str, found: subject.Subject, login: str) -> None:
    """First in the secret, then in the database, so that a step run again heals itself."""
    tenant, password = found.the_tenant(), new_password()
    secret = _read(tenant)
    secret["logins"][login] = password
    if secret["username"] == login:  # a secret always says what opens
        raise Conflict(f"{login} is in use: only the idle login gets a new password", hint="rotate again")
    _write(operation_id, tenant, secret)
    world().ports.schemas.set_password(shared.master(found), space_of(tenant), login, password)
    answer = world().ports.database.probe(_login(secret, login))
    if not answer.reachable:
        raise Conflict(f"{login} cannot log in with its new password: {answer.detail}", hint="rotate again")


# --- going ------------------------------------------------------------------------------------------------


@effect("check_leaving", "making sure that what leaves can be kept")
def check_leaving(operation_id: str) -> None:
    """Before the first login is closed."""
    found = subject.load(operation_id)
    state = world().ports.schemas.look(shared.master(found), space_of(found.the_tenant()))
    if state.is_there and _is_kept(found):
        _bucket(found)
        if state.left_out:
            raise Refused(
                f"{found.operation.tenant_slug} has {state.left_out}, which the export of its schema would "
                "not hold",
                hint="move them into its tables; `destroy --no-archive` does without an export",
            )


@effect("close_schema", "closing the tenant's schema")
def close(operation_id: str) -> dict[str, Any]:
    found = subject.load(operation_id)
    ended = world().ports.schemas.close(shared.master(found), space_of(found.the_tenant()))
    return {"fenced": True, "sessions_ended": ended}


@effect("export_schema", "exporting what it holds and proving it")
def export(operation_id: str) -> dict[str, Any]:
    """Raises unless all of it lies in the bucket and is read back as it was written: then nothing is dropped.

    Run again it writes the same key anew: the schema is closed, so it holds the same."""
    found = subject.load(operation_id)
    master, space = shared.master(found), space_of(found.the_tenant())
    if not world().ports.schemas.look(master, space).is_there:
        say(operation_id, "warning", f"the schema {space.schema} does not exist: there is nothing to export")
        return {"final_export": None}
    if not _is_kept(found):
        why = f"{found.operation.requested_by} wanted none"
        say(operation_id, "warning", f"{space.schema} is not exported: {why}")
        return {"final_export": {"skipped": why}}
    with tempfile.TemporaryDirectory(prefix="controlplane-") as folder:
        file = str(Path(folder) / "schema.dump")
        made = world().ports.schemas.export(master, space, file)
        receipt = _kept(operation_id, found, made, file)
    say(
        operation_id, "export", f"{receipt['rows']} rows of {len(made.tables)} tables are in {receipt['key']}"
    )
    return {"final_export": receipt}


def _kept(operation_id: str, found: subject.Subject, made: SchemaExport, file: str) -> dict[str, Any]:
    cloud, bucket, tenant = world().ports.cloud, _bucket(found), found.the_tenant()
    prefix = names.tenant_prefix(names.Slug(tenant.slug), names.TenantUid(tenant.uid))
    key = f"{_PREFIX}/{prefix}/{operation_id}.dump"
    cloud.keep_object(bucket, key, file, made.sha256)
    seen = cloud.object_digest(bucket, key)
    if seen != made.sha256:
        raise Conflict(
            f"what lies in {bucket} under {key} is not what was written there, and nothing goes without it",
            hint=f"look at the bucket, then: controlplane operation settle {operation_id}",
        )
    sizes = {"size_bytes": made.size_bytes, "sha256": made.sha256}
    return {"bucket": bucket, "key": key, **sizes, "rows": sum(made.tables.values()), "tables": made.tables}


@effect("drop_schema", "dropping the tenant's schema and its roles")
def drop(operation_id: str) -> None:
    """The database is asked whether it is gone."""
    found = subject.load(operation_id)
    master, space = shared.master(found), space_of(found.the_tenant())
    world().ports.schemas.drop(master, space)
    if world().ports.schemas.look(master, space).is_there:
        raise Conflict(f"the schema {space.schema} is still there after it was dropped")


@effect("forget_schema_secret", "scheduling the secret's deletion")
def forget(operation_id: str) -> None:
    world().ports.cloud.delete_secret(_secret(subject.load(operation_id).the_tenant()))


def _is_kept(found: subject.Subject) -> bool:
    return bool(found.payload.get("archive", True))


def _bucket(found: subject.Subject) -> str:
    bucket = found.the_platform().outputs.get("export_bucket")
    if not bucket:
        raise Refused(
            f"the platform of {found.operation.tenant_slug} has no bucket for what leaves it",
            hint="apply the platform again, which makes one; `destroy --no-archive` does without an export",
        )
    return str(bucket)


# --- its secret -------------------------------------------------------------------------------------------


def _secret(tenant: Tenant) -> str:
    return names.route_secret(names.Slug(tenant.slug), names.TenantUid(tenant.uid))


def _read(tenant: Tenant) -> dict[str, Any]:
    return dict(json.loads(world().ports.cloud.read_secret(_secret(tenant))))


def _write(operation_id: str, tenant: Tenant, secret: dict[str, Any]) -> None:
    token = f"{operation_id}-{new_password()}"
    world().ports.cloud.write_secret(_secret(tenant), json.dumps(secret, sort_keys=True), token)


def _route(secret: dict[str, Any]) -> dict[str, Any]:
    return {name: secret[name] for name in ("host", "port", "database", "schema", "epoch")}


def _login(secret: dict[str, Any], login: str = "") -> Login:
    username = login or str(secret["username"])
    return Login(
        host=secret["host"],
        port=secret["port"],
        database=secret["database"],
        username=username,
        password=secret["logins"][username],
        tls=world().tls,
    )
