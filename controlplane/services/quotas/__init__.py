"""Quotas: what AWS grants, what we use, and at which tenant something runs out.

Defaults stand in the catalog; what AWS said of the account goes before them. Admission looks at the region of
the tenant that is to come.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from controlplane.catalog import Quota
from controlplane.domain.errors import Refused, Unavailable
from controlplane.domain.quotas import REFUSE_PERCENT, State, Use, admit, standing
from controlplane.domain.quotas.cells import Cell
from controlplane.services.actor import Action, Actor
from controlplane.services.asking import Way
from controlplane.services.control import Control, plain
from controlplane.store.fleet import scans
from controlplane.store.fleet.rows import QuotaLimit
from controlplane.store.tables import Platform

# What one more tenant adds, of what is counted.
_A_TENANT = {"databases": 1, "tenants": 1, "rules": 1, "storage_gb": 20}


@dataclass(frozen=True)
class _Known:
    quota: Quota
    use: Use
    answered: QuotaLimit | None


def show(control: Control, actor: Actor, region: str = "") -> dict[str, Any]:
    """The fullest first."""
    actor.require(Action.READ_FLEET)
    where = region or control.region
    with control.db.read() as session:
        known, tenants = _known(control, session, where), scans.counts(session, where)["tenants"]
    return {"region": where, "tenants": tenants, "items": _shown(known, tenants), "next_page_token": None}


def of_cell(control: Control, session: Session, cell: Cell) -> dict[str, Any]:
    """A cell's own quotas: those of another account of the same region are others."""
    known = _known(control, session, cell.region, cell.name)
    tenants = scans.counts(session, cell.region, cell.name)["tenants"]
    return {"tenants": tenants, "items": _shown(known, tenants)}


def _shown(known: Mapping[str, _Known], tenants: int) -> list[dict[str, Any]]:
    items = [_view(one, tenants) for one in known.values()]
    items.sort(key=lambda item: (item["percent"] is None, -(item["percent"] or 0.0), item["name"]))
    return items


def refresh(control: Control, actor: Actor, way: Way) -> dict[str, Any]:
    """Ask AWS, and keep what it says."""
    actor.require(Action.CHANGE_FLEET)
    if control.quota_source is None:
        raise Unavailable("this control plane cannot ask AWS for quotas")
    found = control.quota_source().quotas()
    if not way.dry_run:
        now = control.now()
        rows = [
            QuotaLimit(
                region=control.region,
                cell=control.cell,
                name=f.name,
                granted=f.limit,
                used=f.used,
                seen_at=now,
            )
            for f in found
        ]
        with control.db.write() as session:
            scans.save_limits(session, rows)
    return {"id": control.region, "region": control.region, "answered": [f.name for f in found]}


def check_admission(
    control: Control, session: Session, region: str, storage_gb: int, cell: str = "", *, moving: str = ""
) -> list[str]:
    """Refuse a tenant that would use up what migrations and restores need; else what to warn of. One that is
    `moving` has two databases for some days, and may use what is kept for that. Rules of load balancers are
    counted where a place among them is taken: those of another platform are no matter of this tenant."""
    warnings, place = [], _place(region, cell)
    adds = {**_A_TENANT, "storage_gb": storage_gb, "rules": 0}
    for one in _known(control, session, region, cell).values():
        adding = one.quota.each * adds.get(one.quota.counted, 0)
        if adding:
            warnings += _admitted(one, adding, place, moving, "a second database")
    return warnings


def check_rule(
    control: Control, session: Session, platform: Platform, used: int, *, moving: str = ""
) -> list[str]:
    """Refuse a tenant whose load balancer has no room for its rule; else what to warn of."""
    quota = control.catalog.quotas["listener_rules"]
    answered = scans.limits(session, platform.region, platform.cell).get(quota.name)
    limit = answered.granted if answered else quota.limit
    one = _Known(quota, Use(quota.name, limit, used, 1, quota.reserve), answered)
    return _admitted(one, 1, platform.workspace_id, moving, "a second way in")


def _admitted(one: _Known, adding: int, place: str, moving: str, second: str) -> list[str]:
    state = admit(one.use, adding, may_use_reserve=bool(moving))
    if state is State.REFUSE:
        raise _refused(one, place, moving, second)
    full = f"{one.use.used} of {one.use.limit} {one.quota.meaning} in {place}"
    return [full] if state is State.WARN else []


def _refused(one: _Known, place: str, moving: str, second: str) -> Refused:
    name, full = one.quota.name, f"{one.use.used} of {one.use.limit} {one.quota.meaning}"
    kept = f"{100 - REFUSE_PERCENT} %"
    raised = f"raise the quota {name} in AWS and run `controlplane quota show --refresh`"
    details = {"quota": name, "used": one.use.used, "limit": one.use.limit}
    if moving:
        return Refused(
            f"{moving} would need {second} in {place}: {full}, and {kept} stay free for restores",
            hint=f"{raised}, or stay on the same instance:"
            f" controlplane tenant upgrade {moving} --strategy in_place",
            details=details,
        )
    return Refused(
        f"no tenant more in {place}: {full}, and {kept} and {one.use.reserve} stay free for"
        " migrations and restores",
        hint=f"{raised}, or place it in another cell or region",
        details=details,
    )


def _place(region: str, cell: str) -> str:
    return f"{region}, cell {cell}" if cell else region


def _known(control: Control, session: Session, region: str, cell: str = "") -> dict[str, _Known]:
    """Without a cell: our own account, and everything that our catalog has in the region."""
    answered = scans.limits(session, region, cell or control.cell)
    counts = scans.counts(session, region, cell)
    return {
        name: _Known(quota, _use(quota, answered.get(name), counts), answered.get(name))
        for name, quota in control.catalog.quotas.items()
    }


def _use(quota: Quota, answered: QuotaLimit | None, counts: Mapping[str, int]) -> Use:
    """What is wanted counts before it is there; what others in the account use counts too."""
    ours = counts[quota.counted] * quota.each if quota.counted else None
    theirs = answered.used if answered else None
    used = max((n for n in (ours, theirs) if n is not None), default=None)
    limit = answered.granted if answered else quota.limit
    return Use(quota.name, limit, used, _A_TENANT.get(quota.counted, 0) * quota.each, quota.reserve)


def _view(one: _Known, tenants: int) -> dict[str, Any]:
    how = standing(one.use)
    return {
        "name": one.quota.name,
        "meaning": one.quota.meaning,
        "per": one.quota.per,
        "limit": one.use.limit,
        "source": "aws" if one.answered else "default",
        "seen_at": plain(one.answered.seen_at) if one.answered else None,
        "used": one.use.used,
        "percent": how.percent,
        "state": how.state.value,
        "reserve": one.use.reserve,
        "tenants_left": how.tenants_left,
        "runs_out_at_tenant": None if how.tenants_left is None else tenants + how.tenants_left + 1,
    }
