"""A new key: everything stored is sealed under it, the old one stays, and it stands in the audit."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from sqlalchemy import select

from controlplane.adapters.keyring import FileKeyring
from controlplane.store.sealed import check_keys, key_ids_in_use
from controlplane.store.states import States
from controlplane.store.tables import AuditEntry
from tests.doors.cli.terminal import Terminal
from tests.doors.premises import Premises


def test_a_new_key_seals_everything_and_the_old_one_stays(premises: Premises, terminal: Terminal) -> None:
    place = Path(f"{premises.folder / 'data'}-keys") / "sandbox.json"
    running = FileKeyring(place)  # as a worker that goes on meanwhile has it
    db = premises.control.db
    before = running.key_ids()[0]
    for serial in (1, 2):
        content = f'{{"version": 4, "serial": {serial}, "lineage": "l"}}'.encode()
        States(db, running).put("tenant-a", content, written_by="ann")
    said = terminal("key", "rotate", "--reason", "who left", "-o", "json").json()
    assert said["id"] == running.key_ids()[0] != before
    assert said["resealed"] == 2
    assert (said["older"], said["still_needed"]) == ([before], [])
    with db.read() as session:
        assert key_ids_in_use(session) == {said["id"]}
        written = session.scalars(select(AuditEntry).where(AuditEntry.action == "key.rotated")).one()
    assert (written.subject, written.reason) == (f"key/{said['id']}", "who left")
    check_keys(db, running)
    found = States(db, FileKeyring(place)).newest("tenant-a")
    assert found is not None and found.serial == 2


def test_a_keyring_is_not_rotated_through_a_server(terminal: Terminal) -> None:
    said = terminal("key", "rotate", "--server", "http://127.0.0.1:9")
    assert said.code == 64
    assert "on the machine of the control plane" in said.err


@pytest.mark.timeout(120)
def test_a_server_does_not_start_without_a_key_that_a_record_needs(
    premises: Premises, terminal: Terminal, tmp_path: Path
) -> None:
    other = FileKeyring(tmp_path / "other.json")
    content = b'{"version": 4, "serial": 1, "lineage": "l"}'
    States(premises.control.db, other).put("tenant-a", content, written_by="ann")
    said = terminal("serve", "--no-worker", "--port", "0")
    assert said.code != 0
    assert other.key_ids()[0] in said.err
    assert "CONTROLPLANE_KEYRING" in said.err
    assert logging.getLogger("controlplane.api").handlers == []  # what it had begun is taken back
