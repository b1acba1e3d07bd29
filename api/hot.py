"""Reads that are asked thousands of times a second: answered before parameters and all else is worked out.

The route stays what it is: its permission is asked first; document and whole way know nothing of this.
What the quick way does not know it leaves to the whole one, and every error with it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

from api.deps import Caller, May

Quickly = Callable[[Caller, Request], Response | None]
_MARK = "_quickly"
_Endpoint = Callable[..., Any]


def first(quickly: Quickly) -> Callable[[_Endpoint], _Endpoint]:
    """Ask this before the route's own function; None: it does not know."""

    def mark(endpoint: _Endpoint) -> _Endpoint:
        setattr(endpoint, _MARK, quickly)
        return endpoint

    return mark


class Hot(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        whole, quickly = super().get_route_handler(), getattr(self.endpoint, _MARK, None)
        if quickly is None:
            return whole
        may = next(d.call for d in self.dependant.dependencies if isinstance(d.call, May))

        async def handle(request: Request) -> Response:
            return quickly(await may(request), request) or await whole(request)

        return handle
