"""What the doctor finds on a machine, and what it says where something is missing."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane.adapters import doctor
from controlplane.domain.errors import Unavailable
from controlplane.domain.quotas.cells import Cell


def program(folder: Path, name: str, said: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\necho '{said}'\n")
    file.chmod(0o755)


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_disk_space_is_that_of_the_nearest_folder_that_is_there(tmp_path: Path) -> None:
    assert str(tmp_path) in doctor.look_for_disk(tmp_path / "not" / "yet", least_gb=0)
    with pytest.raises(Unavailable, match="GB free") as raised:
        doctor.look_for_disk(tmp_path, least_gb=10**9)
    assert "CONTROLPLANE_DATA_DIR" in raised.value.hint


def test_git_is_found_with_its_version() -> None:
    assert doctor.look_for_git().startswith("git 2.")


def test_client_programs_are_as_old_as_the_older_one(tmp_path: Path) -> None:
    program(tmp_path, "pg_dump", "pg_dump (PostgreSQL) 16.4 (Debian 16.4-1)")
    program(tmp_path, "psql", "psql (PostgreSQL) 15.8")
    assert doctor.look_for_postgres_clients(tmp_path) == "pg_dump and psql 15.8"
    assert doctor.look_for_postgres_clients(tmp_path, server_major=15)
    with pytest.raises(Unavailable, match="older than servers of 16"):
        doctor.look_for_postgres_clients(tmp_path, server_major=16)


def test_missing_client_programs_say_who_needs_them(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="pg_dump is not there") as raised:
        doctor.look_for_postgres_clients(tmp_path)
    assert "logical replication" in raised.value.hint


def test_a_bundle_of_certificates_is_counted(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("-----BEGIN CERTIFICATE-----\n" * 3)
    assert doctor.look_for_certificates(bundle).startswith("3 certificates")


def test_no_bundle_an_empty_one_and_a_lost_one_say_where_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    for bundle in (None, tmp_path / "empty.pem", tmp_path / "lost.pem"):
        with pytest.raises(Unavailable) as raised:
            doctor.look_for_certificates(bundle)
        assert doctor.BUNDLE in raised.value.hint


def test_a_process_in_another_account_than_its_cell_s_is_told(listening: int) -> None:
    cell = Cell("second", "eu-west-1", account="210987654321")
    with pytest.raises(
        Unavailable, match="account 210987654321, and this process is in 123456789012"
    ) as raised:
        doctor.look_for_home(cell, "123456789012", ("127.0.0.1", listening))
    assert "CONTROLPLANE_CELLS_FILE" in raised.value.hint


def test_a_process_at_home_says_whether_a_database_answers(listening: int) -> None:
    at_home = Cell("second", "eu-west-1", account="210987654321")
    said = doctor.look_for_home(at_home, "210987654321", ("127.0.0.1", listening))
    assert said == f"second: account 210987654321, eu-west-1; 127.0.0.1:{listening} answers"
    with pytest.raises(Unavailable, match="does not answer from here"):
        doctor.look_for_home(at_home, "210987654321", ("127.0.0.1", 1))
    unnamed = Cell("default", "us-east-1")  # of the process's own credentials, whichever they are
    assert "no database to reach yet" in doctor.look_for_home(unnamed, "123456789012", None)


def test_a_database_is_within_reach_or_the_cell_is_named(listening: int) -> None:
    assert doctor.look_for_reach("127.0.0.1", listening).endswith("answers")
    with pytest.raises(Unavailable, match="does not answer") as raised:
        doctor.look_for_reach("127.0.0.1", 1)
    assert "cell" in raised.value.hint
