"""The outermost layer, as plain ASGI: ids in and out, sizes, media types, figures, and no bare failure."""

from __future__ import annotations

import json
import logging
import re
import secrets
import time
from typing import Any

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.limits import Limits
from api.measure import Measures
from api.problems import of_status
from controlplane.domain.tracing import SILENCE, Span, Tracer, traceparent
from controlplane.services.control import new_id

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})")
PAGES = "/console"  # where people are, whose browsers send forms
_FORM = "application/x-www-form-urlencoded"
_TEXT, TOPICS = "text/plain", "/v1/hooks/sns"  # SNS calls its JSON a text
_SENDING = frozenset({"POST", "PATCH", "PUT"})
_log = logging.getLogger("controlplane.api")


class Edge:
    def __init__(self, app: ASGIApp, limits: Limits, measures: Measures, tracer: Tracer = SILENCE) -> None:
        self._app, self._limits, self._measures, self._tracer = app, limits, measures, tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(self._limits, scope, receive, send)
        if self._tracer is SILENCE:
            await exchange.run(self._app, self._measures)
            return
        with self._tracer.span(scope["method"], exchange.parent) as span:
            exchange.stand_in(span)
            await exchange.run(self._app, self._measures)
            exchange.tell(span)


class _Exchange:
    """One request and its answer."""

    def __init__(self, limits: Limits, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        self._most = limits.state_bytes if scope["path"].endswith("/state") else limits.body_bytes
        self._too_large = f"a body has at most {self._most} bytes here"
        self._read = 0
        self._status = 0
        given = self._headers.get("x-request-id", "")
        self._id = given if _ID.fullmatch(given) else new_id("req")
        found = _PARENT.fullmatch(self._headers.get("traceparent", ""))
        trace, flags = found.groups() if found else (secrets.token_hex(16), "01")
        self.parent = found[0] if found else ""
        self._trace = traceparent(trace, secrets.token_hex(8), flags)
        scope["request_id"], scope["traceparent"] = self._id, self._trace

    def stand_in(self, span: Span) -> None:
        """The span that is told is the one that callers and operations hear of."""
        self._trace = self._scope["traceparent"] = span.traceparent

    def tell(self, span: Span) -> None:
        route = self._route()
        span.rename(f"{self._scope['method']} {route}")
        span.tell(route=route, status=self._status, request=self._id)

    async def run(self, app: ASGIApp, measures: Measures) -> None:
        begun = time.perf_counter()
        try:
            refusal = self._refusal()
            if refusal is not None:
                await self._answer(*refusal)
            else:
                await app(self._scope, self._take, self._give)
        except Exception:  # noqa: BLE001
            # The outermost place: whoever asked gets a problem, whoever runs this the whole story.
            _log.exception("%s %s broke", self._scope["method"], self._scope["path"])
            await self._answer(500, "something of ours broke; the log has the story under this request id")
        finally:
            self._report(measures, time.perf_counter() - begun)

    def _refusal(self) -> tuple[int, str] | None:
        """What can be said before anything is read."""
        length = self._headers.get("content-length", "0")
        if not length.isdigit():
            return 400, "the Content-Length is no number"
        if int(length) > self._most:
            return 413, self._too_large
        kind = self._headers.get("content-type", "").partition(";")[0].strip().lower()
        has_body = int(length) > 0 or "transfer-encoding" in self._headers
        sends = self._scope["method"] in _SENDING and has_body
        path = self._scope["path"]
        apart = (kind == _FORM and path.startswith(PAGES)) or (kind == _TEXT and path == TOPICS)
        if sends and kind and kind != "application/json" and not kind.endswith("+json") and not apart:
            return 415, f"{kind or 'a body without a type'} is not read here: send application/json"
        return None

    async def _take(self) -> Message:
        message = await self._receive()
        self._read += len(message.get("body", b""))
        if self._read > self._most:
            # More came than was announced; the framework lets only its own error through.
            raise HTTPException(413, self._too_large)
        return message

    async def _give(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            message["headers"] = [
                *message.get("headers", []),
                (b"x-request-id", self._id.encode()),
                (b"traceparent", self._trace.encode()),
                (b"x-content-type-options", b"nosniff"),
            ]
        await self._send(message)

    async def _answer(self, status: int, detail: str) -> None:
        """Our own problem, unless the answer has begun: then the connection just ends."""
        if self._status:
            raise ConnectionError(detail)
        problem = of_status(status, detail, self._scope["path"], self._id)
        await problem(self._scope, self._receive, self._give)

    def _report(self, measures: Measures, seconds: float) -> None:
        route = self._route()
        measures.answered(self._scope["method"], route, self._status, seconds)
        if _log.isEnabledFor(logging.INFO):
            _log.info(json.dumps(self._line(route, seconds)))

    def _route(self) -> str:
        return str(getattr(self._scope.get("route"), "path", "unmatched"))

    def _line(self, route: str, seconds: float) -> dict[str, Any]:
        return {
            "request_id": self._id,
            "trace": self._trace[3:35],
            "method": self._scope["method"],
            "path": self._scope["path"],
            "route": route,
            "status": self._status,
            "ms": round(seconds * 1000, 2),
        }
