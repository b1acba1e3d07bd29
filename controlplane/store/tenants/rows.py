"""Tenants: one row each, changed only here, each change with its line of history.

Every change first holds the row with an update that changes nothing. That opens the transaction on SQLite
and locks the row on PostgreSQL, so that what is read after it is what will be changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NotRequired, TypedDict, Unpack

from sqlalchemy import Select, bindparam, delete, select, update
from sqlalchemy import insert as insert_into
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.domain.errors import AlreadyExists, FieldError, IllegalTransition, Missing, Stale
from controlplane.domain.events.catalogue import of_phase
from controlplane.domain.tenant import Phase, Stage, check_phase
from controlplane.store import history
from controlplane.store.database import changed_rows, insert_if_absent, prepared
from controlplane.store.tables import Tenant, TenantEvent, TenantLabel
from controlplane.store.webhooks import outbox

# What the tenant's owner wants: a change of it raises the generation.
DESIRED = frozenset(
    {
        "display_name",
        "stage",
        "size",
        "blueprint",
        "environment",
        "storage_gb",
        "locations",
        "users",
        "paying",
        "sla",
        "sensitive",
        "rightsizing_decision",
    }
)
OBSERVED = frozenset(
    {
        "unverified",
        "migration_state",
        "cost_tier",
        "monthly_usd",
        "template_version",
        "template_digest",
        "observed_generation",
        "expires_at",
    }
)
SYSTEM = "controlplane"  # the actor of what nobody asked for
_FRESH = {"populate_existing": True}


@dataclass(frozen=True)
class Route:
    """Where a tenant's application finds its database."""

    endpoint: str
    port: int
    epoch: int


class By(TypedDict):
    """Who changes something, when, and in which operation: stands in every line of history."""

    actor: str
    now: datetime
    operation_id: NotRequired[str | None]


# --- reading ----------------------------------------------------------------------------------------


def find(session: Session, slug: str) -> Tenant | None:
    """As it stands in the database now, whatever the session has seen before."""
    return session.scalars(_having("slug"), {"slug": slug}, execution_options=_FRESH).one_or_none()


def by_slug(session: Session, slug: str) -> Tenant:
    found = find(session, slug)
    if found is None:
        raise Missing(f"there is no tenant {slug!r}", hint="controlplane tenant list")
    return found


def by_uid(session: Session, uid: str) -> Tenant:
    found = session.scalars(_having("uid"), {"uid": uid}, execution_options=_FRESH).one_or_none()
    if found is None:
        raise Missing(f"there is no tenant with the uid {uid!r}", hint="controlplane tenant list")
    return found


@prepared
def _having(name: str) -> Select[Tenant]:
    return select(Tenant).where(col(getattr(Tenant, name)) == bindparam(name))


def slugs(session: Session) -> set[str]:
    """All that ever were given."""
    return set(session.scalars(select(col(Tenant.slug))))


def expiring(session: Session, until: datetime) -> list[Tenant]:
    """Proofs of concept whose end is before that, and that are not gone or going, the earliest first."""
    over = [phase.value for phase in (Phase.TORN_DOWN, Phase.TEARING_DOWN)]
    query = select(Tenant).where(
        col(Tenant.stage) == Stage.POC.value, col(Tenant.expires_at) <= until, col(Tenant.phase).notin_(over)
    )
    return list(session.scalars(query.order_by(col(Tenant.expires_at), col(Tenant.slug))))


def labels(session: Session, uid: str) -> dict[str, str]:
    return {key: value for key, value in session.execute(_labels(), {"uid": uid})}


@prepared
def _labels() -> Select[str, str]:
    query = select(col(TenantLabel.key), col(TenantLabel.value))
    return query.where(col(TenantLabel.tenant_uid) == bindparam("uid")).order_by(col(TenantLabel.key))


# --- writing ----------------------------------------------------------------------------------------


def insert(
    session: Session,
    tenant: Tenant,
    labels: Mapping[str, str],
    *,
    actor: str,
    operation_id: str | None = None,
) -> Tenant:
    """A new tenant. A slug belongs to one uid for ever, also after its tenant is torn down."""
    if not insert_if_absent(session, Tenant, tenant.model_dump()):
        message = f"there is a tenant {tenant.slug!r} already, or there was one"
        raise AlreadyExists(message, errors=[FieldError("slug", "taken")])
    _write_labels(session, tenant.uid, labels)
    after = {name: getattr(tenant, name) for name in sorted(DESIRED)} | {"labels": dict(labels)}
    _tell(session, tenant.uid, _Line("created", actor, tenant.created_at, operation_id, {}, after))
    return by_uid(session, tenant.uid)


def revive(
    session: Session, uid: str, columns: Mapping[str, Any], labels: Mapping[str, str], **by: Unpack[By]
) -> Tenant:
    """A tenant that was torn down is asked for again: the same uid, whatever `columns` say."""
    tenant = hold(session, uid)
    if tenant.phase != Phase.TORN_DOWN:
        message = f"{tenant.slug} is {tenant.phase}: only what is torn down can be asked for again"
        raise IllegalTransition(message, details={"from": tenant.phase, "to": Phase.REQUESTED.value})
    before, after = _change_labels(session, uid, labels)
    values = {**columns, "phase": Phase.REQUESTED.value, "phase_reason": "", "torn_down_at": None}
    return _write(session, tenant, values, _line("revived", by, before, after))


