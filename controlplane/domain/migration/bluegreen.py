"""What RDS asks of a database before it makes a green side for it, and what it calls the sides."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

SHORTEST_SECONDS = 30  # AWS takes no shorter SwitchoverTimeout
LONGEST_SECONDS = 300  # what a switchover is given, where the fence leaves as much
VARIANT = "blue_green"  # of operations on a tenant whose old side stands beside
_SIDE = re.compile(r"-(?:old\d+|green-[a-z0-9]+)")


@dataclass(frozen=True)
class Source:
    """The database that is to get a green side, and what it would become."""

    identifier: str
    backup_days: int
    engine_version: str
    storage_gb: int
    wanted_gb: int
    wanted_class: str
    orderable: Collection[str]  # classes that are sold for its version
    pending: Collection[str] = ()
    replicas: Collection[str] = ()
    encrypted: bool = True


@dataclass(frozen=True)
class Objection:
    why: str
    hint: str


def objections(source: Source) -> list[Objection]:
    """Everything that RDS would refuse, or that would fail half-way; all of it at once."""
    name = source.identifier
    checks = (
        (
            source.backup_days == 0,
            f"{name} has no automated backups, and RDS makes no green side without",
            "turn them on in RDS (a day is enough), then ask again",
        ),
        (not source.encrypted, f"{name} is not encrypted", "--strategy logical_replication"),
        (
            bool(source.pending),
            f"{name} still holds back {', '.join(sorted(source.pending))}",
            "controlplane tenant reconcile SLUG",
        ),
        (
            bool(source.replicas),
            f"{name} has read replicas: {', '.join(sorted(source.replicas))}",
            "remove them, or: --strategy logical_replication",
        ),
        (
            source.wanted_class not in source.orderable,
            f"{source.wanted_class} is not sold for PostgreSQL {source.engine_version} here",
            "another --size",
        ),
        (
            source.storage_gb > source.wanted_gb,
            f"{name} has grown to {source.storage_gb} GB by itself: storage never shrinks",
            f"--storage-gb {source.storage_gb}",
        ),
    )
    return [Objection(why, hint) for broken, why, hint in checks if broken]


def is_side_of(identifier: str, names: Collection[str]) -> bool:
    """Whether RDS made this name, by a deployment, out of another one that is there."""
    return any(
        identifier.startswith(name) and _SIDE.fullmatch(identifier.removeprefix(name)) for name in names
    )
