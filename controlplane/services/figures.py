"""The fleet in figures, for whoever watches it from outside. No tenant is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from controlplane.services.control import Control
from controlplane.store import figures
from controlplane.store.database import check_revision
from controlplane.store.figures import durations
from controlplane.store.figures.durations import Histogram

__all__ = ["Histogram", "Labels", "counters", "gauges", "histograms", "readiness"]

Labels = tuple[tuple[str, str], ...]


def gauges(control: Control) -> Mapping[str, Mapping[Labels, float]]:
    with control.db.read() as session:
        found = figures.read(session)
        care = {**figures.care(session, control.now()), **figures.drills(session, control.now())}
    return {
        "controlplane_tenants": {(("phase", p),): n for p, n in found.tenants.items()},
        "controlplane_operations": {
            (("kind", k), ("status", s)): n for (k, s), n in found.operations.items()
        },
        "controlplane_operations_waiting": {(): found.waiting},
        "controlplane_fleet_monthly_usd": {(): float(found.monthly_usd)},
        "controlplane_workers": {(): found.workers},
        **{f"controlplane_{name}": {(): number} for name, number in care.items()},
    }


def counters(control: Control) -> Mapping[str, Mapping[Labels, float]]:
    """Of this process: what it asked AWS. A worker that runs elsewhere counts for itself."""
    if control.aws_calls is None:
        return {}
    tally = control.aws_calls()
    names = ("service", "operation", "outcome")
    return {
        "controlplane_aws_calls_total": {_labels(names, key): n for key, n in tally.calls().items()},
        "controlplane_aws_throttles_total": {(("service", s),): n for s, n in tally.throttles().items()},
    }


def histograms(control: Control) -> Mapping[str, Mapping[Labels, Histogram]]:
    with control.db.read() as session:
        operations, runs = durations.of_operations(session), durations.of_runs(session)
    return {
        "controlplane_operation_duration_seconds": {
            _labels(("kind", "status"), key): found for key, found in operations.items()
        },
        "controlplane_terraform_run_duration_seconds": {
            _labels(("phase", "status"), key): found for key, found in runs.items()
        },
    }


def _labels(names: Sequence[str], values: Sequence[str]) -> Labels:
    return tuple(zip(names, values, strict=True))


def readiness(control: Control) -> dict[str, Any]:
    """Raises while the catalog does not answer, or is of another revision; `missing` keeps work from being
    done, not questions from being answered."""
    found = control.db.revision()
    check_revision(found, control.db.place)
    missing = [] if control.worker_lives() else ["worker"]
    return {"status": "ready", "catalog_revision": str(found), "missing": missing}
