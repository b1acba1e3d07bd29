"""The fleet in figures, for whoever watches it from outside. No tenant is named."""

from __future__ import annotations

from collections.abc import Mapping

from controlplane.services.control import Control
from controlplane.store import figures
from controlplane.store.database import check_revision

Labels = tuple[tuple[str, str], ...]


def gauges(control: Control) -> Mapping[str, Mapping[Labels, float]]:
    with control.db.read() as session:
        found = figures.read(session)
    return {
        "controlplane_tenants": {(("phase", p),): n for p, n in found.tenants.items()},
        "controlplane_operations": {
            (("kind", k), ("status", s)): n for (k, s), n in found.operations.items()
        },
        "controlplane_operations_waiting": {(): found.waiting},
        "controlplane_fleet_monthly_usd": {(): float(found.monthly_usd)},
        "controlplane_workers": {(): found.workers},
    }


def readiness(control: Control) -> dict[str, str]:
    """Raises while the catalog does not answer, or is of another revision."""
    found = control.db.revision()
    check_revision(found, control.db.place)
    return {"status": "ready", "catalog_revision": str(found)}
