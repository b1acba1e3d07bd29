"""Who takes an event to a receiver, as services see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from controlplane.domain.events.shapes import Form


@dataclass(frozen=True)
class Parcel:
    """One event on its way to one receiver. `url`: an ARN where the form is one of AWS's."""

    form: Form
    url: str = field(repr=False)  # its path may be a secret
    secrets: Sequence[str] = field(repr=False)  # all sign: that is how one is replaced
    identifier: str  # the same at every attempt
    type: str
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Receipt:
    """What became of one attempt."""

    delivered: bool
    detail: str
    gone: bool = False  # the receiver wants nothing more
    wait_seconds: float | None = None  # asked for by the receiver


class Courier(Protocol):
    def check(self, form: Form, url: str) -> str:
        """Raise unless such a URL can be right; its host, for people. Asks nobody."""
        ...

    def send(self, parcel: Parcel) -> Receipt:
        """One attempt, bounded in time. What fails is a receipt, never an error."""
        ...
