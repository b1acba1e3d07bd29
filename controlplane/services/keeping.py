"""AWS starts a stopped database after seven days; who is suspended then is stopped again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from controlplane.domain.errors import ControlPlaneError
from controlplane.domain.operation import Kind
from controlplane.domain.tenant import Phase
from controlplane.operations import Suspend
from controlplane.ports import Cloud
from controlplane.services import tenants
from controlplane.services.actor import Actor, Role
from controlplane.services.control import Ask, Control
from controlplane.store import slots

KEEPER = Actor("controlplane", Role.OPERATOR, origin="keeper")
_REASON = "AWS starts a stopped database after seven days; the tenant is suspended still"
_AWAKE = frozenset({"available", "starting"})
_PRIORITY = 30
_log = logging.getLogger(__name__)


@dataclass
class Keeper:
    """A hook of the worker. It only asks: the operation that it asks for holds the workspace, so that it
    never meets a resume half-way."""

    control: Control
    cloud: Callable[[], Cloud]
    every_seconds: float = 900
    _looked: float | None = field(default=None, init=False)

    def __call__(self) -> None:
        if self._looked is not None and time.monotonic() - self._looked < self.every_seconds:
            return
        self._looked = time.monotonic()
        with self.control.db.read() as session:
            asleep = slots.of_phase(session, Phase.SUSPENDED.value)
        if not asleep:
            return
        awake = {one.identifier for one in self.cloud().databases() if one.status in _AWAKE}
        for slug in sorted({slug for slug, identifier in asleep if identifier in awake}):
            self._stop_again(slug)

    def _stop_again(self, slug: str) -> None:
        ask = Ask(_REASON, priority=_PRIORITY)
        try:
            tenants.change(self.control, KEEPER, Kind.SUSPEND, slug, Suspend(), ask)
        except ControlPlaneError as error:  # somebody is at it: the next look tells
            _log.info("%s is awake and not stopped again: %s", slug, error.message)