def change(
    session: Session,
    uid: str,
    changes: Mapping[str, Any],
    revision: int | None = None,
    **by: Unpack[By],
) -> Tenant:
    """Change what is wanted or observed; `revision` is what the caller has seen.

    `labels` may be among the changes: all of them, as a mapping.
    """
    unknown = set(changes) - DESIRED - OBSERVED - {"labels"}
    if unknown:
        raise ValueError(f"not changed this way: {', '.join(sorted(unknown))}")
    tenant = hold(session, uid, revision)
    values = dict(changes)
    before, after = _change_labels(session, uid, values.pop("labels", None))
    if before != after or any(getattr(tenant, name) != values[name] for name in DESIRED & values.keys()):
        values["generation"] = tenant.generation + 1
    return _write(session, tenant, values, _line("changed", by, before, after))


def set_phase(session: Session, uid: str, phase: Phase, reason: str = "", **by: Unpack[By]) -> Tenant:
    """Take the tenant to another phase, if that is legal from the one it is in now."""
    tenant = hold(session, uid)
    current = Phase(tenant.phase)
    check_phase(current, phase)
    values: dict[str, Any] = {"phase": phase.value, "phase_reason": reason}
    if phase != current:
        values["torn_down_at"] = by["now"] if phase is Phase.TORN_DOWN else None
    if phase is Phase.READY and tenant.ready_at is None:
        values["ready_at"] = by["now"]
    if phase != current:
        outbox.put(session, of_phase(tenant.slug, phase, current.value, reason, by["now"]))
    return _write(session, tenant, values, _line("phase", by))


def set_route(  # noqa: PLR0913 - the route's three parts, and whether it was proven
    session: Session,
    uid: str,
    *,
    endpoint: str,
    port: int,
    epoch: int,
    unverified: bool,
    now: datetime,
) -> Tenant:
    """Record where the tenant's slot answers."""
    values = {"endpoint": endpoint, "port": port, "epoch": epoch, "unverified": unverified}
    return _write(session, hold(session, uid), values, _Line("route", SYSTEM, now))


def flip_route(session: Session, uid: str, seen_epoch: int, route: Route, **by: Unpack[By]) -> Tenant:
    """Point the tenant to another slot, once: only from the epoch that the caller has seen."""
    tenant = hold(session, uid)
    if tenant.epoch != seen_epoch:
        message = f"{tenant.slug}: the route points to epoch {tenant.epoch} by now, not to {seen_epoch}"
        raise Stale(message, details={"epoch": tenant.epoch})
    values = {"endpoint": route.endpoint, "port": route.port, "epoch": route.epoch}
    return _write(session, tenant, values, _line("flip", by))


def observe_generation(session: Session, uid: str) -> None:
    """What is observed has reached what is wanted."""
    behind = (col(Tenant.uid) == uid, col(Tenant.observed_generation) != col(Tenant.generation))
    reached = {"observed_generation": Tenant.generation, "revision": Tenant.revision + 1}
    changed_rows(session, update(Tenant).where(*behind).values(**reached))


def note_commit(session: Session, uid: str, commit: str) -> None:
    """Where the desired spec stands in the repository. Nothing of the tenant changes by it."""
    changed_rows(session, update(Tenant).where(col(Tenant.uid) == uid).values(spec_commit=commit))


def hold(session: Session, uid: str, revision: int | None = None) -> Tenant:
    """Lock the row until the transaction ends; Stale when it is not of the revision that was seen."""
    wanted = [col(Tenant.uid) == uid]
    if revision is not None:
        wanted.append(col(Tenant.revision) == revision)
    held = changed_rows(session, update(Tenant).where(*wanted).values(revision=Tenant.revision))
    tenant = by_uid(session, uid)
    if not held:
        message = f"{tenant.slug} was changed by somebody else: it has revision {tenant.revision} by now"
        raise Stale(message, hint="look at it again, then repeat", details={"revision": tenant.revision})
    return tenant


# --- inner ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Line:
    """A line of history in the making."""

    what: str
    actor: str
    now: datetime
    operation_id: str | None = None
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


def _line(
    what: str, by: By, before: Mapping[str, Any] | None = None, after: Mapping[str, Any] | None = None
) -> _Line:
    return _Line(what, by["actor"], by["now"], by.get("operation_id"), before or {}, after or {})


def _write(session: Session, tenant: Tenant, values: Mapping[str, Any], line: _Line) -> Tenant:
    """Write what differs, with its line of history; nothing when nothing differs."""
    changed = {name: value for name, value in values.items() if getattr(tenant, name) != value}
    before = {name: getattr(tenant, name) for name in changed} | dict(line.before)
    after = changed | dict(line.after)
    if before == after:
        return tenant
    statement = update(Tenant).where(col(Tenant.uid) == tenant.uid)
    changed_rows(session, statement.values(**changed, revision=Tenant.revision + 1, updated_at=line.now))
    _tell(session, tenant.uid, replace(line, before=before, after=after))
    return by_uid(session, tenant.uid)


def _tell(session: Session, uid: str, line: _Line) -> None:
    event = TenantEvent(tenant_uid=uid, at=line.now, actor=line.actor, what=line.what)
    event.operation_id, event.before, event.after = line.operation_id, dict(line.before), dict(line.after)
    history.append(session, event)


def _change_labels(
    session: Session, uid: str, wanted: Mapping[str, str] | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Replace the labels; what to tell of it."""
    if wanted is None:
        return {}, {}
    before = labels(session, uid)
    if before == dict(wanted):
        return {}, {}
    changed_rows(session, delete(TenantLabel).where(col(TenantLabel.tenant_uid) == uid))
    _write_labels(session, uid, wanted)
    return {"labels": before}, {"labels": dict(wanted)}


def _write_labels(session: Session, uid: str, wanted: Mapping[str, str]) -> None:
    rows = [{"tenant_uid": uid, "key": key, "value": value} for key, value in sorted(wanted.items())]
    if rows:
        session.execute(insert_into(TenantLabel), rows)
