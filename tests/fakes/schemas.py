"""A `Schemas` in memory or in a file: it shares its servers with a `FakeDatabase`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from controlplane.domain.errors import Missing, Refused
from controlplane.domain.schema import Space
from controlplane.ports import Login, SchemaExport, SchemaState
from tests.fakes.database import FakeDatabase


class FakeSchemas:
    def __init__(self, database: FakeDatabase) -> None:
        self._database = database

    def make(self, master: Login, space: Space, passwords: Mapping[str, str]) -> None:
        with self._database.using("make_schema", master, changes=True) as server:
            if "app_owner" not in server["roles"]:
                raise Missing(f"making the schema {space.schema}: the shared database has no app_owner")
            server["roles"].setdefault(space.owner, {"password": "", "login": False, "closable": True})
            for login in space.logins:
                server["roles"][login] = {"password": passwords[login], "login": True, "closable": True}
            _schemas(server).setdefault(space.schema, {"closed": False, "tables": {}})

    def set_password(self, master: Login, space: Space, login: str, password: str) -> None:
        self._database.set_password(master, login, password)

    def look(self, master: Login, space: Space) -> SchemaState:
        with self._database.using("look_at_schema", master) as server:
            found = _schemas(server).get(space.schema)
            return SchemaState(found is not None, (found or {}).get("left_out", ""))

    def close(self, master: Login, space: Space) -> int:
        with self._database.using("close_schema", master, changes=True) as server:
            for login in space.logins:
                server["roles"].get(login, {})["login"] = False
            if space.schema in _schemas(server):
                _schemas(server)[space.schema]["closed"] = True
            return sum(server["sessions"].pop(login, 0) for login in space.logins)

    def export(self, master: Login, space: Space, file: str) -> SchemaExport:
        with self._database.using("export_schema", master) as server:
            found = _schemas(server)[space.schema]
            if not found["closed"]:
                raise Refused(f"exporting the schema {space.schema}: it is not closed")
            data = json.dumps(found["tables"], sort_keys=True).encode()
        Path(file).write_bytes(data)
        counts = {name: len(rows) for name, rows in found["tables"].items()}
        return SchemaExport(counts, len(data), hashlib.sha256(data).hexdigest())

    def drop(self, master: Login, space: Space) -> None:
        with self._database.using("drop_schema", master, changes=True) as server:
            _schemas(server).pop(space.schema, None)
            for role in space.roles:
                server["roles"].pop(role, None)

    # --- making and seeing the world ------------------------------------------------------------------

    def write(self, login: Login, space: Space, table: str, *rows: str) -> None:
        with self._database.world.open() as state:
            server = self._database.enter(state, login)
            _schemas(server)[space.schema]["tables"].setdefault(table, []).extend(rows)

    def hold_back(self, master: Login, space: Space, what: str) -> None:
        with self._database.world.open() as state:
            _schemas(self._database.enter(state, master))[space.schema]["left_out"] = what

    def names(self, host: str) -> list[str]:
        """Of all schemas on a host."""
        with self._database.world.open() as state:
            servers = [s for key, s in state["servers"].items() if key.startswith(f"{host}:")]
        return sorted(name for server in servers for name in _schemas(server))


def _schemas(server: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = server.setdefault("schemas", {})
    return found
