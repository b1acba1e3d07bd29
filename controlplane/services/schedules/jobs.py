"""What is done by the clock: one row each. A job answers a few words of what it did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from controlplane.services import keeping, quotas
from controlplane.services.actor import Actor
from controlplane.services.asking import Way
from controlplane.services.control import Ask, Control
from controlplane.services.costs import actuals, asked, book, commitments, daily
from controlplane.services.drift import asked as drift_asked
from controlplane.services.drift import scanning as drift
from controlplane.services.recovery import drilling
from controlplane.services.rightsizing import alarms
from controlplane.services.rightsizing import asked as rightsizing_asked
from controlplane.services.rightsizing import scanning as rightsizing
from controlplane.services.schedules import hours, lifetimes, retention, soaking, trail

Work = Callable[[Control, Actor], str]
_WAY = Way(Ask(reason="by schedule"))
_PLANS_A_NIGHT = 500


@dataclass(frozen=True)
class Job:
    summary: str
    cron: str
    work: Work
    jitter_seconds: int = 300
    minutes: int = 60  # after which whoever held it counts as gone
    runs_terraform: bool = False  # so that no door does it: it is left to the worker
    by_worker: bool = False  # it needs what only a worker has, such as the way to tenants' databases
    by_cell: bool = False  # it asks a cell's own AWS: done in each, by the workers who live there


def _rightsizing(control: Control, actor: Actor) -> str:
    return _scanned(rightsizing.scan(control, actor, rightsizing_asked.Scanning(), _WAY))


def _overload(control: Control, actor: Actor) -> str:
    urgent = rightsizing_asked.Scanning(urgent_only=True)
    return _scanned(rightsizing.scan(control, actor, urgent, _WAY))


def _alarms(control: Control, actor: Actor) -> str:
    if not alarms.comes(control):
        return "no queue and no topic is named"
    found = alarms.take(control, actor, _WAY)
    said = ", ".join(f"{count} {name}" for name, count in found["alarms"].items()) or "none came"
    return f"{said}; {len(found['looked_at'])} tenants looked at"


def _scanned(found: Mapping[str, Any]) -> str:
    inbox = ", ".join(f"{count} {name}" for name, count in found["inbox"].items()) or "nothing new"
    return f"{found['looked_at']} databases: {inbox}; {found['problem_count']} problems"


def _drift(control: Control, actor: Actor) -> str:
    found = drift.scan(control, actor, drift_asked.Scanning(), _WAY)
    weights = ", ".join(f"{count} {name}" for name, count in found["differences"].items()) or "as recorded"
    return f"{found['looked_at']} databases: {weights}; {len(found['skipped'])} left alone"


def _full_drift(control: Control, actor: Actor) -> str:
    found = drift.scan(control, actor, drift_asked.Scanning(full=True, most=_PLANS_A_NIGHT), _WAY)
    planned = found["planned"]
    failed = sum(bool(one["problem"]) for one in planned)
    differing = sum(len(one["items"]) for one in planned)
    return f"{len(planned)} workspaces planned: {differing} differences, {failed} could not be planned"


def _quotas(control: Control, actor: Actor) -> str:
    return f"{len(quotas.refresh(control, actor, _WAY)['answered'])} quotas answered"


def _cost_record(control: Control, actor: Actor) -> str:
    found = daily.record(control, actor)
    return f"{found['tenants']} tenants, {found['monthly_usd'] or 'unknown'} USD a month"


def _cost_actuals(control: Control, actor: Actor) -> str:
    found = actuals.ask(control, actor, _WAY)
    return f"{found['requests']} requests, {found['cost_usd'] or 'unknown'} USD"


def _prices(control: Control, actor: Actor) -> str:
    found = book.refresh(control, actor, asked.Refreshing(), _WAY).body
    return f"{len(found['changes'])} prices differ; `controlplane cost prices --refresh` takes them"


def _commitments(control: Control, actor: Actor) -> str:
    found = commitments.show(control, actor)
    return f"{found['level']}: {found['reason']}"


def _keep_asleep(control: Control, actor: Actor) -> str:
    del actor  # it acts for whoever suspended them
    return ", ".join(keeping.keep_asleep(control)) or "whoever is suspended sleeps"


def _way_back(control: Control, actor: Actor) -> str:
    return (
        "; ".join(soaking.watch(control, actor))
        or "whoever soaks could go back without a loss, or never could"
    )


def _lifetimes(control: Control, actor: Actor) -> str:
    del actor  # whoever is ended shall see by whom
    return ", ".join(lifetimes.sweep(control)) or "nobody's time is over"


def _off_hours(control: Control, actor: Actor) -> str:
    del actor  # what is asked for is told apart from what persons ask by its own name
    return ", ".join(hours.follow(control)) or "everybody is as the hour wants"


def _restore_drill(control: Control, actor: Actor) -> str:
    return drilling.by_the_clock(control, actor)


def _states(control: Control, actor: Actor) -> str:
    del actor  # nothing is changed: what is stored is shown
    found = control.states().catch_up() if control.states else {}
    left = [f"{workspace}: {why}" for workspace, why in found.items() if why]
    return "; ".join(left) or f"{len(found)} states shown that waited"


def _retention(control: Control, actor: Actor) -> str:
    gone = {**retention.tidy(control, actor), **trail.export_old(control, actor)}
    return ", ".join(f"{count} {kind} dropped" for kind, count in gone.items()) or "everything is kept"


_LOOKS: Mapping[str, Job] = {
    "rightsizing": Job("two weeks of metrics against every class", "30 3 * * *", _rightsizing, 1800, 180),
    "rightsizing-hot": Job("who is overloaded right now", "*/10 * * * *", _overload, 60, 15),
    "alarms": Job("what CloudWatch says of databases", "*/2 * * * *", _alarms, 0, 15),
    "drift": Job("what AWS has against what is recorded", "17 * * * *", _drift),
    "drift-full": Job(
        "plans, where something was seen, by age and by chance", "40 1 * * *", _full_drift, 1800, 600, True
    ),
    "keep-asleep": Job("who is suspended and was started by AWS", "*/15 * * * *", _keep_asleep, 60, 15),
    "way-back": Job(
        "whether rows still come back of tenants that soak", "*/2 * * * *", _way_back, 0, 15, by_worker=True
    ),
    "quotas": Job("what AWS grants the account", "5 4 * * *", _quotas),
    "restore-drill": Job(
        "whether a backup, of whom chance picks, comes back", "0 2 * * sun", _restore_drill, 3600
    ),
}
JOBS: Mapping[str, Job] = {
    **{name: replace(job, by_cell=True) for name, job in _LOOKS.items()},
    "ttl": Job("whose time is over, and who is warned of it", "*/5 * * * *", _lifetimes, 30, 15),
    "off-hours": Job("who sleeps at this hour, by the windows", "*/5 * * * *", _off_hours, 30, 15),
    "states": Job("states that their bucket still lacks", "*/5 * * * *", _states, 60, 15),
    "retention": Job("what old runs and states left behind", "25 2 * * *", _retention),
    "cost-record": Job("what the fleet costs today", "50 23 * * *", _cost_record, 0),
    "cost-actuals": Job("what was billed, one paid request", "45 6 * * *", _cost_actuals),
    "price-refresh": Job("whether prices changed", "20 5 * * mon", _prices),
    "commitment-advice": Job("whether reserved instances would pay", "40 5 1 * *", _commitments),
}
