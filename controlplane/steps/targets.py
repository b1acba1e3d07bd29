"""The database that a tenant moves to: seeded under the fence, verified against its source, opened."""

from __future__ import annotations

from typing import Any

from controlplane.domain.errors import Conflict, Refused
from controlplane.domain.migration.evidence import Verification
from controlplane.domain.migration.states import Flip, State, Strategy
from controlplane.durable import Retry
from controlplane.steps import credentials, moving, probing, subject
from controlplane.steps.credentials import login, tags_of
from controlplane.steps.replicating import loses_since
from controlplane.steps.snapshots import await_available, prove, receipt
from controlplane.steps.story import effect, say
from controlplane.steps.subject import Subject
from controlplane.steps.world import world
from controlplane.store.moves import Migration


@effect("preflight", "looking for what stands in the way")
def preflight(operation_id: str) -> dict[str, Any]:
    """Asked of AWS and of the database before anything is touched. Reads only."""
    found, row = subject.load(operation_id), moving.of(operation_id)
    tenant, slot = found.the_tenant(), moving.slot_at(found, row.from_epoch)
    if row.flip != Flip.OPEN:
        return {"obstacles": []}
    instance = world().ports.cloud.database(slot.identifier)
    if instance is None or instance.status != "available":
        state = instance.status if instance else "not there"
        raise Refused(f"{tenant.slug}: its database {slot.identifier} is {state}", hint="tenant explain SLUG")
    if not instance.encrypted and row.strategy == Strategy.SNAPSHOT_RESTORE:
        raise Refused(
            f"{slot.identifier} is not encrypted: its snapshot would not be either",
            hint="--strategy logical_replication",
        )
    obstacles = world().ports.migration.obstacles(login(tenant, slot, "cp_control"), row.strategy)
    for one in obstacles:
        say(operation_id, "warning", f"{one.name}: {one.detail}")
    moving.keep(row.id, "receipts", {"obstacles": [f"{o.name}: {o.detail}" for o in obstacles]})
    blocking = [one for one in obstacles if one.blocks]
    if blocking:
        raise Refused(
            f"{tenant.slug} cannot move yet: " + "; ".join(f"{o.name}: {o.detail}" for o in blocking),
            hint="; ".join(o.hint for o in blocking if o.hint),
        )
    return {"obstacles": [one.name for one in obstacles]}


@effect("seed", "taking the snapshot under the fence")
def seed(operation_id: str) -> dict[str, Any]:
    """The rows as they stand while nobody writes; under the key of the platform that they go to."""
    row = moving.require_open(operation_id)
    found = subject.load(operation_id)
    source, target = moving.slot_at(found, row.from_epoch), target_of(found)
    _require_closed(found, row)
    tags = tags_of(found.the_tenant(), source)
    moving.reach(row.id, State.SEEDING)
    name = str(target.snapshot_identifier)
    copied = found.payload.get("copied_from", "")
    taken = prove(copied or name, source.identifier, tags)
    receipts = {"snapshot": receipt(taken)}
    if copied:
        cloud = world().ports.cloud
        copy = cloud.copy_snapshot(copied, name, str(target.kms_key_id), tags)
        receipts["copy"] = receipt(await_available(copy))
    moving.keep(row.id, "receipts", receipts)
    moving.require_open(operation_id)
    return receipts


def _require_closed(found: Subject, row: Migration) -> None:
    """A snapshot of a database that somebody may write to would lose what comes after it."""
    control = login(found.the_tenant(), moving.slot_at(found, row.from_epoch), "cp_control")
    seen = world().ports.migration.activity(control)
    if not seen.quiet:
        raise Refused(
            f"the source is not closed: {seen.sessions} sessions, open logins {', '.join(seen.open_logins)}",
            hint="ask for the upgrade again",
        )


def target_of(found: Subject) -> Any:
    epoch = found.payload["slot"]["epoch"]
    return next(slot for slot in found.wanted() if slot.epoch == epoch)


@effect("await_target", "waiting for the new database")
def await_target(operation_id: str) -> dict[str, Any]:
    found = subject.load(operation_id)
    return probing.await_settled(found, target_of(found))


