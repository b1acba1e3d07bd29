"""One look at the fleet: measure, advise, and bring the inbox up to date.

A tenant that cannot be looked at is named, and the scan goes on. Nothing is asked of AWS while the catalog's
database is held.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from controlplane.catalog.attributes import load_attributes
from controlplane.catalog.costing import Pricer
from controlplane.catalog.rightsizing import RightSizing, load_rightsizing
from controlplane.domain.errors import ControlPlaneError
from controlplane.domain.plan.forecast import Outage
from controlplane.domain.rightsizing import Advice, Measured, Series, Subject, Thresholds, advise
from controlplane.domain.rightsizing.floor import floor_of
from controlplane.domain.rightsizing.opinions import Opinion
from controlplane.domain.selectors import Selector, parse_selector
from controlplane.domain.tenant import Phase, Size, Stage, is_down
from controlplane.domain.workspace import SlotSpec
from controlplane.ports import DatabaseInstance
from controlplane.services.actor import Action, Actor
from controlplane.services.asking import Way
from controlplane.services.control import Control, new_id
from controlplane.services.costs import book
from controlplane.services.once import within
from controlplane.services.rightsizing import afterwards, alone, measuring, proposing
from controlplane.services.rightsizing.asked import Scanning
from controlplane.services.rightsizing.inbox import row_of
from controlplane.services.rightsizing.measuring import Target
from controlplane.store.fleet import databases, recommendations, scans
from controlplane.store.fleet.databases import FleetDatabase
from controlplane.store.fleet.rows import Scan

_IN_ONE_TRANSACTION = 200
_MOST_PROBLEMS = 1_000  # of a scan that are written down; all are counted
_MEASURED_PHASES = (Phase.READY, Phase.CONVERGING, Phase.UPDATING, Phase.FAILED, Phase.NEEDS_OPERATOR)


@dataclass
class Tally:
    """What a scan came to."""

    looked_at: int = 0
    findings: Counter[str] = field(default_factory=Counter)
    inbox: Counter[str] = field(default_factory=Counter)
    problems: list[dict[str, str]] = field(default_factory=list)
    problem_count: int = 0

    def problem(self, slug: str, words: str) -> None:
        self.problem_count += 1
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append({"tenant": slug, "problem": words})


def scan(control: Control, actor: Actor, body: Scanning, way: Way) -> dict[str, Any]:
    """Look at the fleet, or at a part of it. A dry run writes nothing."""
    actor.require(Action.CHANGE_FLEET)
    started, facts = control.now(), load_rightsizing()
    if not way.dry_run:
        afterwards.follow_up(control, facts, started)
    thresholds = facts.thresholds
    if body.look_back_days:
        thresholds = replace(thresholds, look_back_days=body.look_back_days)
    tally = Tally()
    fleet = _fleet(control, parse_selector(body.selector), tally)
    found = _advice(
        control, replace(facts, thresholds=thresholds), fleet, tally, urgent_only=body.urgent_only
    )
    items = []
    while part := list(islice(found, _IN_ONE_TRANSACTION)):
        items += _record(control, part, tally, write=not way.dry_run)
    if not way.dry_run:
        tally.inbox.update(alone.act(control, items))
    return _summary(control, actor, body, tally, started, write=not way.dry_run)


def _summary(
    control: Control, actor: Actor, body: Scanning, tally: Tally, started: datetime, *, write: bool
) -> dict[str, Any]:
    kind = "rightsizing-hot" if body.urgent_only else "rightsizing"
    row = Scan(
        id=new_id("scan"),
        kind=kind,
        started_by=actor.name,
        looked_at=tally.looked_at,
        found=sum(tally.inbox[name] for name in ("new", "updated")),
        problems=tally.problems,
        started_at=started,
        ended_at=control.now(),
    )
    if write:
        with control.db.write() as session:
            scans.record(session, row)
    return {
        "id": row.id,
        "kind": kind,
        "looked_at": tally.looked_at,
        "findings": dict(sorted(tally.findings.items())),
        "inbox": {name: count for name, count in sorted(tally.inbox.items()) if count},
        "problem_count": tally.problem_count,
        "problems": tally.problems,
        "dry_run": not write,
    }


# --- who is looked at -------------------------------------------------------------------------------


def _fleet(control: Control, selector: Selector, tally: Tally) -> list[FleetDatabase]:
    """What serves now and is what it is recorded to be; everything else is named."""
    with control.db.read() as session:
        ours = databases.every(session, control.region, control.cell_of_many)
    rows = [row for row in ours if row.is_routed]
    wanted = [row for row in rows if selector.matches(row.selectable)]
    seen = _instances(control, tally)
    found = []
    for row in wanted:
        why = _unfit(row, seen, control)
        if why:
            tally.problem(row.slug, why)
        elif row.phase in _MEASURED_PHASES:
            found.append(row)
    return found


def _instances(control: Control, tally: Tally) -> Mapping[str, DatabaseInstance] | None:
    """None: AWS did not say, and that is no reason to leave the metrics alone."""
    if control.fleet_source is None:
        return None
    try:
        return {one.identifier: one for one in control.fleet_source().databases()}
    except ControlPlaneError as error:
        tally.problem("", f"the databases cannot be listed: {error.message}")
        return None


def _unfit(row: FleetDatabase, seen: Mapping[str, DatabaseInstance] | None, control: Control) -> str:
    if seen is None or row.phase not in _MEASURED_PHASES:
        return ""
    there = seen.get(row.identifier)
    if there is None:
        return f"the database {row.identifier} is not there: `controlplane drift scan`"
    recorded = control.catalog.sizes[Size(row.size)].instance_class
    if there.instance_class != recorded:
        return f"it is a {there.instance_class} and recorded as {recorded}: `controlplane drift scan`"
    return "" if there.status not in ("stopped", "stopping") else f"the database is {there.status}"


# --- advice -----------------------------------------------------------------------------------------


def _advice(
    control: Control, facts: RightSizing, fleet: Sequence[FleetDatabase], tally: Tally, *, urgent_only: bool
) -> Iterator[tuple[FleetDatabase, Advice]]:
    source, now = measuring.source(control), control.now()
    targets = [Target(row.identifier, facts.step(Size(row.size))) for row in fleet]
    hot = {}
    for identifier, found in measuring.recent(source, targets, measuring.just_now(now)):
        hot[identifier] = found
    if urgent_only:
        measured = iter(hot.items())
    else:
        measured = measuring.long_term(source, targets, measuring.look_back(facts.thresholds, now))
    by_identifier, costing = {row.identifier: row for row in fleet}, Costing(control)
    opinions = {} if urgent_only else _opinions(control, tally)
    for identifier, found in measured:
        row = by_identifier[identifier]
        tally.looked_at += 1
        for problem in dict.fromkeys(
            [*found.problems, *(hot[identifier].problems if identifier in hot else ())]
        ):
            tally.problem(row.slug, problem)
        series: dict[str, Series] = {**found.series, **hot[identifier].series}
        advice = _beside(opinions.get(identifier), _of_one(row, series, facts, costing, now))
        tally.findings[advice.finding.value if advice.finding else "unknown"] += 1
        yield row, advice


def _opinions(control: Control, tally: Tally) -> Mapping[str, Opinion]:
    """AWS's own, where they are asked for: without them the scan goes on."""
    if control.opinion_source is None:
        return {}
    try:
        return {one.identifier: one for one in control.opinion_source().opinions()}
    except ControlPlaneError as error:
        tally.problem("", f"Compute Optimizer: {error.message}")
        return {}


