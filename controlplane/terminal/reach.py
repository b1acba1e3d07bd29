"""Which client answers: the one of a server, or the one of the local catalog."""

from __future__ import annotations

from typing import cast

from controlplane.settings import Settings
from controlplane.terminal.client import Client


def connect(settings: Settings, *, works: bool = False) -> Client:
    """Through the server when one is set, else on the local catalog. `works`: what is asked for is followed,
    and needs a worker where there is no server."""
    # Each way costs start-up time that the other need not pay.
    if settings.server:
        from controlplane.terminal.remote import RemoteClient  # noqa: PLC0415

        return RemoteClient(settings.server, settings.token, max(0.1, settings.poll_seconds))
    from controlplane.terminal.light import LightClient  # noqa: PLC0415

    return cast(Client, LightClient(settings, works=works))
