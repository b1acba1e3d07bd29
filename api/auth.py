"""Credentials become an actor here, and nobody else reads them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import time
from collections import OrderedDict
from collections.abc import Sequence

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from api.limits import Bucket, Limits
from controlplane.domain.errors import Throttled, Unauthenticated
from controlplane.services import access
from controlplane.services.access import Identities, Tokens
from controlplane.services.actor import Actor
from controlplane.services.control import Control

# A token that was good is good for so long without another look: what a revocation takes at most in
# another process; in this one it holds at once.
_REMEMBERED_SECONDS = 2.0
_MOST_REMEMBERED = 1_000
_READING = ("GET", "HEAD", "OPTIONS")
_HINT = "send `Authorization: Bearer TOKEN`; `controlplane token create` makes one"


class Gate:
    """Who stands at the door. Failures of one address are slowed down and audited.

    `others` vouch for whom our own tokens do not know: an OIDC provider is one more of them.
    """

    def __init__(self, control: Control, limits: Limits, others: Sequence[Identities] = ()) -> None:
        self._control = control
        self._sources = (Tokens(control), *others)
        self._known: OrderedDict[bytes, tuple[float, Actor]] = OrderedDict()
        self._rate = Bucket(limits.requests_per_second, limits.burst)
        self._changes = Bucket(limits.changes_per_second, limits.changes_burst, "changes")
        self._failures = Bucket(limits.failures_per_minute / 60, limits.failures_per_minute)
        self._slowed = Bucket(1 / 60, 1)  # an address that is slowed is told once a minute, however it floods

    async def enter(self, request: Request) -> Actor:
        secret = _secret(request.headers.get("authorization", ""))
        if not secret:
            raise Unauthenticated("this request carries no token", hint=_HINT)
        return await self.admit(request, secret)

    async def admit(self, request: Request, secret: str) -> Actor:
        """Who this token is, wherever the request carried it."""
        origin = request.client.host if request.client else "unknown"
        mark = hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
        self._rate.take(mark.hex())
        if request.method not in _READING:
            self._changes.take(mark.hex())
        seen = self._known.get(mark)
        if seen is not None and seen[0] > time.monotonic():
            return seen[1]
        actor = await self._look_up(request, secret, origin)
        self._known[mark] = (time.monotonic() + _REMEMBERED_SECONDS, actor)
        if len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)
        return actor

    async def _look_up(self, request: Request, secret: str, origin: str) -> Actor:
        id_ = str(request.scope.get("request_id", ""))
        if self._failures.is_empty(origin):
            await self._tell_slowed(origin, id_)
            raise Throttled(
                "too many failed attempts from this address",
                hint="wait a minute",
                details={"retry_after": 60},
            )
        try:
            return await run_in_threadpool(access.identify, self._sources, secret, origin)
        except Unauthenticated:
            self._failures.take(origin)
            await run_in_threadpool(access.record_refusal, self._control, origin, id_)
            raise

    async def _tell_slowed(self, origin: str, id_: str) -> None:
        if not self._slowed.is_empty(origin):
            self._slowed.take(origin)
            await run_in_threadpool(access.record_refusal, self._control, origin, id_, slowed=True)

    def forget(self) -> None:
        """After a revocation nobody is remembered."""
        self._known.clear()


def _secret(header: str) -> str:
    """A bearer token, or the password of basic auth, which is all that Terraform's backend can send."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""
