"""V0 to V6: is the target the source? Asked while both are closed to applications."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from controlplane.adapters.postgres import markers, picture
from controlplane.adapters.postgres.connection import Connector
from controlplane.adapters.postgres.picture import Picture
from controlplane.adapters.postgres.schema_files import differences
from controlplane.domain.errors import ControlPlaneError
from controlplane.domain.migration.evidence import Check, Verification
from controlplane.ports import Login

MOST_NAMED = 10


def verify(connector: Connector, source: Login, target: Login, marker: str, seconds: int) -> Verification:
    with ThreadPoolExecutor(2) as side_by_side:  # the outage is as long as the slower one
        pictures = [
            side_by_side.submit(picture.take, connector, login, rows=True, seconds=seconds)
            for login in (source, target)
        ]
        one, other = (each.result() for each in pictures)
    checks = [
        _schema(one, other),
        _counts(one, other),
        _checksums(one, other),
        _sequences(one, other),
        _marker(connector, target, marker),
        _rules(one, other),
        canary(connector, target),
    ]
    pictured = [one.brief()["digest"], other.brief()["digest"]]
    ended = [[check.id, check.passed, check.detail] for check in checks]
    return Verification(tuple(checks), picture.digest([*pictured, *ended]))


def _schema(one: Picture, other: Picture) -> Check:
    found = _only_one_side(one.schema, other.schema)
    return _check("V0", "schema", found, f"{len(one.schema)} lines equal")


def _counts(one: Picture, other: Picture) -> Check:
    ours = {name: rows.count for name, rows in one.tables.items()}
    theirs = {name: rows.count for name, rows in other.tables.items()}
    total = f"{sum(ours.values())} rows in {len(ours)} tables"
    return _check("V1", "row counts", _unequal(ours, theirs), total)


def _checksums(one: Picture, other: Picture) -> Check:
    ours = {name: rows.checksum for name, rows in one.tables.items()}
    theirs = {name: rows.checksum for name, rows in other.tables.items()}
    return _check("V2", "checksums", _unequal(ours, theirs), f"{len(ours)} tables equal")


def _sequences(one: Picture, other: Picture) -> Check:
    behind = [
        f"{name}: {value} there {other.sequences[name][0] if name in other.sequences else 'missing'}"
        for name, (value, called, step) in sorted(one.sequences.items())
        if name not in other.sequences or is_behind(other.sequences[name], (value, called, step))
    ]
    return _check("V3", "sequences", behind, f"{len(one.sequences)} at or past the source")


def is_behind(there: tuple[int, bool, int], wanted: tuple[int, bool, int]) -> bool:
    """Whether `there` could hand out a number that `wanted` has handed out already."""
    (value, called, _), (goal, goal_called, step) = there, wanted
    if value == goal:
        return goal_called and not called
    return value < goal if step > 0 else value > goal


def _marker(connector: Connector, target: Login, marker: str) -> Check:
    if not marker:
        return Check("V4", "marker", False, "no marker was given: nothing shows that the copy is recent")
    found = markers.has(connector, target, marker)
    return Check("V4", "marker", found, f"{marker} {'arrived' if found else 'did not arrive'}")


def _rules(one: Picture, other: Picture) -> Check:
    """Constraints, indexes, extensions, roles and settings; the text of views within one major."""
    found = [line for line in differences(one, other) if line[2:] not in {*one.schema, *other.schema}]
    found += _only_one_side(one.settings, other.settings)
    return _check("V5", "constraints, indexes, extensions, roles, settings", found, "equal")


def canary(connector: Connector, target: Login) -> Check:
    try:
        markers.canary(connector, target)
    except ControlPlaneError as error:
        return Check("V6", "canary write", False, error.message)
    return Check("V6", "canary write", True, "written as app_owner and rolled back")


def _unequal(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    return [
        f"{name}: {ours.get(name, 'missing')} there {theirs.get(name, 'missing')}"
        for name in sorted({*ours, *theirs})
        if ours.get(name) != theirs.get(name)
    ]


def _only_one_side(ours: Sequence[str], theirs: Sequence[str]) -> list[str]:
    one, other = set(ours), set(theirs)
    return [f"- {line}" for line in sorted(one - other)] + [f"+ {line}" for line in sorted(other - one)]


def _check(identifier: str, name: str, found: Sequence[str], otherwise: str) -> Check:
    if not found:
        return Check(identifier, name, True, otherwise)
    rest = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    return Check(identifier, name, False, "; ".join(found[:MOST_NAMED]) + rest)
