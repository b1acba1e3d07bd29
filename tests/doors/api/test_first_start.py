"""The first token of an installation that has neither token nor user: in a file for its owner, and once."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from controlplane.services import access, audit
from controlplane.services.bodies import NewUser
from tests.doors.premises import ADMIN, ASK, Premises


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "admin.token"


def test_an_admin_s_token_lies_in_a_file_that_only_its_owner_reads(premises: Premises, file: Path) -> None:
    assert access.first_token(premises.control, file) == file
    assert file.stat().st_mode & 0o777 == 0o600
    secret = file.read_text().strip()
    http = premises.client(secret)
    (token,) = http.get("/v1/tokens").json()["items"]
    assert (token["name"], token["role"], token["tenants"], token["state"]) == (
        "first-start",
        "admin",
        [],
        "living",
    )
    assert token["expires_at"] is not None


def test_it_stands_in_the_audit_without_its_secret(premises: Premises, file: Path) -> None:
    access.first_token(premises.control, file)
    (entry,) = audit.export(premises.control, ADMIN)
    assert (entry["action"], entry["subject"], entry["origin"]) == (
        "token.created",
        "token/tok-first",
        "first-start",
    )
    assert file.read_text().strip() not in json.dumps(entry)


def test_a_second_start_makes_none_also_when_the_first_was_revoked(premises: Premises, file: Path) -> None:
    access.first_token(premises.control, file)
    before = file.read_text()
    access.revoke_token(premises.control, ADMIN, "tok-first", ASK)
    assert access.first_token(premises.control, file) is None
    assert file.read_text() == before


def test_where_there_is_anybody_none_is_made(premises: Premises, file: Path) -> None:
    access.add_user(premises.control, ADMIN, NewUser(name="ann"), ASK)
    assert access.first_token(premises.control, file) is None
    assert not file.exists()


def test_a_file_that_was_left_there_is_replaced_and_not_followed(premises: Premises, file: Path) -> None:
    file.parent.mkdir()
    elsewhere = file.parent / "elsewhere"
    elsewhere.write_text("mine")
    file.symlink_to(elsewhere)
    access.first_token(premises.control, file)
    assert elsewhere.read_text() == "mine"
    assert file.read_text().startswith("cp_")


def test_of_servers_that_start_at_the_same_moment_one_makes_it(premises: Premises, file: Path) -> None:
    barrier, made = threading.Barrier(4), list[Path | None]()

    def start() -> None:
        barrier.wait(20)
        made.append(access.first_token(premises.control, file))

    servers = [threading.Thread(target=start) for _ in range(4)]
    for server in servers:
        server.start()
    for server in servers:
        server.join(60)
    assert sorted(made, key=str) == sorted([file, None, None, None], key=str)
    assert len(premises.client(file.read_text().strip()).get("/v1/tokens").json()["items"]) == 1
