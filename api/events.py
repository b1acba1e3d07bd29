"""Followers of operations: one look at the catalog serves them all, however many they are."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool

from controlplane.domain.errors import ControlPlaneError

_LOOK_SECONDS = 0.3
_QUIET_SECONDS = 15.0  # after which a follower looks for itself, and a comment keeps the line open

# Offset → (the newest offset, the operations that have something new).
News = Callable[[int], tuple[int, set[str]]]
Read = Callable[[int], list[dict[str, Any]]]
View = Callable[[], Mapping[str, Any]]


class Hub:
    """Wakes those whose operation has something new. It only wakes: each reads its own story."""

    def __init__(self, news: News) -> None:
        self._news = news
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None

    async def follow(self, operation_id: str, after: int, read: Read, view: View) -> AsyncIterator[str]:
        """Server-sent events from an offset to the operation's end. Subscribed first, then read."""
        woken = asyncio.Event()
        self._waiting[operation_id].add(woken)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._watch())
        try:
            while True:
                woken.clear()
                state = await run_in_threadpool(view)
                events = await run_in_threadpool(read, after)
                for event in events:
                    after = event["offset"]
                    yield message(event)
                if not events and state["done"]:
                    yield f"event: end\ndata: {json.dumps({'status': state['status']})}\n\n"
                    return
                if not events and not await self._woken(woken):
                    yield ": still here\n\n"
        finally:
            self._waiting[operation_id].discard(woken)
            if not self._waiting[operation_id]:
                del self._waiting[operation_id]

    async def _woken(self, woken: asyncio.Event) -> bool:
        try:
            await asyncio.wait_for(woken.wait(), _QUIET_SECONDS)
        except TimeoutError:
            return False
        return True

    async def _watch(self) -> None:
        """Lives as long as anybody follows."""
        offset, _ = await run_in_threadpool(self._news, -1)
        self._wake(set(self._waiting))  # what happened before our first look
        while self._waiting:
            with contextlib.suppress(ControlPlaneError):  # an outage: the next look tells what was missed
                offset, changed = await run_in_threadpool(self._news, offset)
                self._wake(changed)
            await asyncio.sleep(_LOOK_SECONDS)

    def _wake(self, operation_ids: set[str]) -> None:
        for operation_id in operation_ids & self._waiting.keys():
            for woken in self._waiting[operation_id]:
                woken.set()


def message(event: Mapping[str, Any]) -> str:
    """One event; JSON has no line feeds of its own, so that it stays one line."""
    return f"id: {event['offset']}\nevent: {event['type']}\ndata: {json.dumps(event)}\n\n"
