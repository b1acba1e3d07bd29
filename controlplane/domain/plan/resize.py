"""Whether a resize can work, from what is recorded and observed, before anything is planned.

Terraform and the emulator accept most of what RDS refuses, and with storage autoscaling on a smaller
storage is planned as no change at all: so it is refused here, each time with the way that works.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil

BETWEEN_STORAGE_CHANGES = timedelta(hours=6)
HIGHEST_CONNECTION_SHARE = 0.8  # of what the class allows; above it there is no room for a peak
LARGEST_STORAGE_GB = 65_536
SMALLEST_STEP_PERCENT = 10  # RDS rounds a smaller step up to it
# Statuses in which RDS takes a modification; in storage-optimization it takes no storage change.
_CHANGEABLE = frozenset({"available", "storage-optimization", "backing-up"})


@dataclass(frozen=True)
class Current:
    """A slot as recorded and as AWS shows it."""

    status: str
    instance_class: str
    spec_storage_gb: int  # what was asked for last
    storage_gb: int  # what AWS has: autoscaling may have grown it
    last_storage_change_at: datetime | None = None
    peak_connections: int | None = None  # None: not measured


@dataclass(frozen=True)
class Wanted:
    instance_class: str
    storage_gb: int


@dataclass(frozen=True)
class Classes:
    """What the catalog and AWS say of classes; the order is the ladder's, smallest first."""

    max_connections: Mapping[str, int] = field(default_factory=dict)
    orderable: frozenset[str] | None = None  # in this region and engine version; None: not asked


@dataclass(frozen=True)
class Objection:
    """Why a resize is refused (or, not blocking, what to know), and the way that works."""

    code: str
    message: str
    way: str
    blocks: bool = True


def check_resize(current: Current, wanted: Wanted, classes: Classes, now: datetime) -> list[Objection]:
    """Every objection, so that they are all mended at once; none that blocks means: plan it."""
    found = [_status(current), _orderable(current, wanted, classes), _connections(current, wanted, classes)]
    found += [*_storage(current, wanted), _too_soon(current, wanted, now)]
    return [objection for objection in found if objection]


def _status(current: Current) -> Objection | None:
    if current.status in ("stopped", "stopping", "starting"):
        return Objection(
            "stopped",
            f"the database is {current.status}, and RDS changes no database that is stopped",
            "resume the tenant, resize it, suspend it again",
        )
    if current.status not in _CHANGEABLE:
        return Objection(
            "busy",
            f"the database is {current.status}: RDS takes no change now",
            "wait until it is available: `tenant show` tells",
        )
    return None


def _orderable(current: Current, wanted: Wanted, classes: Classes) -> Objection | None:
    if wanted.instance_class == current.instance_class or classes.orderable is None:
        return None
    if wanted.instance_class in classes.orderable:
        return None
    fitting = ", ".join(c for c in classes.max_connections if c in classes.orderable) or "none"
    return Objection(
        "not_orderable",
        f"{wanted.instance_class} cannot be ordered here for this engine version",
        f"choose a class that can: {fitting}",
    )


def _connections(current: Current, wanted: Wanted, classes: Classes) -> Objection | None:
    ceilings = classes.max_connections
    ceiling, today = ceilings.get(wanted.instance_class), ceilings.get(current.instance_class)
    if wanted.instance_class == current.instance_class or (ceiling and today and ceiling >= today):
        return None
    if ceiling is None:
        return Objection(
            "unknown_class",
            f"how many connections {wanted.instance_class} allows is not in the catalog",
            f"choose one of {', '.join(ceilings) or 'none'}",
        )
    if current.peak_connections is None:
        return Objection(
            "connections_not_measured",
            f"{wanted.instance_class} allows {ceiling} connections; what the tenant needs is not measured",
            "look at the connections of a busy day before approving",
            blocks=False,
        )
    if current.peak_connections <= ceiling * HIGHEST_CONNECTION_SHARE:
        return None
    needed = current.peak_connections / HIGHEST_CONNECTION_SHARE
    fitting = next((c for c, most in ceilings.items() if most >= needed), "none of the ladder")
    return Objection(
        "connection_ceiling",
        f"{wanted.instance_class} allows {ceiling} connections and the peak was {current.peak_connections}",
        f"lower the peak (a connection pool), or choose {fitting}, the smallest class with room for it",
    )


def _storage(current: Current, wanted: Wanted) -> list[Objection]:
    if wanted.storage_gb == current.spec_storage_gb:
        return []
    if wanted.storage_gb < current.spec_storage_gb:
        return [
            Objection(
                "shrink",
                f"storage cannot go from {current.spec_storage_gb} to {wanted.storage_gb} GB: RDS never"
                " shrinks it, and with autoscaling on Terraform would plan nothing",
                "move the tenant to a database with less: `tenant upgrade --strategy logical_replication`",
            )
        ]
    if wanted.storage_gb > LARGEST_STORAGE_GB:
        way = f"ask for {LARGEST_STORAGE_GB} GB at most"
        return [Objection("too_large", f"{wanted.storage_gb} GB is more than RDS allows", way)]
    if wanted.storage_gb <= current.storage_gb:
        return [
            Objection(
                "already_grown",
                f"autoscaling has grown the storage to {current.storage_gb} GB already",
                f"ask for more than {current.storage_gb} GB, or for nothing",
            )
        ]
    return _small_step(current, wanted)


def _small_step(current: Current, wanted: Wanted) -> list[Objection]:
    least = ceil(current.storage_gb * (100 + SMALLEST_STEP_PERCENT) / 100)
    if wanted.storage_gb >= least:
        return []
    message = f"RDS rounds a step below {SMALLEST_STEP_PERCENT} percent up: it will be {least} GB"
    return [Objection("small_step", message, f"ask for {least} GB", blocks=False)]


def _too_soon(current: Current, wanted: Wanted, now: datetime) -> Objection | None:
    if wanted.storage_gb == current.spec_storage_gb:
        return None
    if current.status == "storage-optimization":
        return Objection(
            "storage_optimization",
            "RDS is still optimising the storage after its last change",
            "try again when the database is available",
        )
    last = current.last_storage_change_at
    if last is None or now >= last + BETWEEN_STORAGE_CHANGES:
        return None
    return Objection(
        "too_soon",
        f"the storage was changed at {last:%Y-%m-%d %H:%M} {last.tzname()}: RDS wants six hours in between",
        f"try again after {last + BETWEEN_STORAGE_CHANGES:%Y-%m-%d %H:%M} {last.tzname()}",
    )
