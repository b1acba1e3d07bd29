"""The HTTP door's hottest reads beside a bare FastAPI endpoint with one indexed query, and many followers.

Server and callers are processes of their own, on the same catalog of ten thousand tenants: fifty connections
that ask again as soon as they are answered. Ours has all that it has in life: token, role, limits, figures.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.http.callers import Called, Followed, call, follow
from bench.http.served import Served, served
from bench.rows import Row
from bench.store_listing import fill
from controlplane import wiring
from controlplane.services import access
from controlplane.services.bodies import NewToken
from controlplane.services.control import Ask, Control
from controlplane.settings import Settings
from controlplane.store import operations
from controlplane.store.tables import Operation

CONNECTIONS, FOLLOWERS = 50, 1_000
ONE, PAGE = "/v1/tenants/tenant-04217", "/v1/tenants?page_size=50"
_ASK = Ask(reason="a bench")
# Of rounds that take turns, so that both meet the same machine.
ROUNDS = 3


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        settings = replace(
            Settings(), database_url=f"sqlite:///{folder}/tenants.db", data_dir=Path(folder, "data")
        )
        wiring.migrate(settings)
        control = wiring.control(settings)
        try:
            fill(control.db)
            token = _token(control)
            reads = _reads(settings, control, token)
            return [*reads, *_followers(settings, control, token)]
        finally:
            control.db.close()


def _token(control: Control) -> str:
    body = NewToken(name="bench")
    return str(access.create_token(control, wiring.local_actor(), body, _ASK)["secret"])


def _reads(settings: Settings, control: Control, token: str) -> list[Row]:
    found: dict[str, list[tuple[float, Called]]] = {}
    with (
        served("ours", settings) as ours,
        served("bare", settings) as bare,
        _writing(control, _operation(control, "written")),
    ):
        for number in range(ROUNDS + 1):
            for name, server, path in (
                ("bare", bare, "/bare/tenant-04217"),
                ("one", ours, ONE),
                ("bare page", bare, "/bare?size=50"),
                ("page", ours, PAGE),
            ):
                measured = _measured(server, path, token)
                if number:  # the first round warms up
                    found.setdefault(name, []).append(measured)
    wall = {name: _median([c.microseconds for _, c in all_]) for name, all_ in found.items()}
    cpu = {name: _median([used for used, _ in all_]) for name, all_ in found.items()}
    slowest = {name: _median([c.p99_ms for _, c in all_]) for name, all_ in found.items()}
    return [
        Row("one tenant; beside: bare endpoint, one query", wall["one"], "µs", wall["bare"], goal_ratio=2),
        Row("a page of 50; beside: the same one", wall["page"], "µs", wall["bare"], goal_ratio=2),
        Row("a page of 50; beside: it with 50 rows", wall["page"], "µs", wall["bare page"], goal_ratio=2),
        Row("one tenant, the server's CPU", cpu["one"], "µs", cpu["bare"], goal_ratio=2),
        Row("a page of 50, the server's CPU", cpu["page"], "µs", cpu["bare"], goal_ratio=2),
        Row("one tenant, 99 of 100 at 50 connections", slowest["one"], "ms", slowest["bare"], goal=50),
        Row("a page of 50, 99 of 100 at 50 connections", slowest["page"], "ms", slowest["bare"], goal=50),
    ]


def _measured(server: Served, path: str, token: str) -> tuple[float, Called]:
    """Its CPU for each answer in microseconds, and what its callers saw."""
    before = server.cpu_seconds()
    called = asyncio.run(call(server.port, path, token, CONNECTIONS))
    return (server.cpu_seconds() - before) / called.number * 1e6, called


@contextmanager
def _writing(control: Control, operation: str) -> Iterator[None]:
    """Somebody works meanwhile: the catalog is written ten times a second."""
    over = threading.Event()

    def write() -> None:
        while not over.wait(0.1):
            with control.db.write() as session:
                operations.tell(session, operation, control.now(), "note", text="another line")

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(30)


def _followers(settings: Settings, control: Control, token: str) -> list[Row]:
    """All of one operation: they hear its past, and then what happens while they listen."""
    operation = _operation(control, "followed")

    def tell() -> None:
        with control.db.write() as session:
            operations.tell(session, operation, control.now(), "note", text="the last word")

    with served("ours", settings) as server:
        seen = asyncio.run(_follow(server.port, operation, token, tell))
    return [
        Row(f"followers of {FOLLOWERS:,} that heard what happened", -seen.heard, "", None, goal=-FOLLOWERS),
        Row(f"until the last of {FOLLOWERS:,} followers heard it", seen.seconds, "s"),
    ]


async def _follow(port: int, operation: str, token: str, tell: Callable[[], Any]) -> Followed:
    path = f"/v1/operations/{operation}/events"
    return await follow(port, path, token, FOLLOWERS, tell, "the last word")


def _operation(control: Control, name: str) -> str:
    with control.db.write() as session:
        operation = Operation(
            id=f"op-{name}",
            kind="platform",
            workspace_id=f"platform-{name}",
            requested_by="local:bench",
            created_at=control.now(),
        )
        operations.insert(session, operation)
    return operation.id


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
