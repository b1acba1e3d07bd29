"""Rotation with records in a real catalog: a keyring file and KMS of the sandbox keep the same promises."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controlplane import wiring
from controlplane.adapters.keyring import FileKeyring
from controlplane.domain.errors import KeyMissing
from controlplane.ports import DataKey, Keyring
from controlplane.sandbox import lifecycle
from controlplane.settings import Settings
from controlplane.store.database import Database, connect
from controlplane.store.sealed import check_keys, key_ids_in_use, reseal
from controlplane.store.states import States
from tests.catalogs import make_catalog

W = "tenant-abc"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder with a sandbox; nothing of it but KMS is used."""
    place = tmp_path_factory.mktemp("data")
    lifecycle.start(place / "sandbox")
    yield place
    lifecycle.reset(place / "sandbox")


class Files:
    """A keyring file; another one stands for a keyring that lacks the key."""

    def __init__(self, data: Path, tmp_path: Path) -> None:
        self._place = tmp_path / "keyring.json"

    def keyring(self) -> Keyring:
        """As a process that starts now has it."""
        return FileKeyring(self._place)

    def change_key(self) -> None:
        FileKeyring(self._place).rotate()

    def take_away(self, key_id: str) -> None:
        FileKeyring(self._place).forget(key_id)


class Kms:
    def __init__(self, data: Path, tmp_path: Path) -> None:
        self._data = data
        self.client: Any = wiring.sources.kms(wiring.aws_account(Settings(data_dir=data)))
        self._keys = [self._make()]

    def _make(self) -> str:
        return str(self.client.create_key()["KeyMetadata"]["Arn"])

    def keyring(self) -> Keyring:
        return wiring.keyring(Settings(data_dir=self._data, keyring=f"kms:{','.join(self._keys)}"))

    def change_key(self) -> None:
        self._keys.insert(0, self._make())

    def take_away(self, key_id: str) -> None:
        self.client.disable_key(KeyId=bare(key_id))


def bare(arn: str) -> str:
    """The emulator disables and deletes by the id alone."""
    return arn.rpartition("/")[2]


@pytest.fixture(params=[Files, Kms])
def at(request: pytest.FixtureRequest, data: Path, tmp_path: Path) -> Files | Kms:
    made: Files | Kms = request.param(data, tmp_path)
    return made


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    made = connect(make_catalog(tmp_path / "tenants.db"))
    yield made
    made.close()


def write(db: Database, keyring: Keyring, serial: int) -> None:
    content = f'{{"version": 4, "serial": {serial}, "lineage": "l"}}'
    States(db, keyring).put(W, content.encode(), written_by="ann")


def serials(db: Database, keyring: Keyring) -> list[int]:
    """Of what opens: all of it, or an error."""
    states = States(db, keyring)
    return [states.get(W, version.serial).serial for version in states.versions(W)]


def test_a_rotation_leaves_everything_readable_and_sealed_under_the_current_key(
    at: Files | Kms, db: Database
) -> None:
    running = at.keyring()
    write(db, running, 1)
    current = running.rotate()
    write(db, running, 2)
    reseal(db, running)
    assert reseal(db, running) == 0
    with db.read() as session:
        assert key_ids_in_use(session) == {current} == {at.keyring().key_ids()[0]}
    assert serials(db, at.keyring()) == [2, 1]
    check_keys(db, at.keyring())


def test_after_a_change_of_the_key_the_old_one_is_needed_by_nothing(at: Files | Kms, db: Database) -> None:
    write(db, at.keyring(), 1)
    before = at.keyring().key_ids()[0]
    at.change_key()
    keyring = at.keyring()
    assert list(keyring.key_ids())[1:] == [before]
    assert serials(db, keyring) == [1]
    assert reseal(db, keyring) == 1
    at.take_away(before)
    check_keys(db, at.keyring())
    assert serials(db, at.keyring()) == [1]


def test_a_start_is_refused_while_a_record_needs_a_key_that_is_missing(at: Files | Kms, db: Database) -> None:
    write(db, at.keyring(), 1)
    before = at.keyring().key_ids()[0]
    at.change_key()
    write(db, at.keyring(), 2)
    at.take_away(before)
    with pytest.raises(KeyMissing, match=before) as refused:
        check_keys(db, at.keyring())
    assert refused.value.details == {"missing": [before]}
    assert "CONTROLPLANE_KEYRING" in refused.value.hint


class Hasty:
    """A keyring that somebody else rotates while we seal everything anew."""

    def __init__(self, at: Files | Kms) -> None:
        self._at = at
        self._inner = at.keyring()

    def data_key(self) -> DataKey:
        if self._at is not None:
            self._at.change_key()
            self._inner, self._at = self._at.keyring(), None  # type: ignore[assignment]
        return self._inner.data_key()

    def unwrap(self, key_id: str, wrapped: bytes) -> bytes:
        return self._inner.unwrap(key_id, wrapped)

    def key_ids(self) -> list[str]:
        return list(self._inner.key_ids())

    def rotate(self) -> str:
        return self._inner.rotate()


@pytest.mark.timeout(60)
def test_two_rotations_at_once_come_to_an_end(at: Files | Kms, db: Database) -> None:
    write(db, at.keyring(), 1)
    at.change_key()
    assert reseal(db, Hasty(at)) == 1
    with db.read() as session:
        assert key_ids_in_use(session) == {at.keyring().key_ids()[0]}


def test_kms_makes_new_material_under_the_same_key(data: Path, tmp_path: Path) -> None:
    kms = Kms(data, tmp_path)
    keyring = kms.keyring()
    key = keyring.key_ids()[0]
    assert keyring.rotate() == key
    assert len(kms.client.list_key_rotations(KeyId=key)["Rotations"]) == 1


@pytest.mark.parametrize("state", ["Disabled", "PendingDeletion"])
def test_a_current_key_of_kms_that_is_not_enabled_stops_the_start(
    data: Path, tmp_path: Path, db: Database, state: str
) -> None:
    kms = Kms(data, tmp_path)
    key = kms.keyring().key_ids()[0]
    if state == "Disabled":
        kms.client.disable_key(KeyId=bare(key))
    else:
        kms.client.schedule_key_deletion(KeyId=bare(key), PendingWindowInDays=7)
    with pytest.raises(KeyMissing, match=state) as refused:
        check_keys(db, kms.keyring())
    assert key in refused.value.hint
