"""A `Database` and a `Migration` in memory or in a file: servers, roles, rows and replication as data."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from controlplane.domain.errors import Conflict, Denied, Invalid, Missing, Refused, Unavailable
from controlplane.domain.migration.evidence import (
    Activity,
    Check,
    Obstacle,
    Replication,
    SlotLook,
    Verification,
)
from controlplane.ports import Login, Probe
from tests.fakes.world import World

APPLICATION = ("app_a", "app_b")
ROLES = ("cp_control", *APPLICATION)


class FakeDatabase:
    """`trusting`: a server that nobody added springs up at its first login, which is its master's."""

    def __init__(self, path: Path | None = None, *, trusting: bool = False) -> None:
        self.trusting = trusting
        self.stray = False  # standbys hold a row that nobody wrote
        self.world = World(path, lambda: {"servers": {}, "standbys": {}})

    # --- making the world ---------------------------------------------------------------------------

    def add_server(self, master: Login) -> None:
        with self.world.open() as state:
            state["servers"][_key(master)] = _server(master)

    def copy_server(self, source: Login, target: Login) -> None:
        """What a snapshot and its restore give."""
        with self.world.open() as state:
            made = copy.deepcopy(state["servers"][_key(source)])
            state["servers"][_key(target)] = {**made, "sessions": {}, "slots": {}, "follows": {}}

    def copy_host(self, source: str, target: str) -> None:
        """The same with every database of a host; nothing where nobody ever logged in."""
        with self.world.open() as state:
            for key, server in list(state["servers"].items()):
                if key.startswith(f"{source}:"):
                    made = copy.deepcopy(server)
                    there = {**made, "sessions": {}, "slots": {}, "follows": {}}
                    state["servers"][key.replace(source, target)] = there

    def follow_host(self, source: str, host: str) -> None:
        """From now on a standby of it: it holds the same and takes no writes."""
        with self.world.open() as state:
            state["standbys"][host] = source

    def part_host(self, host: str, *, writable: bool) -> None:
        """What followed, or was left, stands on its own."""
        with self.world.open() as state:
            source = state["standbys"].pop(host, None)
            for key, server in list(state["servers"].items()) if source else ():
                if key.startswith(f"{source}:"):
                    state["servers"][key.replace(source, host)] = {**copy.deepcopy(server), "sessions": {}}
            for key in [key for key in state["servers"] if key.startswith(f"{host}:")]:
                state["servers"][key]["writable"] = writable

    def reset_master(self, host: str, password: str) -> None:
        """What RDS does with a new master password."""
        with self.world.open() as state:
            for key, server in state["servers"].items():
                if key.startswith(f"{host}:"):
                    server["roles"][server["master"]]["password"] = password

    def change_server(self, login: Login, **facts: Any) -> None:
        """`up`, `writable`, `prepared`, `longest`, `obstacles`, …"""
        with self.world.open() as state:
            state["servers"][_key(login)].update(facts)

    def add_role(self, login: Login, role: str, password: str = "", **facts: Any) -> None:
        with self.world.open() as state:
            made = {"password": password, "login": True, "closable": True, **facts}
            state["servers"][_key(login)]["roles"][role] = made

    def open_session(self, login: Login) -> None:
        """An application that logs in and stays."""
        with self.world.open() as state:
            server = self.enter(state, login)
            server["sessions"][login.username] = server["sessions"].get(login.username, 0) + 1

    def write(self, login: Login, table: str, *rows: str) -> None:
        """Rows of an application; whoever follows gets them too."""
        with self.world.open() as state:
            server = self.enter(state, login)
            server["tables"].setdefault(table, []).extend(rows)
            server["sequences"][f"{table}_seq"] = len(server["tables"][table])
            for follower in _followers(state, server):
                follower["tables"].setdefault(table, []).extend(rows)

    # --- Database -----------------------------------------------------------------------------------

    def probe(self, login: Login) -> Probe:
        try:
            with self.using("probe", login) as server:
                if not server["writable"]:
                    return Probe(False, "it answers and refuses writes: read-only", "16.4", 1.0)
                return Probe(True, "", "16.4", 1.0)
        except (Denied, Unavailable) as error:
            return Probe(False, error.message)

    def set_up_roles(self, master: Login, passwords: Mapping[str, str]) -> None:
        unknown = sorted(set(passwords) - set(ROLES))
        if unknown:
            raise Invalid(f"setting up roles: {', '.join(unknown)} is none of {', '.join(ROLES)}")
        with self.using("set_up_roles", master, changes=True) as server:
            missing = sorted(set(ROLES) - set(server["roles"]) - set(passwords))
            if missing:
                raise Invalid(f"setting up roles: {', '.join(missing)} has no password")
            server["roles"].setdefault("app_owner", {"password": "", "login": False, "closable": True})
            for role, password in passwords.items():
                known = server["roles"].setdefault(role, {"login": True, "closable": True})
                known["password"] = password

    def set_password(self, admin: Login, role: str, password: str) -> None:
        with self.using("set_password", admin, changes=True) as server:
            if role not in server["roles"]:
                raise Missing(f"setting the password of {role}: there is no such role")
            server["roles"][role]["password"] = password

    def fence(self, control: Login) -> int:
        with self.using("fence", control, changes=True) as server:
            others = {n: r for n, r in server["roles"].items() if n not in (control.username, "rdsadmin")}
            stuck = sorted(n for n, r in others.items() if r["login"] and not r["closable"])
            if stuck:
                raise Denied(f"fencing the database: cp_control may not close {', '.join(stuck)}")
            for name, role in others.items():
                if role["login"] and name != server["master"]:
                    role["login"] = False
                    server["fenced"].append(name)
            ended = sum(count for name, count in server["sessions"].items() if name != control.username)
            server["sessions"] = {k: v for k, v in server["sessions"].items() if k == control.username}
            if server["prepared"]:
                raise Refused(f"fencing the database: prepared: {', '.join(server['prepared'])}")
            return ended

    def unfence(self, control: Login) -> None:
        with self.using("unfence", control, changes=True) as server:
            for name in {*server["fenced"], *APPLICATION} & set(server["roles"]):
                server["roles"][name]["login"] = True
            server["fenced"] = []

    def fingerprint(self, control: Login) -> Mapping[str, Any]:
        with self.using("fingerprint", control) as server:
            return picture(server)

    # --- inner --------------------------------------------------------------------------------------

    @contextmanager
    def using(self, method: str, login: Login, *, changes: bool = False) -> Iterator[dict[str, Any]]:
        with self.world.call(method, f"{login.username}@{_key(login)}", changes=changes) as state:
            yield self.enter(state, login)

    def enter(self, state: dict[str, Any], login: Login) -> dict[str, Any]:
        where = f"{login.username} at {_key(login)}"
        source = state["standbys"].get(login.host)
        if source is not None:
            same = copy.deepcopy(self.enter(state, replace(login, host=source)))
            for rows in same["tables"].values() if self.stray else ():
                rows.append("stray")
            return {**same, "writable": False}
        if _key(login) not in state["servers"] and self.trusting:
            state["servers"][_key(login)] = _server(login)
        server: dict[str, Any] | None = state["servers"].get(_key(login))
        if server is None or not server["up"]:
            raise Unavailable(f"logging in ({where}): connection refused")
        role = server["roles"].get(login.username)
        if role is None or role["password"] != login.password:
            raise Unavailable(f"logging in ({where}): password authentication failed")
        if not role["login"]:
            raise Unavailable(f"logging in ({where}): the role is not permitted to log in")
        return server


