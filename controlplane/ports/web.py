"""Pages of the world outside."""

from __future__ import annotations

from typing import Protocol

from controlplane.domain.migration.evidence import Page


class Web(Protocol):
    """Never of the network that we stand in, unless it was named."""

    def get(self, url: str, seconds: float) -> Page:
        """One look that ends in time whatever answers; no redirect is followed. Never raises for a page."""
        ...