@effect("target_logins", "giving the new database its own passwords")
def make_logins(operation_id: str) -> None:
    """It came with the source's, behind the source's fence; the application's logins stay closed."""
    found, row = subject.load(operation_id), moving.of(operation_id)
    credentials.make_logins(found.the_tenant(), moving.slot_at(found, row.to_epoch))
    moving.reach(row.id, State.TARGET_READY)


@effect("verify", "comparing the new database with its source", Retry(attempts=3))
def verify(operation_id: str) -> dict[str, Any]:
    """V0 to V6 while both are closed. A check that fails, or does not end, blocks the switch."""
    here, row = world(), moving.of(operation_id)
    if row.flip == Flip.FLIPPED:
        return dict(row.verification)
    moving.require_open(row.id)
    found = subject.load(operation_id)
    sides = [
        login(found.the_tenant(), moving.slot_at(found, epoch), "cp_control")
        for epoch in (row.from_epoch, row.to_epoch)
    ]
    done = here.ports.migration.verify(sides[0], sides[1], row.token)
    return judge(row, done)


def judge(row: Migration, done: Verification, without: str = "") -> dict[str, Any]:
    """Keep what was compared, and go on only if it is the same; `without` a check that cannot be made yet."""
    made = [c for c in done.checks if c.id != without]
    failed = [f"{c.id} {c.name}: {c.detail}" for c in made if not c.passed]
    checks = [{"id": c.id, "name": c.name, "passed": c.passed, "detail": c.detail} for c in made]
    at = world().now().isoformat()
    report = {"passed": not failed, "digest": done.digest, "at": at, "checks": checks}
    moving.keep(row.id, "verification", report)
    if failed:
        raise Conflict(
            "the new database is not the old one: " + "; ".join(failed),
            hint="controlplane migration show SLUG",
        )
    moving.reach(row.id, State.VERIFIED)
    return {"passed": True, "digest": done.digest}


@effect("open_target", "opening the new database to its application")
def open_target(operation_id: str) -> None:
    found, row = subject.load(operation_id), moving.of(operation_id)
    if row.flip != Flip.FLIPPED:
        raise Conflict("the route was not switched: the new database stays closed")
    slot = moving.slot_at(found, row.to_epoch)
    world().ports.database.unfence(login(found.the_tenant(), slot, "cp_control"))
    moving.reach(row.id, State.OPEN)


@effect("open_source", "opening the old database to its application")
def open_source(operation_id: str) -> None:
    found, row = subject.load(operation_id), moving.of(operation_id)
    if row.flip != Flip.REVERSED:
        raise Conflict("the route was not switched back: the old database stays closed")
    slot = moving.slot_at(found, row.from_epoch)
    world().ports.database.unfence(login(found.the_tenant(), slot, "cp_control"))


@effect("measure_loss", "counting what the way back gives up")
def measure_loss(operation_id: str) -> dict[str, Any]:
    """Rows that only the new database has, table by table, while both are closed. A count is no diff:
    changed and deleted rows are said not to be counted."""
    found, row = subject.load(operation_id), moving.of(operation_id)
    if row.flip == Flip.REVERSED:
        return dict(row.loss)
    tenant = found.the_tenant()
    pictures = [
        world().ports.database.fingerprint(login(tenant, moving.slot_at(found, epoch), "cp_control"))
        for epoch in (row.from_epoch, row.to_epoch)
    ]
    same = pictures[0]["tables"] == pictures[1]["tables"]
    ours, theirs = ({name: t["count"] for name, t in p["tables"].items()} for p in pictures)
    rows = {n: theirs[n] - ours.get(n, 0) for n in theirs if theirs[n] != ours.get(n, 0)}
    since = loses_since(row)
    loss = {"since": since, "nothing": same, "rows_more_by_table": rows, "changed_rows": "not counted"}
    moving.keep(row.id, "loss", loss)
    if not same and not found.payload.get("accept_loss"):
        raise Refused(
            f"the way back would give up what was written since {since}: {rows or 'changed rows'}",
            hint=f"controlplane migration rollback {tenant.slug} --accept-loss",
        )
    return loss
