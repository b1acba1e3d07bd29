"""Blue/green deployments of the fake `Cloud`: what a test's world says happens at the next look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Protocol

from controlplane.domain.errors import AlreadyExists, Conflict, Missing, Refused
from controlplane.ports import BlueGreen
from tests.fakes.world import World

_AT_WORK = ("switchover_in_progress", "switchover_completed")


class Standbys(Protocol):
    def follow_host(self, source: str, host: str) -> None: ...

    def part_host(self, host: str, *, writable: bool) -> None: ...


class FakeBlueGreen:
    """Part of `FakeCloud`. A switchover is over at the next look; `stall_switchover` lets it fail."""

    world: World
    on_green: Callable[[], object] | None = None  # what happens just when one is there
    servers: Standbys | None = None  # what is in the databases, where a test asks

    def stall_switchover(self) -> None:
        """The next one takes too long."""
        with self.world.open() as state:
            state["stalls"] = True

    def keep_green(self, *, looks: int) -> None:
        """So often RDS lets no deployment go."""
        with self.world.open() as state:
            state["kept_green"] = looks

    def begin_blue_green(
        self, name: str, database: str, instance_class: str, tags: Mapping[str, str]
    ) -> BlueGreen:
        doing = f"making a green side for {database}"
        with self.world.call("begin_blue_green", name, changes=True) as state:
            found = state["deployments"].get(name)
            if found is not None:
                side = "green" if found["status"] == "switchover_completed" else "blue"
                if found[side] != database:
                    raise AlreadyExists(f"{doing}: {name} exists, of {found['blue']}")
                return BlueGreen(**found)
            blue = state["databases"].get(database)
            if blue is None:
                raise Missing(f"{doing}: there is no such database")
            if any(blue["tags"].get(key) != tags.get(key) for key in ("uid", "epoch")):
                raise AlreadyExists(f"{doing}: the database exists and is not ours")
            if blue["status"] != "available":
                raise Conflict(f"{doing}: it is {blue['status']}")
            green = f"{database}-green-fake"
            endpoint = f"{green}.fake.rds.amazonaws.com"
            own = {"identifier": green, "resource_id": f"db-{green}".upper(), "endpoint": endpoint}
            state["databases"][green] = {**blue, **own, "instance_class": instance_class}
            if self.servers is not None:
                self.servers.follow_host(blue["endpoint"], endpoint)
            made = BlueGreen(f"bgd-{name}", name, "provisioning", database, green)
            state["deployments"][name] = asdict(made)
            return made

    def blue_green(self, name: str) -> BlueGreen | None:
        with self.world.call("blue_green", name) as state:
            found = state["deployments"].get(name)
            if found is None:
                return None
            if found["status"] == "provisioning":  # whoever looks again finds it over
                found["status"] = "available"
                if self.on_green is not None:
                    self.on_green()
            elif found["status"] == "switchover_in_progress":
                _switch(state, found, self.servers)
            return BlueGreen(**found)

    def switch_over(self, name: str, seconds: int) -> None:
        with self.world.call("switch_over", name, changes=True) as state:
            found = state["deployments"].get(name)
            if found is None:
                raise Missing(f"switching over to the green side of {name}: there is no such deployment")
            if found["status"] in _AT_WORK:
                return
            if found["status"] != "available":
                raise Conflict(f"switching over to the green side of {name}: it is {found['status']}")
            found["status"] = "switchover_in_progress"

    def end_blue_green(self, name: str) -> None:
        with self.world.call("end_blue_green", name, changes=True) as state:
            found = state["deployments"].get(name)
            if found is None:
                return
            kept = state.get("kept_green", 0)
            state["kept_green"] = max(0, kept - 1)
            if found["status"] in ("switchover_in_progress", "provisioning") or kept:
                raise Conflict(f"ending the blue/green deployment {name}: it is {found['status']}")
            if found["status"] != "switchover_completed":
                state["databases"].pop(found["green"], None)
            elif found["blue"] in state["databases"]:
                old = state["databases"][found["blue"]]
                old["status"] = "modifying"  # until somebody has looked
                if self.servers is not None:
                    self.servers.part_host(old["endpoint"], writable=True)
            del state["deployments"][name]

    def delete_database(self, identifier: str) -> None:
        with self.world.call("delete_database", identifier, changes=True) as state:
            found = state["databases"].get(identifier)
            if found is None:
                return
            if found["status"] == "modifying":
                raise Conflict(f"deleting the database {identifier}: it is modifying")
            if found["tags"].get("managed-by") != "controlplane":
                raise Refused(f"deleting the database {identifier}: it is not ours")
            del state["databases"][identifier]
            if found["backup_retention_days"]:
                state["kept"][found["resource_id"]] = found


def _switch(state: dict[str, Any], found: dict[str, Any], servers: Standbys | None) -> None:
    if state.pop("stalls", False):
        found["status"] = "switchover_failed"
        found["detail"] = "the switchover timed out"
        return
    name, rows = found["blue"], state["databases"]
    old, new = rows.pop(found["blue"]), rows.pop(found["green"])
    if servers is not None:
        servers.part_host(new["endpoint"], writable=False)  # from here on the old side's
    new["endpoint"], old["endpoint"] = old["endpoint"], new["endpoint"]
    old["identifier"], new["identifier"] = f"{name}-old1", name
    rows[f"{name}-old1"], rows[name] = old, new
    found |= {"status": "switchover_completed", "blue": f"{name}-old1", "green": name}
