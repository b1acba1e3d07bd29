"""Every keyring keeps the same promises; the file's own care for its keys; start-up without a key."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from controlplane.adapters.keyring import FileKeyring, KmsKeyring, file_beside
from controlplane.domain.errors import Broken, Invalid, KeyMissing, Unavailable
from controlplane.domain.sealing import Unopenable, seal, unseal
from controlplane.ports import Keyring


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def kms(emulator: str) -> KmsKeyring:
    client = boto3.client(
        "kms",
        region_name="us-east-1",
        endpoint_url=emulator,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    return KmsKeyring(client, client.create_key()["KeyMetadata"]["Arn"])


@pytest.fixture(params=["file", "kms"])
def keyring(request: pytest.FixtureRequest, tmp_path: Path) -> Keyring:
    if request.param == "kms":
        found: Keyring = request.getfixturevalue("kms")
        return found
    return FileKeyring(tmp_path / "keyring.json")


def test_a_data_key_can_be_unwrapped_again(keyring: Keyring) -> None:
    key = keyring.data_key()
    assert len(key.plain) == 32
    assert key.plain not in key.wrapped
    assert keyring.unwrap(key.key_id, key.wrapped) == key.plain


def test_every_record_gets_a_key_of_its_own(keyring: Keyring) -> None:
    assert keyring.data_key().plain != keyring.data_key().plain


def test_the_current_key_is_the_first_of_all(keyring: Keyring) -> None:
    assert keyring.key_ids()[0] == keyring.data_key().key_id


def test_an_older_key_opens_its_records_after_a_rotation(keyring: Keyring) -> None:
    old = keyring.data_key()
    assert keyring.rotate() == keyring.key_ids()[0] == keyring.data_key().key_id
    assert keyring.unwrap(old.key_id, old.wrapped) == old.plain


def test_an_unknown_key_is_named(keyring: Keyring) -> None:
    unknown = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000"
    with pytest.raises(KeyMissing, match="00000000"):
        keyring.unwrap(unknown, keyring.data_key().wrapped)


def test_nothing_prints_a_key(keyring: Keyring) -> None:
    key = keyring.data_key()
    assert key.plain.hex() not in repr(key)
    assert str(key.plain) not in repr(key) + repr(keyring)


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "keyring.json"
    FileKeyring(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["keyring.json"]


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    FileKeyring(path)
    path.chmod(0o640)
    with pytest.raises(Broken, match="0640") as refused:
        FileKeyring(path)
    assert "chmod 600" in refused.value.hint


@pytest.mark.parametrize("content", ["", "{", '{"keys": []}', '{"keys": [{"id": "a", "key": "YQ=="}]}', "[]"])
def test_a_damaged_file_is_refused_and_left_as_it_is(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keyring.json"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(Broken):
        FileKeyring(path)
    assert path.read_text() == content


def test_ten_that_create_the_file_at_once_share_one_key(tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    with ThreadPoolExecutor(10) as pool:
        keyrings = list(pool.map(FileKeyring, [path] * 10))
    assert len({tuple(k.key_ids()) for k in keyrings}) == 1


def test_a_rotation_by_another_process_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    ours, theirs = FileKeyring(path), FileKeyring(path)
    theirs.rotate()
    key = theirs.data_key()
    assert ours.unwrap(key.key_id, key.wrapped) == key.plain


def test_the_current_key_is_never_forgotten(tmp_path: Path) -> None:
    keyring = FileKeyring(tmp_path / "keyring.json")
    old = keyring.key_ids()[0]
    with pytest.raises(Invalid, match="current"):
        keyring.forget(old)
    keyring.rotate()
    keyring.forget(old)
    assert old not in FileKeyring(tmp_path / "keyring.json").key_ids()


def test_a_folder_that_cannot_be_made_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="keyring"):
        FileKeyring(tmp_path / "file" / "keyring.json")


def test_the_default_file_lies_outside_of_any_data_folder() -> None:
    data = Path("/srv/controlplane")
    assert not file_beside(data).is_relative_to(data)
    assert file_beside(data) != file_beside(Path("/srv/other"))


def test_a_sealed_record_opens_only_as_itself_and_undamaged() -> None:
    key, nonce = b"k" * 32, b"n" * 12
    sealed = seal(key, "state:a", b"content", nonce)
    assert unseal(key, "state:a", sealed) == b"content"
    for identity, other, bytes_ in (
        ("state:b", key, sealed),
        ("state:a", b"x" * 32, sealed),
        ("state:a", key, sealed[:-1]),
        ("state:a", key, b""),
    ):
        with pytest.raises(Unopenable):
            unseal(other, identity, bytes_)
