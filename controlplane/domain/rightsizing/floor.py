"""Below which size a tenant never goes: what its stage, its customer class and people's decisions say."""

from __future__ import annotations

from controlplane.domain.tenant import Size, Stage, customer_class, default_size


def floor_of(stage: Stage, locations: int, users: int, decision: str) -> tuple[Size, str]:
    """The smallest size that is allowed, and why."""
    if stage is Stage.POC:
        return Size.MICRO, "a PoC may be micro"
    if decision:
        return Size.MICRO, f"a recorded decision allows it: {decision}"
    least = default_size(stage, locations, users)
    size_class = customer_class(locations, users)
    return least, f"production, customer class {size_class} ({locations} locations, {users} users)"