class FakeMigration:
    """Shares its servers with a `FakeDatabase`."""

    def __init__(self, database: FakeDatabase) -> None:
        self._database = database

    def obstacles(self, control: Login, strategy: str) -> Sequence[Obstacle]:
        with self._database.using("obstacles", control) as server:
            here = [one for one in server["obstacles"] if one.get("strategy", strategy) == strategy]
            found = [Obstacle(**{k: v for k, v in one.items() if k != "strategy"}) for one in here]
            prepared = [Obstacle("prepared transactions", ", ".join(server["prepared"]))]
            return found + (prepared if server["prepared"] else [])

    def activity(self, control: Login) -> Activity:
        with self._database.using("activity", control) as server:
            spared = {control.username, "rdsadmin", server["master"]}
            logins = [n for n, r in server["roles"].items() if r["login"] and n not in spared]
            sessions = sum(count for name, count in server["sessions"].items() if name not in spared)
            return Activity(sessions, logins, server["longest"], server["prepared"], _position(server))

    def fenced_logins(self, control: Login) -> Sequence[str]:
        with self._database.using("fenced_logins", control) as server:
            return sorted(server["fenced"])

    def write_marker(self, control: Login, token: str) -> str:
        with self._database.world.call("write_marker", token, changes=True) as state:
            server = self._database.enter(state, control)
            for one in [server, *_followers(state, server)]:
                if token not in one["markers"]:
                    one["markers"].append(token)
            return _position(server)

    def has_marker(self, control: Login, token: str) -> bool:
        with self._database.using("has_marker", control) as server:
            return token in server["markers"]

    def dump_schema(self, control: Login, file: str) -> None:
        with self._database.using("dump_schema", control) as server:
            Path(file).write_text(json.dumps(sorted(server["tables"])))

    def load_schema(self, source: Login, target_master: Login, file: str) -> None:
        wanted = json.loads(Path(file).read_text())
        with self._database.using("load_schema", target_master, changes=True) as server:
            if server["tables"] and sorted(server["tables"]) != wanted:
                raise Conflict("loading the schema: the target holds another schema already")
            for table in wanted:
                server["tables"].setdefault(table, [])
                server["sequences"].setdefault(f"{table}_seq", 0)

    def copy_sequences(self, source: Login, target: Login) -> int:
        with self._database.world.call("copy_sequences", changes=True) as state:
            ours = self._database.enter(state, source)["sequences"]
            theirs = self._database.enter(state, target)["sequences"]
            behind = [name for name, value in ours.items() if theirs.get(name, 0) < value]
            theirs.update({name: ours[name] for name in behind})
            return len(behind)

    def freshen(self, control: Login) -> None:
        with self._database.using("freshen", control, changes=True):
            pass

    def publish(self, publisher: Login, name: str) -> None:
        with self._database.using("publish", publisher, changes=True) as server:
            server["slots"].setdefault(name, [])

    def subscribe(self, publisher: Login, subscriber: Login, name: str, *, copy_rows: bool) -> None:
        with self._database.world.call("subscribe", name, changes=True) as state:
            source = self._database.enter(state, publisher)
            target = self._database.enter(state, subscriber)
            if name not in source["slots"]:
                raise Conflict(f"subscribing to {name}: the publisher has no slot of this name")
            if name in target["follows"]:
                return
            target["follows"][name] = _key(publisher)
            source["slots"][name] = [_key(subscriber)]
            if copy_rows:
                target["tables"] = copy.deepcopy(source["tables"])

    def replication(self, publisher: Login, subscriber: Login, name: str) -> Replication:
        with self._database.world.call("replication", name) as state:
            source = self._database.enter(state, publisher)
            target = self._database.enter(state, subscriber)
            if name not in source["slots"] or name not in target["follows"]:
                return Replication(exists=False)
            tables = len(source["tables"])
            lag = int(target.get("lag", 0))
            return Replication(True, True, tables, tables, True, lag, lag, 0)

    def slot(self, publisher: Login, name: str) -> SlotLook:
        with self._database.world.call("slot", name) as state:
            server = self._database.enter(state, publisher)
            if name not in server["slots"]:
                return SlotLook(exists=False)
            readers = [state["servers"][key] for key in server["slots"][name]]
            lag = max((int(one.get("lag", 0)) for one in readers), default=0)
            active = any(one["up"] for one in readers)
            written = int(_position(server).partition("/")[2], 16)
            return SlotLook(True, active, lag, lag, name in server["lost"], written, written - lag)

    def unsubscribe(self, publisher: Login, subscriber: Login | None, name: str) -> None:
        with self._database.world.call("unsubscribe", name, changes=True) as state:
            if subscriber is not None:
                self._database.enter(state, subscriber)["follows"].pop(name, None)
            self._database.enter(state, publisher)["slots"].pop(name, None)

    def verify(self, source: Login, target: Login, marker: str = "") -> Verification:
        with self._database.world.call("verify") as state:
            one, other = (self._database.enter(state, login) for login in (source, target))
            ours, theirs = picture(one), picture(other)
            counts = {n: t["count"] for n, t in ours["tables"].items()}
            behind = [n for n, value in one["sequences"].items() if other["sequences"].get(n, 0) < value]
            results = {
                "V0 schema": sorted(one["tables"]) == sorted(other["tables"]),
                "V1 row counts": counts == {n: t["count"] for n, t in theirs["tables"].items()},
                "V2 checksums": ours["tables"] == theirs["tables"],
                "V3 sequences": not behind,
                "V4 marker": marker in other["markers"],
                "V5 rules": True,
                "V6 canary write": bool(other["writable"]),
            }
        checks = [Check(*name.split(" ", 1), passed, "") for name, passed in results.items()]
        return Verification(checks, _digest([asdict(one) for one in checks]))

    def shape(self, control: Login) -> Mapping[str, str]:
        with self._database.using("shape", control) as server:
            return {"schema": _digest(sorted(server["tables"]))}

    def examine(self, copy: Login, shape: Mapping[str, str]) -> Verification:
        with self._database.using("examine", copy) as server:
            counts = [len(rows) for rows in server["tables"].values()]
            checks = [
                Check("V0", "schema", shape == {"schema": _digest(sorted(server["tables"]))}, ""),
                Check("V1", "every row was read", True, f"{sum(counts)} rows in {len(counts)} tables"),
                Check("V6", "canary write", bool(server["writable"]), ""),
            ]
        return Verification(checks, _digest([asdict(one) for one in checks]))

    def try_sql(self, control: Login, statements: str, seconds: int) -> str:
        with self._database.using("try_sql", control) as server:
            return str(server["broken_sql"])


def picture(server: Mapping[str, Any]) -> dict[str, Any]:
    tables = {
        name: {"count": len(rows), "checksum": _digest(sorted(rows))}
        for name, rows in sorted(server["tables"].items())
    }
    facts = {"tables": tables, "sequences": server["sequences"]}
    return {**facts, "digest": _digest(facts)}


def _server(master: Login) -> dict[str, Any]:
    role = {"password": master.password, "login": True, "closable": True}
    return {
        "up": True,
        "writable": True,
        "master": master.username,
        "roles": {master.username: role},
        "fenced": [],
        "sessions": {},
        "prepared": [],
        "longest": 0.0,
        "obstacles": [],
        "broken_sql": "",
        "tables": {},
        "sequences": {},
        "markers": [],
        "slots": {},
        "lost": [],  # of them, those whose log was thrown away
        "follows": {},
    }


def _followers(state: Mapping[str, Any], server: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [state["servers"][key] for keys in server["slots"].values() for key in keys]


def _key(login: Login) -> str:
    return f"{login.host}:{login.port}/{login.database}"


def _position(server: Mapping[str, Any]) -> str:
    written = sum(len(rows) for rows in server["tables"].values()) + len(server["markers"])
    return f"0/{written:X}"


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
