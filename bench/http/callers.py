"""Callers that cost little themselves: plain sockets that ask, read the whole answer, and ask again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SECONDS = 4.0
_PATIENCE = 120.0


@dataclass(frozen=True)
class Called:
    number: int
    seconds: float
    waits: list[float]

    @property
    def microseconds(self) -> float:
        """Of the server for each, since there is always somebody who waits."""
        return self.seconds / self.number * 1e6

    @property
    def p99_ms(self) -> float:
        return sorted(self.waits)[len(self.waits) * 99 // 100] * 1000


@dataclass(frozen=True)
class Followed:
    heard: int
    seconds: float


async def call(port: int, path: str, token: str, connections: int) -> Called:
    """As many answers as come within the time."""
    begun = time.perf_counter()
    asking = [_keep_asking(port, _request(path, token), begun + SECONDS) for _ in range(connections)]
    waits = [wait for found in await asyncio.gather(*asking) for wait in found]
    return Called(len(waits), time.perf_counter() - begun, waits)


def _request(path: str, token: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


async def _keep_asking(port: int, request: bytes, until: float) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    waits = []
    while (begun := time.perf_counter()) < until:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"it answered {head[:200]!r}")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        await reader.readexactly(length)
        waits.append(time.perf_counter() - begun)
    writer.close()
    return waits


async def follow(
    port: int, path: str, token: str, followers: int, happen: Callable[[], Any], words: str
) -> Followed:
    """Let something happen once all of them listen; how many heard it, and when the last one did."""
    listening = asyncio.Semaphore(0)
    following = [
        asyncio.create_task(_listen(port, _request(path, token), listening, words)) for _ in range(followers)
    ]
    for _ in range(followers):
        await asyncio.wait_for(listening.acquire(), _PATIENCE)
    begun = time.perf_counter()
    await asyncio.to_thread(happen)
    done, late = await asyncio.wait(following, timeout=_PATIENCE)
    for one in late:
        one.cancel()
    heard = [one.result() for one in done if not one.exception()]
    return Followed(len(heard), max(heard, default=time.perf_counter()) - begun)


async def _listen(port: int, request: bytes, listening: asyncio.Semaphore, words: str) -> float:
    """When the words came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    await reader.readuntil(b"\r\n\r\n")
    listening.release()
    await reader.readuntil(words.encode())
    writer.close()
    return time.perf_counter()
