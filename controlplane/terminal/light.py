"""A local client that answers the commonest reads by itself, and wakes the whole one for everything else."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from controlplane.services.quick import Quick, open_quick
from controlplane.settings import Settings
from controlplane.terminal import background
from controlplane.terminal.client import Answer, Client, Query
from controlplane.terminal.outermost import caught
from controlplane.terminal.output import Printer


class LightClient:
    """Whatever is not defined here is the whole client's."""

    def __init__(self, settings: Settings, *, works: bool = False) -> None:
        self._settings = settings
        self._works = works
        self.place = settings.database_url

    @cached_property
    def _whole(self) -> Client:
        from controlplane.terminal.local import LocalClient  # noqa: PLC0415 - half a second, where not needed

        # Before the catalog is open: a connection to SQLite does not outlive a fork.
        alone = self._works and "_quick" not in self.__dict__
        start = background.starter(self._work) if alone else background.start_worker
        return LocalClient(self._settings, start)

    def _work(self) -> int:
        """What a process does that becomes a worker."""
        from controlplane.terminal.labour import labour  # noqa: PLC0415

        out = Printer()
        return caught(out, lambda: labour(self._settings, out, until_idle=True))

    @cached_property
    def _quick(self) -> Quick | None:
        return open_quick(self._settings.database_url)

    def tenants(self, query: Query) -> Answer:
        found = self._quick.page(query) if self._quick else None
        return self._whole.tenants(query) if found is None else found

    def tenant(self, slug: str) -> Answer:
        found = self._quick.tenant(slug) if self._quick else None
        return self._whole.tenant(slug) if found is None else found

    def close(self) -> None:
        if "_whole" in self.__dict__:
            self._whole.close()
        if self.__dict__.get("_quick") is not None:
            self._quick.close()  # type: ignore[union-attr]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole, name)
