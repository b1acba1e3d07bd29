"""What a scan found, written down: new and living differences, ended ones, and what the record follows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from controlplane.catalog.costing import Pricer
from controlplane.domain.drift import BY_PLAN, Difference
from controlplane.domain.operation import FINAL, Status
from controlplane.domain.tenant import Size, Stage, cost_tier
from controlplane.domain.workspace import SlotSpec
from controlplane.services.control import Control, new_id
from controlplane.services.costs import book
from controlplane.steps.subject import slot_spec
from controlplane.store import operations, slots, tenants
from controlplane.store.fleet import differences
from controlplane.store.fleet.databases import FleetDatabase
from controlplane.store.fleet.rows import DriftFinding

WHOLE = ""  # in place of an attribute: the database as such
_IN_ONE_TRANSACTION = 200
SYSTEM = "controlplane"


@dataclass(frozen=True)
class Look:
    """One database that was looked at; without a row it is nobody's."""

    identifier: str
    row: FleetDatabase | None
    differences: Sequence[Difference]
    situation: str = ""


def record(
    control: Control, looks: Sequence[Look], fresh: Mapping[str, str], left_alone: frozenset[str] | None
) -> Counter[str]:
    """How many differences are new, still there, written back and over.

    `left_alone`: what a look at the whole fleet did not look at; None: it was a part of it.
    """
    counts: Counter[str] = Counter()
    now = control.now()
    with control.db.write() as session:
        differences.remember(session, fresh, now)
        _end(session, looks, left_alone, now, counts)
    _save_all(control, looks, now, counts)
    return counts


def record_plan(control: Control, look: Look, counts: Counter[str]) -> None:
    """What one plan found, beside what the fast look knows of the same database."""
    now = control.now()
    with control.db.write() as session:
        _end(session, [look], None, now, counts, by_plan=True)
    _save_all(control, [look], now, counts)


def _save_all(control: Control, looks: Sequence[Look], now: datetime, counts: Counter[str]) -> None:
    telling = [look for look in looks if look.differences]
    for begin in range(0, len(telling), _IN_ONE_TRANSACTION):
        with control.db.write() as session:
            for look in telling[begin : begin + _IN_ONE_TRANSACTION]:
                _save(control, session, look, now, counts)


def _end(
    session: Session,
    looks: Sequence[Look],
    left_alone: frozenset[str] | None,
    now: datetime,
    counts: Counter[str],
    *,
    by_plan: bool = False,
) -> None:
    """What is as recorded again; and what an operation that is over did not mend is open again. A plan ends
    what a plan found; what is no database of ours any more is over, whoever found it."""
    still = {(look.identifier, d.attribute) for look in looks for d in look.differences}
    looked = {look.identifier for look in looks}
    over = []
    for row in differences.living(session):
        if (row.identifier, row.attribute) in still:
            _reopen(session, row)
        elif row.identifier in looked:
            over += [row.id] if (row.situation == BY_PLAN) is by_plan else []
        elif left_alone is not None and row.identifier not in left_alone:
            over.append(row.id)
    differences.end(session, over, now, "as recorded again")
    counts["ended"] += len(over)


def _reopen(session: Session, row: DriftFinding) -> None:
    if row.operation_id and row.status == "proposed":
        operation = operations.get(session, row.operation_id)
        if Status(operation.status) in FINAL:
            differences.move(session, row.id, ("proposed",), {"status": "open"})


def _save(control: Control, session: Session, look: Look, now: datetime, counts: Counter[str]) -> None:
    for difference in look.differences:
        if difference.writes_back and look.row is not None:
            follows = _follow(control, session, look.row, difference, now)
            counts["written_back" if follows else "skipped"] += 1
            continue
        row = _finding(look, difference, now)
        counts["new" if differences.save(session, row) else "known"] += 1


def _finding(look: Look, difference: Difference, now: datetime, status: str = "open") -> DriftFinding:
    return DriftFinding(
        id=new_id("drift"),
        tenant_uid=look.row.uid if look.row else "",
        slug=look.row.slug if look.row else "",
        identifier=look.identifier,
        attribute=difference.attribute,
        severity=difference.severity.value,
        situation=look.situation,
        expected=difference.expected,
        found=difference.found,
        words=difference.words,
        next_step=difference.next_step,
        status=status,
        first_seen_at=now,
        last_seen_at=now,
    )


def brief(look: Look, difference: Difference) -> dict[str, Any]:
    return {
        "tenant": look.row.slug if look.row else None,
        "identifier": look.identifier,
        "attribute": difference.attribute,
        "severity": difference.severity.value,
        "expected": difference.expected,
        "found": difference.found,
        "words": difference.words,
    }


# --- the record follows -----------------------------------------------------------------------------


def _follow(
    control: Control, session: Session, row: FleetDatabase, difference: Difference, now: datetime
) -> bool:
    """Grown storage and raised minor versions; not under the hands of an operation that began meanwhile."""
    if operations.unfinished(session, f"tenant-{row.uid}"):
        return False
    before = slot_spec(slots.get(session, row.uid, row.epoch))
    after = changed(before, difference.attribute, difference.found)
    adopt(control, session, row, after, SYSTEM)
    done = _finding(Look(row.identifier, row, ()), difference, now, "written_back")
    session.add(done)
    session.flush()
    return True


def changed(slot: SlotSpec, attribute: str, found: str) -> SlotSpec:
    """The slot with what AWS has."""
    if attribute == "storage_gb":
        return replace(slot, storage_gb=int(found))
    if attribute == "engine_version":
        return replace(slot, engine_version=found)
    if attribute == "multi_az":
        return replace(slot, multi_az=found == "yes")
    if attribute == "backup_days":
        return replace(slot, backup_days=int(found))
    raise ValueError(f"{attribute} is nothing that a slot records")


def adopt(control: Control, session: Session, row: FleetDatabase, slot: SlotSpec, actor: str) -> None:
    """Record the slot as it is in AWS, and with it what its tenant is said to want and to cost."""
    tenant = tenants.by_uid(session, row.uid)
    was_reached = tenant.observed_generation == tenant.generation
    slots.save(session, row.uid, slot, status=row.slot_status)
    if row.is_routed:
        wanted = _wanted(book.in_force(control), row, slot)
        tenants.change(session, row.uid, wanted, actor=actor, now=control.now())
        if was_reached:
            tenants.observe_generation(session, row.uid)


def _wanted(pricer: Pricer, row: FleetDatabase, slot: SlotSpec) -> dict[str, Any]:
    return {
        "size": slot.size.value,
        "storage_gb": slot.storage_gb,
        "cost_tier": cost_tier(Stage(row.stage), Size(slot.size)),
        "monthly_usd": pricer.monthly_usd([slot], row.stage, row.region),
    }
