"""Cells for doors and for placing: what each has, and how much room is left in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain.errors import Missing
from controlplane.domain.quotas import State
from controlplane.domain.quotas.cells import Cell, Room, place
from controlplane.domain.tenant import TenantSpec
from controlplane.services import quotas
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Control
from controlplane.store import leases, platforms
from controlplane.store.tables import Tenant

_WORST_FIRST = (State.REFUSE, State.WARN, State.FINE, State.UNKNOWN)


def known(control: Control) -> Mapping[str, Cell]:
    """Ours is always one of them."""
    return control.cells or {control.cell: Cell(control.cell, control.region)}


# --- placing ----------------------------------------------------------------------------------------


def placed(control: Control, session: Session, spec: TenantSpec, region: str, cell: str) -> TenantSpec:
    """In the cell that was asked for, or in one that has room; as ever, where there is one cell only."""
    all_of_them = known(control)
    if len(all_of_them) == 1 and not cell:
        return spec
    rooms = {name: room(control, session, one) for name, one in all_of_them.items() if not cell}
    home = place(all_of_them, rooms, (region, cell), control.cell)
    return replace(spec, region=home.region, cell=home.name)


def check_admission(control: Control, session: Session, spec: TenantSpec) -> list[str]:
    return quotas.check_admission(
        control, session, spec.region, spec.storage_gb, _counted(control, spec.cell)
    )


def check_move(control: Control, session: Session, tenant: Tenant, storage_gb: int) -> None:
    """Refuse a second database of this size beside the one that is left."""
    cell = _counted(control, tenant.cell)
    quotas.check_admission(control, session, tenant.region, storage_gb, cell, moving=tenant.slug)


def _counted(control: Control, cell: str) -> str:
    """Where cells share a region, each counts its own."""
    return "" if len(known(control)) == 1 else cell


def room(control: Control, session: Session, cell: Cell) -> Room:
    return _room(quotas.of_cell(control, session, cell)["items"])


def _room(items: list[dict[str, Any]]) -> Room:
    """What tenants do not use says nothing of their room."""
    used = [item for item in items if item["tenants_left"] is not None]
    if not used:
        return Room(State.UNKNOWN)
    worst = min((State(item["state"]) for item in used), key=_WORST_FIRST.index)
    return Room(worst, min(item["tenants_left"] for item in used))


# --- reading ----------------------------------------------------------------------------------------


def page(control: Control, actor: Actor) -> dict[str, Any]:
    actor.require(Action.READ_FLEET)
    with control.db.read() as session:
        items = [_view(control, session, cell) for _, cell in sorted(known(control).items())]
    return {"items": items, "next_page_token": None}


def _of_many(control: Control, cell: Cell) -> str:
    """A worker that knows of no other cell does not say in which it lives."""
    return cell.name if control.cell_of_many else ""


def show(control: Control, actor: Actor, name: str) -> dict[str, Any]:
    """With its quotas, the fullest first."""
    actor.require(Action.READ_FLEET)
    cell = known(control).get(name)
    if cell is None:
        raise Missing(f"there is no cell {name!r}", hint="controlplane cell list")
    with control.db.read() as session:
        return {
            **_view(control, session, cell),
            "platforms": [
                f"{row.blueprint} in {row.environment}"
                for row in platforms.every(session)
                if row.cell == name and row.outputs
            ],
            "quotas": quotas.of_cell(control, session, cell)["items"],
        }


def _view(control: Control, session: Session, cell: Cell) -> dict[str, Any]:
    found = quotas.of_cell(control, session, cell)
    space = _room(found["items"])
    counts = control.db.file is None  # where workers have leases
    return {
        "id": cell.name,
        "name": cell.name,
        "region": cell.region,
        "account": cell.account or None,
        "roles": [name for name in ("plan_role", "apply_role", "data_role") if getattr(cell, name)],
        "closed": cell.closed,
        "is_ours": cell.name == control.cell,
        "workers": len(leases.living(session, _of_many(control, cell))) if counts else None,
        "tenants": found["tenants"],
        "tenants_left": space.tenants_left,
        "state": "closed" if cell.closed else space.state.value,
    }
