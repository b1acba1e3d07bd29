"""What `Cloud` promises of blue/green deployments, asked of the fake and of boto3 against the sandbox."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane.adapters.aws import Aws, AwsAccount
from controlplane.domain.errors import AlreadyExists, Conflict, Missing, Refused
from controlplane.sandbox import lifecycle
from controlplane.sandbox.lifecycle import SandboxInfo
from controlplane.sandbox.options import SandboxOptions
from tests.contract.test_cloud import OURS, REGION, InEmulator, InFake, Place
from tests.fakes.cloud import FakeCloud
from tests.fakes.rds import wait_until

CLASS = "db.t4g.small"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxInfo]:
    folder = tmp_path_factory.mktemp("sandbox")
    options = SandboxOptions(delay_seconds=0.2, metrics_seconds=3600, loopback="")
    try:
        yield lifecycle.start(folder, options)
    finally:
        lifecycle.reset(folder)


def emulated(sandbox: SandboxInfo) -> Place:
    account = AwsAccount(REGION, sandbox.endpoint_url, access_key="sandbox", secret_key="sandbox")
    return Place(Aws(account), InEmulator(sandbox.endpoint_url))


@pytest.fixture(params=["fake", "fake in a file", pytest.param("sandbox", marks=pytest.mark.postgres)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sandbox":
        return emulated(request.getfixturevalue("sandbox"))
    fake = FakeCloud(tmp_path / "cloud.json" if "file" in request.param else None)
    return Place(fake, InFake(fake))


@pytest.fixture
def name(place: Place) -> str:
    """Of a database that is ours and available."""
    made = f"t-{uuid.uuid4().hex[:12]}"
    place.available(made, **{"managed-by": "controlplane", **OURS})
    return made


def status(place: Place, name: str) -> str:
    found = place.cloud.blue_green(name)
    return found.status if found else "none"


def begin(place: Place, name: str) -> None:
    place.cloud.begin_blue_green(name, name, CLASS, OURS)
    wait_until(lambda: status(place, name) == "available", "a green side")


def switch(place: Place, name: str) -> None:
    place.cloud.switch_over(name, 300)
    wait_until(lambda: status(place, name) == "switchover_completed", "the switchover")


def test_a_green_side_is_made_once_and_is_of_the_class_that_was_asked_for(place: Place, name: str) -> None:
    assert place.cloud.blue_green(name) is None
    first = place.cloud.begin_blue_green(name, name, CLASS, OURS)
    second = place.cloud.begin_blue_green(name, name, CLASS, OURS)
    assert (first.identifier, first.green) == (second.identifier, second.green)
    wait_until(lambda: status(place, name) == "available", "a green side")
    green = place.cloud.database(first.green)
    assert green is not None
    assert (first.blue, green.instance_class) == (name, CLASS)
    assert {**green.tags, **OURS} == green.tags, "it is ours, too"


def test_a_green_side_is_made_of_nothing_but_a_database_of_ours(place: Place, name: str) -> None:
    with pytest.raises(Missing):
        place.cloud.begin_blue_green(f"{name}-x", f"{name}-none", CLASS, OURS)
    with pytest.raises(AlreadyExists):
        place.cloud.begin_blue_green(f"{name}-x", name, CLASS, {**OURS, "uid": "b7654321"})
    assert place.cloud.blue_green(f"{name}-x") is None


def test_a_name_that_is_taken_by_another_database_is_not_taken_over(place: Place, name: str) -> None:
    begin(place, name)
    place.available(f"{name}-b", **{"managed-by": "controlplane", **OURS})
    with pytest.raises(AlreadyExists):
        place.cloud.begin_blue_green(name, f"{name}-b", CLASS, OURS)


def test_a_switchover_gives_name_and_address_to_the_green_side(place: Place, name: str) -> None:
    begin(place, name)
    before, found = place.cloud.database(name), place.cloud.blue_green(name)
    assert before is not None and found is not None
    green = place.cloud.database(found.green)
    switch(place, name)
    place.cloud.switch_over(name, 300)  # done already is fine
    after, old = place.cloud.database(name), place.cloud.database(f"{name}-old1")
    assert after is not None and old is not None and green is not None
    assert (after.resource_id, after.endpoint) == (green.resource_id, before.endpoint)
    assert (old.resource_id, old.instance_class) == (before.resource_id, before.instance_class)
    ended = place.cloud.blue_green(name)
    assert ended is not None
    assert (ended.blue, ended.green) == (f"{name}-old1", name)
    again = place.cloud.begin_blue_green(name, name, CLASS, OURS)
    assert again.status == "switchover_completed", "what was made and switched is not made again"


def test_a_green_side_that_is_not_there_yet_cannot_be_switched_to(place: Place, name: str) -> None:
    with pytest.raises(Missing):
        place.cloud.switch_over(name, 300)
    place.cloud.begin_blue_green(name, name, CLASS, OURS)
    with pytest.raises(Conflict, match="provisioning"):
        place.cloud.switch_over(name, 300)
    wait_until(lambda: status(place, name) == "available", "a green side")


def test_a_deployment_that_is_called_off_takes_its_green_side_with_it(place: Place, name: str) -> None:
    begin(place, name)
    found = place.cloud.blue_green(name)
    assert found is not None
    for _ in range(2):
        place.cloud.end_blue_green(name)
    assert place.cloud.blue_green(name) is None
    place.comes_to(found.green, "gone")
    place.comes_to(name, "available")


def test_a_deployment_that_was_switched_leaves_both_databases(place: Place, name: str) -> None:
    begin(place, name)
    switch(place, name)
    for _ in range(2):
        place.cloud.end_blue_green(name)
    for side in (name, f"{name}-old1"):
        place.comes_to(side, "available")


def test_a_database_is_removed_only_when_it_is_ours(place: Place, name: str) -> None:
    place.available(f"{name}-theirs")
    with pytest.raises(Refused, match="not ours"):
        place.cloud.delete_database(f"{name}-theirs")
    for _ in range(2):
        place.cloud.delete_database(name)
    place.comes_to(name, "gone")
    place.cloud.delete_database(name)
    assert place.cloud.database(f"{name}-theirs") is not None


@pytest.mark.postgres
@pytest.mark.parametrize("place", ["sandbox"], indirect=True)
@pytest.mark.parametrize("action", ["Create", "Switchover", "Delete"])
def test_an_answer_that_is_lost_is_made_good_by_a_look(
    place: Place, name: str, sandbox: SandboxInfo, action: str
) -> None:
    rule = {"service": "rds", "action": f"{action}BlueGreenDeployment", "fault": "timeout_after_effect"}
    sandbox.faults.write_text(json.dumps({"rules": [rule]}))
    try:
        begin(place, name)
        switch(place, name)
        place.cloud.end_blue_green(name)
    finally:
        sandbox.faults.unlink()
    assert place.cloud.blue_green(name) is None
    assert place.cloud.database(f"{name}-old1") is not None
