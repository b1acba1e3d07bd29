"""Whose is it? Tags decide: a name that we would give is no proof."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from controlplane.domain.errors import AlreadyExists, Refused

MANAGED_BY = "managed-by"
OURS = "controlplane"
_IDENTITY = (MANAGED_BY, "uid", "epoch")


def to_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(with_mark(tags).items())]


def to_mapping(tags: Sequence[Mapping[str, Any]] | None) -> dict[str, str]:
    return {str(tag["Key"]): str(tag.get("Value", "")) for tag in tags or ()}


def with_mark(tags: Mapping[str, str]) -> dict[str, str]:
    return {MANAGED_BY: OURS, **tags}


def check_same_owner(what: str, found: Mapping[str, str], wanted: Mapping[str, str]) -> None:
    """Raise unless `found` carries our mark and the same tenant and slot as `wanted`."""
    expected = {key: value for key, value in with_mark(wanted).items() if key in _IDENTITY}
    other = sorted(key for key, value in expected.items() if found.get(key) != value)
    if other:
        raise AlreadyExists(
            f"{what} exists and is not ours: its tags {', '.join(other)} differ",
            hint="somebody else made it: remove or rename it, or adopt it on purpose",
            details={"expected": expected, "found": {key: found.get(key, "") for key in expected}},
        )


def check_ours(what: str, found: Mapping[str, str], doing: str) -> None:
    if found.get(MANAGED_BY) != OURS:
        raise Refused(
            f"{doing}: {what} is not ours: it has no tag {MANAGED_BY}={OURS}",
            hint="remove it by hand if that is meant",
        )
