"""The fast scan: AWS is asked once for the whole fleet, and compared with what is recorded.

Who is being changed is left alone until it is over; who failed is looked at like everybody else. What RDS did
by itself is written back, so that no later plan asks for less.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from controlplane.domain.drift import Actual, Difference, Expected, Severity, compare
from controlplane.domain.errors import Unavailable
from controlplane.domain.plan.situations import find_situation
from controlplane.domain.selectors import parse_selector
from controlplane.domain.tenant import Phase, Size, Stage
from controlplane.ports import DatabaseInstance
from controlplane.services.actor import Action, Actor
from controlplane.services.asking import Way
from controlplane.services.control import Control, new_id
from controlplane.services.drift import alone, planning, recording, shared
from controlplane.services.drift.asked import Scanning
from controlplane.services.drift.recording import WHOLE, Look
from controlplane.services.drift.shared import SharedDatabase
from controlplane.store import platforms
from controlplane.store.fleet import databases, differences, scans
from controlplane.store.fleet.databases import FleetDatabase, SchemaTenant
from controlplane.store.fleet.rows import Scan

_MARK, _OURS = "managed-by", "controlplane"
_LEAVING = ("deleting", "deleted")
_SUSPICIOUS = 3  # so many recorded and none there: rather the wrong account than so many disasters
_ACTUAL = tuple(Actual.__dataclass_fields__)


@dataclass(frozen=True)
class Record:
    """What the catalog knows, read at one moment."""

    rows: Sequence[FleetDatabase]
    standing: frozenset[str]  # identifiers of everything that is or shall be there
    seen: Mapping[str, str]
    homes: Mapping[tuple[str, str, str], Mapping[str, Any]]
    shared: Sequence[SharedDatabase]
    schemas: Sequence[SchemaTenant]


@dataclass
class Tally:
    looked_at: int = 0
    differences: Counter[str] = field(default_factory=Counter)
    skipped: list[dict[str, str]] = field(default_factory=list)


def scan(control: Control, actor: Actor, body: Scanning, way: Way) -> dict[str, Any]:
    """Compare, classify, record. A dry run only compares."""
    actor.require(Action.CHANGE_FLEET)
    if body.full:
        planning.refuse_elsewhere(control, body)
    started, tally = control.now(), Tally()
    record = _record(control)
    there = {one.identifier: one for one in instances(control)}
    _refuse_the_unlikely(control, record, there)
    looks = list(_looks(control, record, there, body, tally))
    tally.skipped += shared.passed_over(record.schemas, parse_selector(body.selector))
    if not body.selector:
        looks += [*shared.gone(record.shared, there), *_strangers(record, there)]
    for look in looks:
        tally.differences.update(d.severity.value for d in look.differences)
    counts: Counter[str] = Counter()
    if not way.dry_run:
        fresh = {i: one.resource_id for i, one in there.items() if i in record.standing - record.seen.keys()}
        busy = frozenset(row.identifier for row in record.rows if row.busy_with)
        counts = recording.record(control, looks, fresh, None if body.selector else busy)
        _note(control, actor, tally, counts, started)
    planned = planning.look(control, _plannable(looks), body, counts, way) if body.full else {}
    if not way.dry_run:
        counts.update(alone.open_reviews(control, [look.row for look in looks if look.row is not None]))
    return {
        "id": new_id("scan"),
        "kind": "drift",
        "looked_at": tally.looked_at,
        "databases_in_aws": len(there),
        "differences": dict(sorted(tally.differences.items())),
        "inbox": {name: count for name, count in sorted(counts.items()) if count},
        "skipped": tally.skipped,
        "items": [recording.brief(look, d) for look in looks for d in look.differences],
        "dry_run": way.dry_run,
        **planned,
    }


def _record(control: Control) -> Record:
    with control.db.read() as session:
        of_platforms = shared.of_platforms(control, session)
        return Record(
            databases.every(session, control.region, control.cell_of_many),
            frozenset(databases.standing(session)) | {one.identifier for one in of_platforms},
            differences.seen(session),
            {(p.blueprint, p.environment, p.cell): p.outputs for p in platforms.every(session)},
            of_platforms,
            shared.schema_tenants(control, session),
        )


def _plannable(looks: Sequence[Look]) -> planning.Fleet:
    """Who was looked at; and who of them is to be planned first."""
    routed = {look.row.uid: look.row for look in looks if look.row is not None and look.row.is_routed}
    seen = {
        look.row.uid
        for look in looks
        if look.row and any(d.severity is not Severity.BENIGN for d in look.differences)
    }
    return planning.Fleet(routed, seen)


def instances(control: Control) -> Sequence[DatabaseInstance]:
    if control.fleet_source is None:
        raise Unavailable("this control plane cannot look at AWS")
    return control.fleet_source().databases(fresh=True)


def _refuse_the_unlikely(control: Control, record: Record, there: Mapping[str, DatabaseInstance]) -> None:
    expected = [row for row in record.rows if row.slot_status == "present"]
    if len(expected) >= _SUSPICIOUS and not any(row.identifier in there for row in expected):
        raise Unavailable(
            f"AWS lists none of {len(expected)} recorded databases in {control.region}: nothing was recorded",
            hint="look at the account and the region that this process works in: `controlplane doctor`",
        )


def _note(control: Control, actor: Actor, tally: Tally, counts: Counter[str], started: Any) -> None:
    row = Scan(
        id=new_id("scan"),
        kind="drift",
        started_by=actor.name,
        looked_at=tally.looked_at,
        found=counts["new"],
        problems=tally.skipped[:1000],
        started_at=started,
        ended_at=control.now(),
    )
    with control.db.write() as session:
        scans.record(session, row)


# --- one database -----------------------------------------------------------------------------------


def _looks(
    control: Control,
    record: Record,
    there: Mapping[str, DatabaseInstance],
    body: Scanning,
    tally: Tally,
) -> Iterator[Look]:
    selector = parse_selector(body.selector)
    for row in record.rows:
        if not selector.matches(row.selectable):
            continue
        if row.busy_with:
            tally.skipped.append({"tenant": row.slug, "why": f"is being changed by {row.busy_with}"})
            continue
        if row.slot_status != "present":
            continue  # it is not there yet, or no longer meant to be
        tally.looked_at += 1
        yield Look(row.identifier, row, _of_one(control, record, row, there.get(row.identifier)))


def _of_one(
    control: Control, record: Record, row: FleetDatabase, one: DatabaseInstance | None
) -> list[Difference]:
    if one is None:
        missing = find_situation(in_catalog=True, in_state=True, in_aws=False)
        return [Difference(WHOLE, Severity.DANGEROUS, row.identifier, "", missing.meaning, missing.next_step)]
    return compare(expected(control, record, row), actual(one))


def expected(control: Control, record: Record, row: FleetDatabase) -> Expected:
    major = (row.engine_version or control.catalog.engine.default_major).partition(".")[0]
    home = record.homes.get((row.blueprint, row.slot_environment or row.environment, row.cell), {})
    groups = home.get("parameter_groups")
    ceiling = control.catalog.stages[Stage(row.slot_stage or row.stage)].storage_ceiling_gb
    return Expected(
        slug=row.slug,
        uid=row.uid,
        epoch=row.epoch,
        identifier=row.identifier,
        instance_class=control.catalog.sizes[Size(row.size)].instance_class,
        storage_gb=row.storage_gb,
        max_storage_gb=min(control.catalog.storage.most_gb, max(ceiling, 2 * row.storage_gb)),
        least_max_storage_gb=ceiling,
        multi_az=row.multi_az,
        backup_days=row.backup_days,
        protected=row.protected,
        engine_version=row.engine_version or control.catalog.engine.default_major,
        suspended=row.phase == Phase.SUSPENDED,
        kms_key_id=row.kms_key_id or None,
        parameter_group=groups.get(major) if isinstance(groups, dict) else None,
        resource_id=record.seen.get(row.identifier),
    )


def actual(one: DatabaseInstance) -> Actual:
    return Actual(**{name: getattr(one, name) for name in _ACTUAL})


# --- nobody's ---------------------------------------------------------------------------------------


def _strangers(record: Record, there: Mapping[str, DatabaseInstance]) -> Iterator[Look]:
    """What carries our mark and stands in no record: it costs, and nobody looks after it."""
    orphan = find_situation(in_catalog=False, in_state=False, in_aws=True)
    for identifier, one in sorted(there.items()):
        ours = one.tags.get(_MARK) == _OURS and one.status not in _LEAVING
        if ours and identifier not in record.standing:
            words = f"{orphan.meaning} ({one.instance_class}, {one.storage_gb} GB)"
            found = Difference(WHOLE, Severity.REAL, "", identifier, words, orphan.next_step)
            yield Look(identifier, None, [found], orphan.name)
