"""The fleet in figures, for whoever watches it from outside. No tenant is named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from controlplane.services.control import Control
from controlplane.services.schedules import listing
from controlplane.store import figures
from controlplane.store.database import check_revision
from controlplane.store.figures import durations
from controlplane.store.figures.durations import Histogram

__all__ = ["Histogram", "Labels", "counters", "exposition", "gauges", "histograms", "labelled", "readiness"]

Labels = tuple[tuple[str, str], ...]
Families = Mapping[str, Mapping[Labels, float]]
Counted = Mapping[Labels, Histogram]


def gauges(control: Control) -> Families:
    with control.db.read() as session:
        found = figures.read(session)
        overdue = listing.overdue(control, session)
        care = {**figures.care(session, control.now()), **figures.drilled(session, control.now())}
    return {
        "controlplane_tenants": {(("phase", p),): n for p, n in found.tenants.items()},
        "controlplane_operations": {
            (("kind", k), ("status", s)): n for (k, s), n in found.operations.items()
        },
        "controlplane_operations_waiting": {(): found.waiting},
        "controlplane_fleet_monthly_usd": {(): float(found.monthly_usd)},
        "controlplane_workers": {(): found.workers},
        "controlplane_schedules_overdue": {(("cell", cell),): n for cell, n in overdue.items()},
        **{f"controlplane_{name}": {(): number} for name, number in care.items()},
    }


def counters(control: Control) -> Families:
    """Of this process: what it asked AWS. A worker that runs elsewhere counts for itself."""
    if control.aws_calls is None:
        return {}
    tally = control.aws_calls()
    names = ("service", "operation", "outcome")
    return {
        "controlplane_aws_calls_total": {_labels(names, key): n for key, n in tally.calls().items()},
        "controlplane_aws_throttles_total": {(("service", s),): n for s, n in tally.throttles().items()},
    }


def histograms(control: Control) -> Mapping[str, Counted]:
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
    missing = [] if control.worker_lives("") else ["worker"]
    return {"status": "ready", "catalog_revision": str(found), "missing": missing}


# --- as Prometheus reads them -----------------------------------------------------------------------


def exposition(
    gauges: Families, counters: Families, histograms: Mapping[str, Counted] | None = None
) -> Iterator[str]:
    """Lines of Prometheus's text format."""
    for kind, families in (("gauge", gauges), ("counter", counters)):
        for name, values in families.items():
            yield f"# TYPE {name} {kind}"
            yield from (f"{name}{labelled(dict(labels))} {value:.15g}" for labels, value in values.items())
    for name, found in (histograms or {}).items():
        yield from _histogram(name, found)


def _histogram(name: str, found: Counted) -> Iterator[str]:
    yield f"# TYPE {name} histogram"
    for labels, told in found.items():
        named = dict(labels)
        bounds = [*(f"{bound:g}" for bound in told.bounds), "+Inf"]
        for bound, count in zip(bounds, [*told.counts, told.number], strict=True):
            yield f"{name}_bucket{labelled({**named, 'le': bound})} {count}"
        yield f"{name}_sum{labelled(named)} {told.seconds:.6f}"
        yield f"{name}_count{labelled(named)} {told.number}"


def labelled(labels: Mapping[str, str]) -> str:
    inner = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{inner}}}" if inner else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
