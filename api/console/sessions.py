"""Who signed in: a random id in a cookie, the token behind it in this process's memory and nowhere else.

Each request asks for the token's actor anew, so that a revoked token ends its sessions.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

COOKIE = "controlplane_session"
SECONDS = 8 * 3600
_MOST = 1_000


@dataclass(frozen=True)
class Session:
    token: str = field(repr=False)
    form_key: str = field(repr=False)  # stands in every form: a page of somebody else's does not know it
    ends_at: float


class Sessions:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._living: OrderedDict[bytes, Session] = OrderedDict()

    def begin(self, token: str) -> str:
        """A fresh id for the cookie: never one that a browser brought."""
        identifier = secrets.token_urlsafe(32)
        session = Session(token, secrets.token_urlsafe(32), self._clock() + SECONDS)
        self._living[_mark(identifier)] = session
        while len(self._living) > _MOST:
            self._living.popitem(last=False)
        return identifier

    def find(self, identifier: str) -> Session | None:
        found = self._living.get(_mark(identifier))
        if found is not None and found.ends_at <= self._clock():
            self.end(identifier)
            return None
        return found

    def end(self, identifier: str) -> None:
        self._living.pop(_mark(identifier), None)


def _mark(identifier: str) -> bytes:
    return hashlib.sha256(identifier.encode("utf-8", "surrogatepass")).digest()
