"""What `Cloud` promises, asked of the fake and of boto3 against the emulator."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import boto3
import pytest
from moto.server import ThreadedMotoServer

from controlplane.adapters.aws import Aws, AwsAccount
from controlplane.domain.errors import AlreadyExists, Conflict, Missing, Refused
from controlplane.ports import ArchivePlace, Cloud
from controlplane.sandbox import lifecycle
from controlplane.sandbox.options import SandboxOptions
from tests.fakes.cloud import FakeCloud
from tests.fakes.rds import wait_until

OURS = {"uid": "a1234567", "epoch": "1"}
REGION = "us-east-1"


class Makes(Protocol):
    """What somebody else does to the account: Terraform, or a stranger."""

    def key(self) -> str: ...

    def database(self, identifier: str, **tags: str) -> None: ...

    def secret(self, name: str, **tags: str) -> None: ...

    def snapshot(self, identifier: str, database: str, **tags: str) -> None: ...

    def service(self, cluster: str, service: str) -> None: ...

    def bucket(self, name: str) -> None: ...

    def deployment(self, cluster: str, service: str) -> str:
        """What says that tasks began anew: it is another one afterwards."""
        ...


@dataclass
class InFake:
    cloud: FakeCloud

    def database(self, identifier: str, **tags: str) -> None:
        self.cloud.add_database(identifier, tags)

    def secret(self, name: str, **tags: str) -> None:
        self.cloud.ensure_secret(name, "theirs", {"managed-by": "", **tags}, "their-token")

    def snapshot(self, identifier: str, database: str, **tags: str) -> None:
        self.cloud.create_snapshot(identifier, database, {"managed-by": "", **tags})

    def service(self, cluster: str, service: str) -> None:
        self.cloud.add_service(cluster, service)

    def bucket(self, name: str) -> None:
        """A fake's bucket is there when something lies in it."""

    def deployment(self, cluster: str, service: str) -> str:
        with self.cloud.world.open() as state:
            return str(state["services"][f"{cluster}/{service}"])

    def key(self) -> str:
        return "arn:aws:kms:us-east-1:123456789012:key/another"


@dataclass
class InEmulator:
    endpoint: str

    def _client(self, service: str) -> Any:
        keys = {"aws_access_key_id": "sandbox", "aws_secret_access_key": "sandbox"}
        return boto3.client(service, endpoint_url=self.endpoint, region_name=REGION, **keys)

    def database(self, identifier: str, **tags: str) -> None:
        self._client("rds").create_db_instance(
            DBInstanceIdentifier=identifier,
            DBInstanceClass="db.t4g.micro",
            Engine="postgres",
            AllocatedStorage=20,
            MasterUsername="cpmaster",
            MasterUserPassword="Long-enough-1",
            StorageEncrypted=True,
            Tags=_list(tags),
        )

    def bucket(self, name: str) -> None:
        self._client("s3").create_bucket(Bucket=name)

    def key(self) -> str:
        return str(self._client("kms").create_key()["KeyMetadata"]["Arn"])

    def secret(self, name: str, **tags: str) -> None:
        self._client("secretsmanager").create_secret(Name=name, SecretString="theirs", Tags=_list(tags))

    def snapshot(self, identifier: str, database: str, **tags: str) -> None:
        self._client("rds").create_db_snapshot(
            DBSnapshotIdentifier=identifier, DBInstanceIdentifier=database, Tags=_list(tags)
        )

    def service(self, cluster: str, service: str, controller: str = "ECS") -> None:
        ecs = self._client("ecs")
        ecs.create_cluster(clusterName=cluster)
        container = {"name": "backend", "image": "example.com/backend", "memory": 128}
        ecs.register_task_definition(family=service, containerDefinitions=[container])
        ecs.create_service(
            cluster=cluster,
            serviceName=service,
            taskDefinition=service,
            desiredCount=1,
            deploymentController={"type": controller},
        )

    def deployment(self, cluster: str, service: str) -> str:
        found = self._client("ecs").describe_services(cluster=cluster, services=[service])["services"][0]
        return str(found["deployments"][0]["id"])

    def remove_service(self, cluster: str, service: str) -> None:
        self._client("ecs").delete_service(cluster=cluster, service=service, force=True)


def _list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


