"""A `Cloud` in memory or in a file, with the real one's promises and with faults on order."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from controlplane.domain.errors import AlreadyExists, Conflict, Missing, Refused
from controlplane.domain.migration.evidence import Redeployment
from controlplane.ports import ArchivePlace, BackupWindow, DatabaseInstance, Export, SecretRef, Snapshot
from tests.fakes.bluegreen import FakeBlueGreen
from tests.fakes.world import World

ACCOUNT = "123456789012"
BIRTH = datetime(2026, 1, 1, tzinfo=UTC)
ORDERABLE = frozenset({"db.t4g.micro", "db.t4g.small", "db.t4g.medium", "db.m6g.large"})
_OWNER = ("managed-by", "uid", "epoch")


class FakeCloud(FakeBlueGreen):
    """Give `path` where a worker may be killed: its successor opens the same world."""

    def __init__(self, path: Path | None = None, region: str = "us-east-1") -> None:
        self.region = region
        self.session = ""  # of the operation that calls are made for
        kinds = (
            "secrets",
            "parameters",
            "databases",
            "snapshots",
            "peaks",
            "kept",
            "services",
            "exports",
            "objects",
            "deployments",
        )
        self.world = World(path, lambda: {kind: {} for kind in kinds})

    # --- making the world ---------------------------------------------------------------------------

    def add_database(
        self, identifier: str, tags: Mapping[str, str] | None = None, **facts: Any
    ) -> DatabaseInstance:
        """An instance, as Terraform or a stranger would have made it."""
        made: dict[str, Any] = {
            "identifier": identifier,
            "resource_id": f"db-{identifier}".upper(),
            "arn": self._arn("rds", f"db:{identifier}"),
            "status": "available",
            "instance_class": "db.t4g.micro",
            "engine_version": "16.4",
            "storage_gb": 20,
            "max_storage_gb": 100,
            "multi_az": False,
            "public": False,
            "encrypted": True,
            "deletion_protection": True,
            "backup_retention_days": 7,
            "endpoint": f"{identifier}.fake.{self.region}.rds.amazonaws.com",
            "port": 5432,
            "master_username": "cpmaster",
            "kms_key_id": None,
            "pending": {},
            "tags": dict(tags or {}),
            "created_at": BIRTH,
            "ca_identifier": "rds-ca-rsa2048-g1",
            "parameter_group": "default.postgres16",
            "parameter_status": "in-sync",
            "engine": "postgres",
            "database_name": "app",
            "log_exports": [],
        }
        with self.world.open() as state:
            state["databases"][identifier] = _plain({**made, **facts})
            return _instance(state["databases"][identifier])

    def change_database(self, identifier: str, **facts: Any) -> None:
        with self.world.open() as state:
            state["databases"][identifier].update(_plain(facts))

    def remove_database(self, identifier: str) -> None:
        with self.world.open() as state:
            gone = state["databases"].pop(identifier, None)
            if gone and gone["backup_retention_days"]:
                state["kept"][gone["resource_id"]] = gone

    def change_snapshot(self, identifier: str, **facts: Any) -> None:
        with self.world.open() as state:
            state["snapshots"][identifier].update(_plain(facts))

    def add_service(self, cluster: str, service: str) -> None:
        with self.world.open() as state:
            state["services"][f"{cluster}/{service}"] = 0

    def remove_service(self, cluster: str, service: str) -> None:
        with self.world.open() as state:
            del state["services"][f"{cluster}/{service}"]

    def fail_next_export(self, problem: str) -> None:
        """AWS takes it, and finds out later."""
        with self.world.open() as state:
            state.setdefault("export_problems", []).append(problem)

    def measure_peak(self, identifier: str, connections: int) -> None:
        with self.world.open() as state:
            state["peaks"][identifier] = connections

    def spoil_next_object(self) -> None:
        """What is put away next does not lie there as it was written."""
        with self.world.open() as state:
            state["spoils"] = True

    # --- Cloud --------------------------------------------------------------------------------------

    def keep_object(self, bucket: str, key: str, file: str, sha256: str) -> None:
        with self.world.call("keep_object", f"{bucket}/{key}", changes=True) as state:
            found = hashlib.sha256(Path(file).read_bytes()).hexdigest()
            state["objects"][f"{bucket}/{key}"] = "spoilt" if state.pop("spoils", False) else found

    def object_digest(self, bucket: str, key: str) -> str | None:
        with self.world.call("object_digest", f"{bucket}/{key}") as state:
            found: str | None = state["objects"].get(f"{bucket}/{key}")
            return found

    def objects(self) -> list[str]:
        with self.world.open() as state:
            return sorted(state["objects"])

    def acting_for(self, operation: str) -> FakeCloud:
        acting = copy(self)
        acting.session = operation
        return acting

    def identity(self) -> Mapping[str, str]:
        with self.world.call("identity"):
            return {"account": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:user/fake", "region": self.region}

    def ensure_secret(self, name: str, value: str, tags: Mapping[str, str], token: str) -> SecretRef:
        with self.world.call("ensure_secret", name, changes=True) as state:
            found = state["secrets"].get(name)
            if found is None:
                arn = self._arn("secretsmanager", f"secret:{name}-AbCdEf")
                made = {"arn": arn, "value": value, "tags": _marked(tags), "tokens": {token: value}}
                state["secrets"][name] = {**made, "deleted": False, "made_by": self.session}
                return SecretRef(arn, name, created=True)
            _check_owner(f"the secret {name}", found["tags"], tags)
            found["deleted"] = False
            return SecretRef(found["arn"], name, created=False)

    def read_secret(self, name: str) -> str:
        with self.world.call("read_secret", name) as state:
            return str(_living_secret(state, name)["value"])

    def write_secret(self, name: str, value: str, token: str) -> None:
        with self.world.call("write_secret", name, changes=True) as state:
            found = state["secrets"].get(name)
            if found is None:
                raise Missing(f"writing the secret {name}: there is none")
            if found["deleted"]:
                raise Conflict(f"writing the secret {name}: it is scheduled for deletion")
            if found["tokens"].get(token, value) != value:
                raise Conflict(f"writing the secret {name}: this token was used for another value")
            if token not in found["tokens"]:
                found["tokens"][token] = found["value"] = value

    def secret_exists(self, name: str) -> bool:
        with self.world.call("secret_exists", name) as state:
            found = state["secrets"].get(name)
            return found is not None and not found["deleted"]

    def delete_secret(self, name: str) -> None:
        with self.world.call("delete_secret", name, changes=True) as state:
            found = state["secrets"].get(name)
            if found is None or found["deleted"]:
                return
            _check_ours(f"the secret {name}", found["tags"])
            found["deleted"] = True

    def write_parameter(self, name: str, value: str) -> None:
        with self.world.call("write_parameter", name, changes=True) as state:
            state["parameters"][name] = value

    def read_parameter(self, name: str) -> str | None:
        with self.world.call("read_parameter", name) as state:
            return state["parameters"].get(name)  # type: ignore[no-any-return]

    def database(self, identifier: str) -> DatabaseInstance | None:
        with self.world.call("database", identifier) as state:
            found = state["databases"].get(identifier)
            seen = _instance(found) if found else None
            if found and found["status"] == "modifying":
                found["status"] = "available"
            return seen

    def databases(self) -> Sequence[DatabaseInstance]:
        with self.world.call("databases") as state:
            return [_instance(one) for _, one in sorted(state["databases"].items())]

    def create_snapshot(self, identifier: str, database: str, tags: Mapping[str, str]) -> Snapshot:
        doing = f"taking the snapshot {identifier} of {database}"
        with self.world.call("create_snapshot", identifier, changes=True) as state:
            found = state["snapshots"].get(identifier)
            if found is not None:
                if found["database"] != database:
                    raise AlreadyExists(f"{doing}: it exists, of {found['database']}")
                _check_owner(f"the snapshot {identifier}", found["tags"], tags)
                return _snapshot(found)
            of = state["databases"].get(database)
            if of is None:
                raise Missing(f"{doing}: there is no such database")
            if of["status"] != "available":
                raise Conflict(f"{doing}: the database is {of['status']}")
            state["snapshots"][identifier] = {
                "identifier": identifier,
                "arn": self._arn("rds", f"snapshot:{identifier}"),
                "database": database,
                "status": "available",
                "created_at": BIRTH.isoformat(),
                "tags": _marked(tags),
                **{key: of[key] for key in ("storage_gb", "engine_version", "encrypted", "kms_key_id")},
            }
            return _snapshot(state["snapshots"][identifier])

    def copy_snapshot(self, source: str, identifier: str, kms_key: str, tags: Mapping[str, str]) -> Snapshot:
        doing = f"copying the snapshot {source} to {identifier}"
        with self.world.call("copy_snapshot", identifier, changes=True) as state:
            found = state["snapshots"].get(identifier)
            if found is not None:
                _check_owner(f"the snapshot {identifier}", found["tags"], tags)
                return _snapshot(found)
            of = state["snapshots"].get(source)
            if of is None:
                raise Missing(f"{doing}: there is no such snapshot")
            own = {"identifier": identifier, "arn": self._arn("rds", f"snapshot:{identifier}")}
            made = {**of, **own, "kms_key_id": kms_key, "encrypted": True, "tags": _marked(tags)}
            state["snapshots"][identifier] = made
            return _snapshot(made)

    def snapshot(self, identifier: str) -> Snapshot | None:
        with self.world.call("snapshot", identifier) as state:
            found = state["snapshots"].get(identifier)
            return _snapshot(found) if found else None

    def snapshots(self, database: str | None = None) -> Sequence[Snapshot]:
        with self.world.call("snapshots", database or "") as state:
            every = [_snapshot(one) for _, one in sorted(state["snapshots"].items())]
        return [one for one in every if database in (None, one.database)]

    def delete_snapshot(self, identifier: str) -> None:
        with self.world.call("delete_snapshot", identifier, changes=True) as state:
            found = state["snapshots"].get(identifier)
            if found is not None:
                _check_ours(f"the snapshot {identifier}", found["tags"])
                del state["snapshots"][identifier]

    def export_snapshot(self, identifier: str, snapshot_arn: str, prefix: str, to: ArchivePlace) -> Export:
        with self.world.call("export_snapshot", identifier, changes=True) as state:
            of = next((s for s in state["snapshots"].values() if s["arn"] == snapshot_arn), None)
            if of is None:
                raise Missing(f"exporting the snapshot {snapshot_arn}: there is none")
            if identifier not in state["exports"]:
                problems = state.get("export_problems", [])
                problem = problems.pop(0) if problems else ""
                made = Export(identifier, snapshot_arn, "in_progress", to.bucket, prefix, problem=problem)
                state["exports"][identifier] = asdict(made)
            return Export(**state["exports"][identifier])

    def exports(self, snapshot_arn: str) -> Sequence[Export]:
        with self.world.call("exports", snapshot_arn) as state:
            for one in state["exports"].values():  # whoever looks again finds it over
                one["status"] = "failed" if one["problem"] else "complete"
            every = [Export(**one) for one in state["exports"].values()]
        return [one for one in every if one.snapshot_arn == snapshot_arn]

    def backup_window(self, resource_id: str) -> BackupWindow | None:
        with self.world.call("backup_window", resource_id) as state:
            every = [*state["databases"].values(), *state["kept"].values()]
        found = next((one for one in every if one["resource_id"] == resource_id), None)
        if found is None or not found["backup_retention_days"]:
            return None
        arn = self._arn("rds", f"auto-backup:ab-{resource_id.lower()}")
        facts = {name: found[name] for name in ("identifier", "resource_id", "kms_key_id", "storage_gb")}
        return BackupWindow(arn=arn, earliest=BIRTH, latest=datetime.now(UTC), **facts)

    def start_database(self, identifier: str) -> None:
        self._bring_to(identifier, "start_database", "stopped", "available")

    def stop_database(self, identifier: str) -> None:
        self._bring_to(identifier, "stop_database", "available", "stopped")

    def _bring_to(self, identifier: str, method: str, before: str, after: str) -> None:
        with self.world.call(method, identifier, changes=True) as state:
            found = state["databases"].get(identifier)
            if found is None:
                raise Missing(f"{method} {identifier}: there is none of this name")
            if found["status"] not in (before, after):
                raise Conflict(f"{method} {identifier}: it is {found['status']}")
            found["status"] = after

    def redeploy(self, cluster: str, service: str) -> Redeployment:
        with self.world.call("redeploy", f"{cluster}/{service}", changes=True) as state:
            begun = state["services"].get(f"{cluster}/{service}")
            if begun is None:
                return Redeployment(False, f"there is no service {service} in the cluster {cluster}")
            state["services"][f"{cluster}/{service}"] = begun + 1
            return Redeployment(True, f"{service} in {cluster}: deployment {begun + 1}")

    def peak_connections(self, identifier: str, days: int) -> int | None:
        with self.world.call("peak_connections", identifier) as state:
            return state["peaks"].get(identifier)  # type: ignore[no-any-return]

    def orderable_classes(self, engine_version: str) -> frozenset[str]:
        with self.world.call("orderable_classes", engine_version):
            return ORDERABLE

    def tagged_resources(self, tags: Mapping[str, str]) -> Sequence[str]:
        with self.world.call("tagged_resources") as state:
            kinds = ("databases", "snapshots", "secrets")
            every = [one for kind in kinds for one in state[kind].values() if not one.get("deleted")]
            return sorted(one["arn"] for one in every if tags.items() <= one["tags"].items())

    def _arn(self, service: str, rest: str) -> str:
        return f"arn:aws:{service}:{self.region}:{ACCOUNT}:{rest}"


def _marked(tags: Mapping[str, str]) -> dict[str, str]:
    return {"managed-by": "controlplane", **tags}


def _check_owner(what: str, found: Mapping[str, str], wanted: Mapping[str, str]) -> None:
    expected = {key: value for key, value in _marked(wanted).items() if key in _OWNER}
    if any(found.get(key) != value for key, value in expected.items()):
        raise AlreadyExists(f"{what} exists and is not ours")


def _check_ours(what: str, found: Mapping[str, str]) -> None:
    if found.get("managed-by") != "controlplane":
        raise Refused(f"deleting {what}: it is not ours")


def _living_secret(state: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = state["secrets"].get(name)
    if found is None or found["deleted"]:
        raise Missing(f"reading the secret {name}: there is none, or it is scheduled for deletion")
    return found  # type: ignore[no-any-return]


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in facts.items()}


def _instance(row: Mapping[str, Any]) -> DatabaseInstance:
    return DatabaseInstance(**_timed(row))


def _snapshot(row: Mapping[str, Any]) -> Snapshot:
    return Snapshot(**_timed(row))


def _timed(row: Mapping[str, Any]) -> dict[str, Any]:
    at = row.get("created_at")
    return {**row, "created_at": datetime.fromisoformat(at) if at else None}
