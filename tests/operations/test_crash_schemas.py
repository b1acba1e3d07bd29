"""kill -9 in the life of a tenant that is a schema: what is made is made once, what leaves is kept first."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from controlplane.domain.operation import Kind
from controlplane.operations import Create, Destroy, Request, Rotate
from controlplane.services import tenants
from tests.operations.crash_worker import PASSED, passed, work
from tests.operations.house import ADMIN, ASK, build
from tests.operations.ordinary import application, tenant
from tests.operations.sharing import BUCKET, SHARED, add_shared_platform, schemas, space
from tests.operations.test_crash_matrix import Asked, cells, crash_and_recover

COMMON = ("begin_leg", "record_intent", "decide", "hand_over", "gate", "begin_apply", "begin_verifying")
CREATE = (
    *COMMON,
    "check_shared_database",
    "make_schema",
    "probe_schema",
    "record_endpoint",
    "succeed",
)
DESTROY = (
    *COMMON,
    "check_leaving",
    "close_schema",
    "export_schema",
    "drop_schema",
    "forget_schema_secret",
    "succeed",
)
ROTATE = (
    *COMMON,
    "check_shared_database",
    "renew_idle_schema_login",
    "switch_schema_login",
    "retire_schema_login",
    "probe_schema",
    "succeed",
)
STEPS = {"create": CREATE, "destroy": DESTROY, "rotate": ROTATE}
# Where something outside was done and is not recorded yet; all other points are the long form's.
SHORT = ("make_schema:after:1", "export_schema:after:1", "drop_schema:after:1", "switch_schema_login:after:1")


def points(kind: str) -> list[object]:
    return [
        point if point in SHORT else pytest.param(point, marks=pytest.mark.long)
        for point in cells(STEPS[kind], 1)
    ]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """Folders to copy: one in which a create was asked for, and two with a tenant that is ready."""
    fresh = build(tmp_path_factory.mktemp("fresh") / "house")
    add_shared_platform(fresh)
    body = Create(slug="acme", blueprint=SHARED)
    found = {"create": (fresh.folder, str(tenants.create(fresh.control, ADMIN, body, ASK)["id"]))}
    fresh.db.close()
    later: list[tuple[Kind, Request]] = [(Kind.DESTROY, Destroy(confirm="acme")), (Kind.ROTATE, Rotate())]
    for kind, change in later:
        ready = tmp_path_factory.mktemp(kind) / "house"
        shutil.copytree(fresh.folder, ready)
        assert work(ready) == 0
        house = build(ready)
        schemas(house).write(application(house), space(house), "orders", "one", "two")
        found[kind] = ready, str(tenants.change(house.control, ADMIN, kind, "acme", change, ASK)["id"])
        house.db.close()
        (ready / PASSED).unlink()
    return found


@pytest.mark.parametrize("point", points("create"))
def test_a_create_survives_a_kill(asked: Asked, tmp_path: Path, point: str) -> None:
    house, seen = crash_and_recover(asked["create"], tmp_path / "house", point)
    assert seen["status"] == "succeeded", (seen["metadata"], seen.get("error"))
    login = application(house)
    assert house.database.probe(login).reachable
    assert schemas(house).names(login.host) == [space(house).schema]


@pytest.mark.parametrize("point", points("destroy"))
def test_a_destroy_survives_a_kill(asked: Asked, tmp_path: Path, point: str) -> None:
    house, seen = crash_and_recover(asked["destroy"], tmp_path / "house", point)
    assert seen["status"] == "succeeded", (seen["metadata"], seen.get("error"))
    kept = seen["response"]["final_export"]
    assert kept["tables"] == {"orders": 2}
    assert house.cloud.objects() == [f"{BUCKET}/{kept['key']}"]
    assert house.cloud.object_digest(BUCKET, kept["key"]) == kept["sha256"]
    assert tenant(house)["phase"] == "torn_down"
    assert schemas(house).names("shared-e1") == []


@pytest.mark.parametrize("point", points("rotate"))
def test_a_rotation_survives_a_kill(asked: Asked, tmp_path: Path, point: str) -> None:
    house, seen = crash_and_recover(asked["rotate"], tmp_path / "house", point)
    assert seen["status"] == "succeeded", (seen["metadata"], seen.get("error"))
    assert application(house).username == space(house).logins[1]
    assert house.database.probe(application(house)).reachable


@pytest.mark.parametrize("kind", STEPS)
def test_every_step_is_in_the_matrix(asked: Asked, tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "house"
    shutil.copytree(asked[kind][0], folder)
    assert work(folder) == 0
    assert {point.split(":")[0] for point in passed(folder)} == set(STEPS[kind])