@dataclass
class Place:
    cloud: Cloud
    makes: Makes
    fleet: int = 105  # databases that it can hold: more than a page where they cost nothing

    def available(self, identifier: str, **tags: str) -> None:
        """A database that somebody made, and that has come up."""
        self.makes.database(identifier, **tags)
        self.comes_to(identifier, "available")

    def comes_to(self, identifier: str, status: str) -> None:
        wait_until(lambda: self._status(identifier) == status, f"{identifier} to be {status}")

    def _status(self, identifier: str) -> str:
        found = self.cloud.database(identifier)
        return found.status if found else "gone"

    def snapshot_comes(self, identifier: str) -> None:
        def is_there() -> bool:
            found = self.cloud.snapshot(identifier)
            return found is not None and found.status == "available"

        wait_until(is_there, f"{identifier} to be available")


@pytest.fixture(scope="session")
def emulator() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The embedded one, with a PostgreSQL behind every instance: it takes time as AWS does."""
    folder = tmp_path_factory.mktemp("sandbox")
    options = SandboxOptions(delay_seconds=0.2, metrics_seconds=3600, loopback="")
    try:
        yield lifecycle.start(folder, options).endpoint_url
    finally:
        lifecycle.reset(folder)


EMULATED = ["emulator", pytest.param("sandbox", marks=pytest.mark.postgres)]


@pytest.fixture(params=["fake", "fake in a file", *EMULATED])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param in ("emulator", "sandbox"):
        endpoint = request.getfixturevalue(request.param)
        account = AwsAccount(REGION, endpoint, access_key="sandbox", secret_key="sandbox")
        return Place(Aws(account), InEmulator(endpoint), 105 if request.param == "emulator" else 2)
    fake = FakeCloud(tmp_path / "cloud.json" if "file" in request.param else None)
    return Place(fake, InFake(fake))


@pytest.fixture
def name() -> str:
    return f"t-{uuid.uuid4().hex[:12]}"


def token() -> str:
    return uuid.uuid4().hex[:9]  # short, as ours are


def test_it_says_as_whom_it_acts(place: Place) -> None:
    found = place.cloud.identity()
    assert found["account"] == "123456789012"
    assert found["arn"].startswith("arn:aws:")
    assert found["region"] == REGION


def test_a_secret_is_made_once_and_its_first_value_stays(place: Place, name: str) -> None:
    first = place.cloud.ensure_secret(name, "one", OURS, token())
    second = place.cloud.ensure_secret(name, "two", OURS, token())
    assert (first.created, second.created) == (True, False)
    assert first.arn == second.arn
    assert place.cloud.read_secret(name) == "one"


def test_a_secret_of_another_slot_is_not_taken(place: Place, name: str) -> None:
    place.cloud.ensure_secret(name, "one", OURS, token())
    with pytest.raises(AlreadyExists, match=name):
        place.cloud.ensure_secret(name, "two", {**OURS, "epoch": "2"}, token())


def test_a_strangers_secret_is_neither_taken_nor_deleted(place: Place, name: str) -> None:
    place.makes.secret(name)
    with pytest.raises(AlreadyExists, match="not ours"):
        place.cloud.ensure_secret(name, "two", OURS, token())
    with pytest.raises(Refused, match="not ours"):
        place.cloud.delete_secret(name)
    assert place.cloud.read_secret(name) == "theirs"


def test_a_secret_in_its_recovery_window_comes_back_with_its_value(place: Place, name: str) -> None:
    place.cloud.ensure_secret(name, "one", OURS, token())
    place.cloud.delete_secret(name)
    place.cloud.delete_secret(name)
    assert not place.cloud.secret_exists(name)
    with pytest.raises(Missing):
        place.cloud.read_secret(name)
    assert not place.cloud.ensure_secret(name, "two", OURS, token()).created
    assert place.cloud.read_secret(name) == "one"


def test_a_secret_takes_a_new_value_once_per_token(place: Place, name: str) -> None:
    place.cloud.ensure_secret(name, "one", OURS, token())
    used = token()
    place.cloud.write_secret(name, "two", used)
    place.cloud.write_secret(name, "two", used)
    assert place.cloud.read_secret(name) == "two"
    with pytest.raises(Conflict):
        place.cloud.write_secret(name, "three", used)


def test_a_secret_that_is_not_there_says_so(place: Place, name: str) -> None:
    assert not place.cloud.secret_exists(name)
    place.cloud.delete_secret(name)
    with pytest.raises(Missing, match=name):
        place.cloud.read_secret(name)
    with pytest.raises(Missing, match=name):
        place.cloud.write_secret(name, "one", token())


def test_a_parameter_holds_what_was_written_last(place: Place, name: str) -> None:
    path = f"/controlplane/{name}/route"
    assert place.cloud.read_parameter(path) is None
    for value in ("one", "two", "two"):
        place.cloud.write_parameter(path, value)
    assert place.cloud.read_parameter(path) == "two"


def test_what_is_put_away_is_read_back_whole(place: Place, name: str, tmp_path: Path) -> None:
    place.makes.bucket(f"b-{name}")
    file = tmp_path / "export"
    for content in (b"first", b"\x00second" * 500_000):  # written again it is what was written last
        file.write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        place.cloud.keep_object(f"b-{name}", "a/b.dump", str(file), digest)
        assert place.cloud.object_digest(f"b-{name}", "a/b.dump") == digest
    assert place.cloud.object_digest(f"b-{name}", "a/other.dump") is None


def test_a_database_is_seen_with_its_tags(place: Place, name: str) -> None:
    assert place.cloud.database(name) is None
    place.available(name, **OURS)
    found = place.cloud.database(name)
    assert found is not None
    assert (found.identifier, found.storage_gb, found.encrypted) == (name, 20, True)
    assert found.instance_class == "db.t4g.micro"
    assert found.tags == OURS
    assert found.created_at is not None and found.created_at.tzinfo is not None


def test_the_fleet_is_seen_whole_beyond_one_page(place: Place, name: str) -> None:
    wanted = {f"{name}-{number}" for number in range(place.fleet)}
    for identifier in wanted:
        place.makes.database(identifier)
    assert wanted <= {one.identifier for one in place.cloud.databases()}


def test_a_database_stops_and_starts_however_often_it_is_asked(place: Place, name: str) -> None:
    place.available(name)
    for call, status in ((place.cloud.stop_database, "stopped"), (place.cloud.start_database, "available")):
        call(name)
        call(name)
        place.comes_to(name, status)


def test_a_database_that_is_not_there_cannot_be_stopped(place: Place, name: str) -> None:
    with pytest.raises(Missing, match=name):
        place.cloud.stop_database(name)
    with pytest.raises(Missing, match=name):
        place.cloud.start_database(name)


def test_a_snapshot_is_taken_once(place: Place, name: str) -> None:
    place.available(name)
    first = place.cloud.create_snapshot(f"{name}-final", name, OURS)
    second = place.cloud.create_snapshot(f"{name}-final", name, OURS)
    assert first.arn == second.arn
    place.snapshot_comes(f"{name}-final")
    found = place.cloud.snapshot(f"{name}-final")
    assert found is not None
    assert (found.database, found.status, found.storage_gb) == (name, "available", 20)
    assert found.tags == {"managed-by": "controlplane", **OURS}


def test_a_snapshot_is_copied_once_and_under_another_key(place: Place, name: str) -> None:
    place.available(name)
    place.cloud.create_snapshot(f"{name}-taken", name, OURS)
    place.snapshot_comes(f"{name}-taken")
    key = place.makes.key()
    copies = [place.cloud.copy_snapshot(f"{name}-taken", f"{name}-copy", key, OURS) for _ in range(2)]
    assert copies[0].arn == copies[1].arn
    place.snapshot_comes(f"{name}-copy")
    found = place.cloud.snapshot(f"{name}-copy")
    assert found is not None
    assert (found.database, found.kms_key_id, found.encrypted) == (name, key, True)
    assert found.tags["uid"] == OURS["uid"]


def test_a_snapshot_is_exported_once_under_one_name(place: Place, name: str) -> None:
    place.available(name)
    taken = place.cloud.create_snapshot(f"{name}-final", name, OURS)
    place.snapshot_comes(f"{name}-final")
    to = ArchivePlace("an-archive", "arn:aws:iam::123456789012:role/export", place.makes.key())
    assert place.cloud.exports(taken.arn) == []
    for _ in range(2):
        begun = place.cloud.export_snapshot(f"{name}-1", taken.arn, "databases/x", to)
        assert (begun.identifier, begun.snapshot_arn) == (f"{name}-1", taken.arn)
    place.cloud.export_snapshot(f"{name}-2", taken.arn, "databases/x", to)
    found = place.cloud.exports(taken.arn)
    assert [one.identifier for one in found] == [f"{name}-1", f"{name}-2"]
    assert {(one.status, one.bucket, one.prefix) for one in found} == {
        ("complete", "an-archive", "databases/x")
    }


def test_what_is_no_snapshot_is_not_exported(place: Place, name: str) -> None:
    to = ArchivePlace("an-archive", "arn:aws:iam::123456789012:role/export", "key")
    with pytest.raises(Missing, match=name):
        place.cloud.export_snapshot(name, f"arn:aws:rds:us-east-1:123456789012:snapshot:{name}", "x", to)


def test_a_copy_needs_its_snapshot(place: Place, name: str) -> None:
    with pytest.raises(Missing, match=name):
        place.cloud.copy_snapshot(f"{name}-none", f"{name}-copy", place.makes.key(), OURS)


def test_a_snapshot_of_another_life_is_not_taken_for_ours(place: Place, name: str) -> None:
    place.available(name)
    place.cloud.create_snapshot(f"{name}-final", name, OURS)
    with pytest.raises(AlreadyExists):
        place.cloud.create_snapshot(f"{name}-final", name, {**OURS, "uid": "b7654321"})


def test_a_snapshot_of_another_database_is_not_taken_for_ours(place: Place, name: str) -> None:
    for identifier in (name, f"{name}-other"):
        place.available(identifier)
    place.cloud.create_snapshot(f"{name}-final", f"{name}-other", OURS)
    with pytest.raises(AlreadyExists, match=f"{name}-other"):
        place.cloud.create_snapshot(f"{name}-final", name, OURS)


def test_a_snapshot_needs_its_database(place: Place, name: str) -> None:
    with pytest.raises(Missing, match=name):
        place.cloud.create_snapshot(f"{name}-final", name, OURS)


def test_snapshots_are_listed_for_one_database_or_for_all(place: Place, name: str) -> None:
    for identifier in (name, f"{name}-other"):
        place.available(identifier)
        place.cloud.create_snapshot(f"{identifier}-final", identifier, OURS)
    assert f"{name}-final" in [one.identifier for one in place.cloud.snapshots(name)]
    assert {one.database for one in place.cloud.snapshots(name)} == {name}
    every = {one.identifier for one in place.cloud.snapshots()}
    assert {f"{name}-final", f"{name}-other-final"} <= every
    assert place.cloud.snapshots(f"{name}-nobody") == []


def test_a_snapshot_is_deleted_only_when_it_is_ours(place: Place, name: str) -> None:
    place.available(name)
    place.cloud.create_snapshot(f"{name}-ours", name, OURS)
    place.snapshot_comes(f"{name}-ours")
    place.comes_to(name, "available")
    place.makes.snapshot(f"{name}-theirs", name)
    for _ in range(2):
        place.cloud.delete_snapshot(f"{name}-ours")
    assert place.cloud.snapshot(f"{name}-ours") is None
    with pytest.raises(Refused, match="not ours"):
        place.cloud.delete_snapshot(f"{name}-theirs")
    assert place.cloud.snapshot(f"{name}-theirs") is not None


def test_resources_are_found_by_all_of_their_tags(place: Place, name: str) -> None:
    place.available(name, uid=name, epoch="1")
    place.available(f"{name}-two", uid=name, epoch="2")
    place.cloud.ensure_secret(name, "value", {"uid": name, "epoch": "1"}, token())
    both = place.cloud.tagged_resources({"uid": name, "epoch": "1"})
    assert sorted(arn.split(":")[2] for arn in both) == ["rds", "secretsmanager"]
    assert len(place.cloud.tagged_resources({"uid": name})) == 3


def test_a_services_tasks_begin_anew_each_time(place: Place, name: str) -> None:
    place.makes.service(name, "application")
    seen = {place.makes.deployment(name, "application")}
    for _ in range(2):
        done = place.cloud.redeploy(name, "application")
        assert done.begun, done.detail
        seen.add(place.makes.deployment(name, "application"))
    assert len(seen) == 3


def test_a_service_that_is_not_there_is_told_and_nothing_is_raised(place: Place, name: str) -> None:
    place.makes.service(name, "application")
    for cluster, service in ((f"{name}-other", "application"), (name, "other")):
        done = place.cloud.redeploy(cluster, service)
        assert not done.begun
        assert f"no service {service} in the cluster {cluster}" in done.detail


def test_a_service_that_was_deleted_or_is_deployed_by_another_is_left_alone(emulator: str, name: str) -> None:
    makes = InEmulator(emulator)
    cloud = Aws(AwsAccount(REGION, emulator, access_key="sandbox", secret_key="sandbox"))
    makes.service(name, "switched", "CODE_DEPLOY")
    makes.service(name, "deleted")
    makes.remove_service(name, "deleted")
    assert "begun by CODE_DEPLOY alone" in cloud.redeploy(name, "switched").detail
    assert "no service deleted" in cloud.redeploy(name, "deleted").detail
