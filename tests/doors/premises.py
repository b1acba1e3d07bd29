"""A catalog with platforms and some tenants, and a real HTTP server on it: no worker, nothing outside."""

from __future__ import annotations

import shutil
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from api.app import create_app
from api.limits import Limits
from controlplane import wiring
from controlplane.adapters.keyring import FileKeyring
from controlplane.adapters.notify import Couriers
from controlplane.adapters.web.guard import Guard
from controlplane.catalog import load as load_catalog
from controlplane.domain.operation import Status
from controlplane.operations import Create
from controlplane.services import access, tenants
from controlplane.services.actor import Actor, Role
from controlplane.services.bodies import NewToken
from controlplane.services.control import Ask, Control
from controlplane.services.workspaces.states import Desk
from controlplane.store import operations, platforms
from controlplane.store.database import connect, open_database
from controlplane.store.states import States
from controlplane.store.tables import Plan
from controlplane.terminal.serving import bind, configured
from tests.catalogs import make_catalog

BLUEPRINT = "fargate_db_per_tenant"
ADMIN = Actor("local:ann", Role.ADMIN, origin="test")
ASK = Ask(reason="a test", request_id="req-test")
# Of a machine on which everything runs at once.
PATIENCE = 120.0
FREE = Limits(requests_per_second=0, changes_per_second=0, failures_per_minute=10_000)


def make_template(folder: Path) -> Path:
    """A migrated catalog with platforms, made once and copied for every test."""
    file = folder / "template.db"
    first = connect(make_catalog(file))
    now = datetime.now(UTC)
    for environment in ("development", "production"):
        workspace = f"platform-{BLUEPRINT}-{environment}-default"
        with first.write() as session:
            platforms.ensure(
                session,
                workspace,
                blueprint=BLUEPRINT,
                environment=environment,
                cell="default",
                region="us-east-1",
                options={},
                now=now,
            )
            platforms.record_outputs(session, workspace, {"vpc_id": "vpc-1"}, "ready", now)
    with first.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    first.close()
    return file


@dataclass
class Premises:
    """What a test of a door works with."""

    folder: Path
    control: Control
    limits: Limits = FREE
    _servers: list[Server] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder / 'tenants.db'}"

    def token(self, role: str = "admin", *scope: str, name: str = "") -> str:
        body = NewToken(name=name or f"{role}-{len(scope)}", role=Role(role), tenants=list(scope))
        return str(access.create_token(self.control, ADMIN, body, ASK)["secret"])

    def tenant(self, slug: str = "acme", **fields: Any) -> str:
        """A tenant that was asked for; the id of its operation."""
        return str(tenants.create(self.control, ADMIN, Create(slug=slug, **fields), ASK)["id"])

    def finish(self, operation_id: str, status: Status = Status.SUCCEEDED, phase: str = "ready") -> None:
        """What a worker would do, in one stroke."""
        now = self.control.now()
        with self.control.db.write() as session:
            for step in (Status.PLANNING, Status.APPLYING, status):
                operations.move(session, operation_id, step, now)
            row = operations.get(session, operation_id)
        with self.control.db.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE tenant SET phase = ? WHERE uid = ?", (phase, row.tenant_uid))

    def await_approval(self, operation_id: str, requested_by: str = "") -> str:
        """Take an operation to where a person is needed; its plan's meaning."""
        now, meaning = self.control.now(), "ab" * 32
        with self.control.db.write() as session:
            operations.move(session, operation_id, Status.PLANNING, now)
            plan = Plan(
                id=f"{operation_id}-plan",
                operation_id=operation_id,
                run_id=f"{operation_id}-plan",
                meaning=meaning,
                binding="cd" * 32,
                render_digest="ef" * 32,
                summary={"counts": {"create": 1}, "delicate": True},
                changes=[{"address": "aws_db_instance.this", "type": "aws_db_instance", "action": "create"}],
                created_at=now,
            )
            operations.save_plan(session, plan)
            command = f"controlplane operation approve {operation_id} --digest {meaning[:12]}"
            fields = {"waiting_for": "an approval: a test", "next_command": command, "leg_state": "idle"}
            operations.move(session, operation_id, Status.AWAITING_APPROVAL, now, **fields)
            if requested_by:
                operations.note(session, operation_id, requested_by=requested_by)
        return meaning

    def serve(self, limits: Limits | None = None, **more: Any) -> Server:
        desk = Desk(self.control, self.states())
        server = Server(create_app(self.control, desk=desk, limits=limits or self.limits, **more))
        self._servers.append(server)
        return server

    def states(self) -> States:
        return States(self.control.db, FileKeyring(self.folder / "keys" / "key.json"))

    def client(self, token: str | None = None, **more: Any) -> httpx.Client:
        """A client of a server of its own, as an admin unless said."""
        return self.serve(**more).client(self.token() if token is None else token)

    def close_servers(self) -> None:
        """Once it returns, every answer was given and told."""
        for server in self._servers:
            server.stop()
        self._servers.clear()

    def close(self) -> None:
        self.close_servers()
        self.control.db.close()


def open_premises(template: Path, folder: Path) -> Premises:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(template, folder / "tenants.db")
    db = open_database(f"sqlite:///{folder / 'tenants.db'}")
    ring, courier = FileKeyring(folder / "keys" / "key.json"), Couriers(lambda service, region: None, Guard())
    control = Control(
        db,
        load_catalog(),
        worker_lives=lambda cell: wiring.worker_lives(db, cell),
        courier=lambda: courier,
        keyring=lambda: ring,
    )
    return Premises(folder, control)


class Server:
    """uvicorn in a thread, on a port that was free."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self._socket = bind("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = configured(app)  # as the product's own server is
        config.timeout_graceful_shutdown = 1
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)
        self._clients: list[httpx.Client] = []
        self._thread.start()
        end = time.monotonic() + 60
        while not self._server.started and time.monotonic() < end:
            time.sleep(0.01)

    def client(self, token: str = "") -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        client = httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE)
        self._clients.append(client)
        return client

    def stop(self) -> None:
        for client in self._clients:
            client.close()
        self._server.should_exit = True
        self._thread.join(15)
        self._socket.close()
