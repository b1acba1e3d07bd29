"""One look at one page over HTTP. Imported when there is something to look at: it is a slow import."""

from __future__ import annotations

import asyncio

import httpx

from controlplane.adapters.web.guard import Way
from controlplane.domain.migration.evidence import Page

MOST_BYTES = 64 * 1024  # of a body


def fetch(way: Way, seconds: float) -> Page:
    try:
        return asyncio.run(asyncio.wait_for(_look(way, seconds), seconds))
    except TimeoutError:
        return Page(None, problem=f"no answer within {seconds:g} s")
    except (httpx.HTTPError, OSError) as error:
        return Page(None, problem=type(error).__name__)


async def _look(way: Way, seconds: float) -> Page:
    """As plain text as it goes: what is packed could unpack into anything."""
    headers = {"host": way.named, "user-agent": "controlplane", "accept-encoding": "identity"}
    named = {"sni_hostname": way.host}
    async with (
        httpx.AsyncClient(timeout=seconds, follow_redirects=False, trust_env=False) as client,
        client.stream("GET", way.url, headers=headers, extensions=named) as answer,
    ):
        body = b""
        async for piece in answer.aiter_raw():
            body += piece
            if len(body) >= MOST_BYTES:
                break
        return Page(answer.status_code, body[:MOST_BYTES].decode(errors="replace"))