def _beside(opinion: Opinion | None, advice: Advice) -> Advice:
    if opinion is None:
        return advice
    return replace(
        advice,
        remarks=(*advice.remarks, opinion.words()),
        evidence={**advice.evidence, "compute_optimizer": asdict(opinion)},
    )


def _of_one(
    row: FleetDatabase, measured: Measured, facts: RightSizing, costing: Costing, now: datetime
) -> Advice:
    return advise(subject(row, costing), facts.ladder, measured, facts.thresholds, int(now.timestamp()))


@dataclass
class Costing:
    """Prices and outages of a fleet; equal databases are counted once."""

    control: Control
    pricer: Pricer = field(init=False)

    def __post_init__(self) -> None:
        self.pricer = book.in_force(self.control)

    def by_size(self, row: FleetDatabase) -> dict[Size, Decimal | None]:
        slot = SlotSpec(
            row.epoch,
            row.identifier,
            Size(row.size),
            row.storage_gb,
            row.multi_az,
            row.backup_days,
            alarms=row.alarms,
        )
        return {
            size: self.pricer.monthly_usd([replace(slot, size=size)], row.stage, row.region) for size in Size
        }

    def credit_usd(self, region: str) -> Decimal | None:
        """A book that somebody took before there was this price does not have it."""
        return self.pricer.rates(region).usd.get("rds.credit")

    def outage(self, *, multi_az: bool) -> Outage:
        rule = load_attributes().find("instance_class", "postgres", ())
        if rule is None:
            return Outage(0, None)
        return rule.multi_az if multi_az else rule.single


def subject(row: FleetDatabase, costing: Costing) -> Subject:
    stage = Stage(row.stage)
    floor, why = floor_of(stage, row.locations, row.users, row.rightsizing_decision)
    ceiling = costing.control.catalog.stages[stage].storage_ceiling_gb
    return Subject(
        slug=row.slug,
        identifier=row.identifier,
        stage=stage,
        size=Size(row.size),
        floor=floor,
        floor_words=why,
        storage_gb=row.storage_gb,
        max_storage_gb=max(ceiling, 2 * row.storage_gb),
        last_change_at=int(row.resized_at.timestamp()) if row.resized_at else None,
        stepped_down=bool(row.resized_from) and is_down(row.resized_from, row.size),
        monthly_usd=costing.by_size(row),
        outage=costing.outage(multi_az=row.multi_az),
        credit_usd=costing.credit_usd(row.region),
    )


# --- the inbox --------------------------------------------------------------------------------------


def _record(
    control: Control, part: Sequence[tuple[FleetDatabase, Advice]], tally: Tally, *, write: bool
) -> list[str]:
    """The ids of what is open now. Who went away meanwhile is named."""
    if not write:
        tally.inbox["would_propose"] += sum(advice.proposes for _, advice in part)
        return []
    now, ids = control.now(), []
    with control.db.write() as session:
        silent = recommendations.suppressed(session, now)
        there = {row.uid for row in databases.every(session, control.region, control.cell_of_many)}
        for row, advice in part:
            if row.uid not in there:
                tally.problem(row.slug, "it went away during the scan")
            elif not advice.proposes:
                ended = advice.finding is not None and recommendations.end_open(
                    session, row.uid, now, "no longer found"
                )
                tally.inbox["ended"] += ended
            elif (row.uid, advice.signature) in silent:
                tally.inbox["suppressed"] += 1
            else:
                found = row_of(new_id("rec"), row, advice, now)
                became = recommendations.save(session, found)
                renewed = became == "kept" and proposing.renew(within(control, session), found)
                tally.inbox["renewed" if renewed else became] += 1
                ids.append(row.uid)
    return ids


__all__ = ["Costing", "Thresholds", "scan", "subject"]
