"""A local client that answers the commonest reads by itself, and wakes the whole one for everything else."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from controlplane.services.quick import open_quick
from controlplane.settings import Settings
from controlplane.terminal.client import Answer, Client, Query


class LightClient:
    """Whatever is not defined here is the whole client's."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.place = settings.database_url

    @cached_property
    def _whole(self) -> Client:
        from controlplane.terminal.local import LocalClient  # noqa: PLC0415 - half a second, where not needed

        return LocalClient(self._settings)

    def tenants(self, query: Query) -> Answer:
        quick = open_quick(self._settings.database_url)
        found = quick.page(query) if quick else None
        return self._whole.tenants(query) if found is None else found

    def tenant(self, slug: str) -> Answer:
        quick = open_quick(self._settings.database_url)
        found = quick.tenant(slug) if quick else None
        return self._whole.tenant(slug) if found is None else found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole, name)
