"""A sandbox's life: started once, stopped whole, and the same again afterwards."""

from __future__ import annotations

import json
import os
import signal
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from botocore.exceptions import ClientError

from controlplane.domain.errors import Refused, Unavailable
from controlplane.sandbox import lifecycle
from controlplane.sandbox.options import SandboxOptions
from tests.contract.sandbox_stage import QUICK, Stage, folder, sql, until

pytestmark = pytest.mark.postgres


@pytest.fixture
def place() -> Iterator[Path]:
    with folder() as made:
        yield made


def processes(place: Path) -> list[int]:
    """PostgreSQL processes that work for this sandbox."""
    programs = lifecycle.discover(prefer=16)
    clusters = lifecycle.clusters_of(place.resolve(), programs)
    return [pid for cluster in clusters if (pid := cluster.pid())]


def test_starts_that_race_make_one_sandbox(place: Path) -> None:
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: lifecycle.start(place, QUICK), range(3)))
    assert len({info.pid for info in found}) == 1
    assert lifecycle.start(place).pid == found[0].pid


def test_it_says_that_it_is_a_sandbox_and_keeps_its_file_private(place: Path) -> None:
    info = lifecycle.start(place, QUICK)
    file = place / lifecycle.FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "SANDBOX" in json.loads(file.read_text())["note"]
    assert "SANDBOX" in (place / lifecycle.LOG).read_text()
    assert "SANDBOX" in lifecycle.status(place).note
    assert info.endpoint_url.startswith("http://127.0.0.1:")


def test_what_was_answered_survives_a_stop_and_a_kill(place: Path) -> None:
    stage = Stage(lifecycle.start(place, QUICK))
    live = stage.create("kept", StorageEncrypted=True)
    sql(live, "create table kept as select 1 as n")
    secret = stage.client("secretsmanager").create_secret(Name="s", SecretString="value")["ARN"]
    stage.client("ssm").put_parameter(Name="/p", Value="v", Type="String")
    key = stage.client("kms").create_key()["KeyMetadata"]["KeyId"]
    sealed = stage.client("kms").encrypt(KeyId=key, Plaintext=b"plain")["CiphertextBlob"]
    for end in ("stop", "kill"):
        if end == "stop":
            assert lifecycle.stop(place)
            assert processes(place) == []
        else:
            os.kill(stage.info.pid, signal.SIGKILL)
            until(lambda: not lifecycle.status(place).running, "gone")
        again = Stage(lifecycle.start(place))
        assert again.info.endpoint_url == stage.info.endpoint_url
        after = again.until("kept")
        assert after["DbiResourceId"] == live["DbiResourceId"]
        assert after["Endpoint"] == live["Endpoint"]
        assert sql(after, "select n from kept") == [(1,)]
        assert again.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"] == "value"
        assert again.client("ssm").get_parameter(Name="/p")["Parameter"]["Value"] == "v"
        assert again.client("kms").decrypt(CiphertextBlob=sealed)["Plaintext"] == b"plain"
        assert lifecycle.status(place).not_kept == {}
        stage = again


def test_what_was_under_way_at_a_kill_is_finished_afterwards(place: Path) -> None:
    stage = Stage(lifecycle.start(place, SandboxOptions(delay_seconds=3)))
    stage.create("under-way", wait=False)
    os.kill(stage.info.pid, signal.SIGKILL)
    until(lambda: not lifecycle.status(place).running, "gone")
    again = Stage(lifecycle.start(place, QUICK))
    assert sql(again.until("under-way"), "select 1") == [(1,)]


def test_stop_ends_the_databases_of_a_killed_server(place: Path) -> None:
    stage = Stage(lifecycle.start(place, QUICK))
    live = stage.create("orphan")
    os.kill(stage.info.pid, signal.SIGKILL)
    until(lambda: not lifecycle.status(place).running, "gone")
    assert sql(live, "select 1") == [(1,)]  # AWS is away, the database is not
    assert lifecycle.stop(place)
    assert processes(place) == []
    with pytest.raises(psycopg.OperationalError):
        sql(live, "select 1")


def test_status_shows_the_instances(place: Path) -> None:
    assert not lifecycle.status(place).running
    stage = Stage(lifecycle.start(place, QUICK))
    stage.create("shown")
    status = lifecycle.status(place)
    (row,) = status.instances
    assert (row["identifier"], row["status"], row["running"]) == ("shown", "available", True)


def test_reset_forgets_everything(place: Path) -> None:
    stage = Stage(lifecycle.start(place, QUICK))
    stage.create("forgotten")
    lifecycle.reset(place)
    assert processes(place) == []
    again = Stage(lifecycle.start(place))
    assert again.rds.describe_db_instances()["DBInstances"] == []


def test_reset_leaves_a_folder_alone_that_is_no_sandbox(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    with pytest.raises(Refused, match="no sandbox"):
        lifecycle.reset(tmp_path)
    assert precious.read_text() == "mine"


def test_the_number_of_a_dead_server_is_not_taken_for_it(place: Path) -> None:
    info = lifecycle.start(place, QUICK)
    lifecycle.stop(place)
    content = json.loads((place / lifecycle.FILE).read_text())
    content["pid"] = os.getpid()
    lifecycle.write_private(place / lifecycle.FILE, json.dumps(content))
    assert not lifecycle.status(place).running
    assert lifecycle.stop(place) is False
    assert lifecycle.start(place).pid not in (info.pid, os.getpid())


def test_a_start_that_fails_says_why(place: Path) -> None:
    with pytest.raises(Unavailable, match="starting the sandbox"):
        lifecycle.start(place, SandboxOptions(postgres=str(place)))
    assert not lifecycle.status(place).running


def test_a_damaged_state_is_refused_not_forgotten(place: Path) -> None:
    stage = Stage(lifecycle.start(place, QUICK))
    stage.client("secretsmanager").create_secret(Name="s", SecretString="value")
    lifecycle.stop(place)
    (place / "state" / "secretsmanager.pickle").write_bytes(b"damaged")
    with pytest.raises(Unavailable, match="secretsmanager"):
        lifecycle.start(place)


def test_faults_may_stand_in_a_file_elsewhere(place: Path, tmp_path: Path) -> None:
    file = tmp_path / "faults.json"
    file.write_text('{"rules": [{"service": "sts", "fault": "throttle"}]}')
    stage = Stage(lifecycle.start(place, QUICK, faults=str(file)))
    assert stage.info.faults == file
    with pytest.raises(ClientError, match="Throttling"):
        stage.client("sts").get_caller_identity()
