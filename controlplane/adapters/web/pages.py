"""`Web` over HTTP: one look at one page, which ends in time whatever answers, or does not."""

from __future__ import annotations

from controlplane.adapters.web.guard import BadUrl, Guard
from controlplane.domain.errors import ControlPlaneError
from controlplane.domain.migration.evidence import Page


class Pages:
    """Only looking up a name has a time of its own: the machine's resolver decides it."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    def get(self, url: str, seconds: float) -> Page:
        from controlplane.adapters.web.fetching import fetch  # noqa: PLC0415 - slow, and mostly not needed

        try:
            return fetch(self._guard.way(url), seconds)
        except BadUrl as error:
            return Page(None, problem=str(error))
        except ControlPlaneError as error:
            return Page(None, problem=error.message)
        except OSError as error:  # the name has no address
            return Page(None, problem=type(error).__name__)
