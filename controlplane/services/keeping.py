"""AWS starts a stopped database after seven days; who is suspended then is stopped again.

It is only asked for here: the operation holds the tenant's workspace, so it never meets a resume half-way.
"""

from __future__ import annotations

from controlplane.domain.errors import Conflict
from controlplane.domain.operation import Kind
from controlplane.domain.tenant import Phase
from controlplane.operations import Suspend
from controlplane.services import adoption, tenants
from controlplane.services.actor import Actor, Role
from controlplane.services.control import Ask, Control
from controlplane.store import slots

KEEPER = Actor("controlplane", Role.OPERATOR, origin="keeper")
_WHY = "AWS starts a stopped database after seven days; the tenant is suspended still"
_ASK = Ask(_WHY, priority=30, is_decided=True)
_AWAKE = frozenset({"available", "starting"})


def keep_asleep(control: Control) -> list[str]:
    """Whom it asked to stop again; somebody whom an operation holds is looked at next time."""
    with control.db.read() as session:
        asleep = slots.of_phase(session, Phase.SUSPENDED.value)
    if not asleep:
        return []
    awake = {one.identifier for one in adoption.fleet(control) if one.status in _AWAKE}
    found = sorted({slug for slug, identifier in asleep if identifier in awake})
    return [slug for slug in found if _stop_again(control, slug)]


def _stop_again(control: Control, slug: str) -> bool:
    try:
        tenants.change(control, KEEPER, Kind.SUSPEND, slug, Suspend(), _ASK)
    except Conflict:
        return False
    return True
