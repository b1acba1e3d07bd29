"""Keyrings: a file that only we can read, or AWS KMS. A record's data key is wrapped by one of their keys.

A key's id stands beside every record that it wrapped, so that a missing key is named, never guessed.
"""

from __future__ import annotations

import base64
import json
import os
import stat
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from controlplane.domain.errors import Broken, ControlPlaneError, Invalid, KeyMissing, Refused, Unavailable
from controlplane.domain.sealing import KEY_BYTES, NONCE_BYTES, Unopenable, seal, unseal
from controlplane.ports import DataKey

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

_FORMAT = 1


def file_beside(data_dir: Path) -> Path:
    """Outside of the data folder: a copy of the data alone opens nothing."""
    return data_dir.with_name(f"{data_dir.name}-keys") / "sandbox.json"


class FileKeyring:
    """Keys in a file with mode 0600, created at the first use. The newest key is the current one."""

    def __init__(self, path: Path) -> None:
        self._path = path.expanduser().absolute()
        self._read_at: tuple[int, int] | None = None
        self._keys = self._load() if self._path.exists() else self._create()

    def __repr__(self) -> str:
        return f"FileKeyring({str(self._path)!r})"

    def data_key(self) -> DataKey:
        key_id = self.key_ids()[0]
        plain = os.urandom(KEY_BYTES)
        wrapped = seal(self._keys[key_id], f"data-key:{key_id}", plain, os.urandom(NONCE_BYTES))
        return DataKey(key_id, plain, wrapped)

    def unwrap(self, key_id: str, wrapped: bytes) -> bytes:
        if key_id not in self._keys:
            self._keys = self._load()  # another process may have rotated
        if key_id not in self._keys:
            raise KeyMissing(
                f"decrypting a record: key {key_id} is not in {self._path}",
                hint="bring back the keyring file that made it",
            )
        try:
            return unseal(self._keys[key_id], f"data-key:{key_id}", wrapped)
        except Unopenable as error:
            raise Broken(f"decrypting a record: its data key does not open under {key_id}") from error

    def key_ids(self) -> Sequence[str]:
        """As they are now: another process may have rotated, and what is sealed from then on is its key's."""
        if self._stamp() != self._read_at:
            self._keys = self._load()
        return list(reversed(self._keys))

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return self._read_at  # gone: what is in memory still serves
        return found.st_ino, found.st_mtime_ns

    def rotate(self) -> str:
        """A new current key; the older ones stay until nothing needs them."""
        self._keys = self._load()
        key_id, key = _new_key()
        self._write({**self._keys, key_id: key}, new=False)
        return key_id

    def forget(self, key_id: str) -> None:
        """Drop an old key, after everything was sealed anew; never the current one."""
        if key_id == self.key_ids()[0]:
            raise Invalid(f"{key_id} is the current key: rotate first")
        self._write({k: v for k, v in self._load().items() if k != key_id}, new=False)

    def _create(self) -> dict[str, bytes]:
        key_id, key = _new_key()
        try:
            self._write({key_id: key}, new=True)
        except FileExistsError:  # two processes started at once: the first one's key counts
            return self._load()
        return self._keys

    def _load(self) -> dict[str, bytes]:
        try:
            with self._path.open("rb") as file:
                found = os.fstat(file.fileno())
                _refuse_readable_by_others(self._path, found)
                self._read_at = (found.st_ino, found.st_mtime_ns)
                stored = json.load(file)
            keys = {entry["id"]: base64.b64decode(entry["key"], validate=True) for entry in stored["keys"]}
        except OSError as error:
            raise KeyMissing(
                f"opening the keyring {self._path}: {error.strerror}", hint="bring the file back"
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise Broken(
                f"opening the keyring {self._path}: it is damaged", hint="restore it from its backup"
            ) from error
        if not keys or any(len(key) != KEY_BYTES for key in keys.values()):
            raise Broken(f"opening the keyring {self._path}: it holds no usable key")
        return keys

    def _write(self, keys: Mapping[str, bytes], *, new: bool) -> None:
        """Whole or not at all; `new` refuses to write over a file that is there."""
        stored = [{"id": i, "key": base64.b64encode(key).decode()} for i, key in keys.items()]
        folder = self._path.parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, beside = tempfile.mkstemp(prefix=".keyring-", dir=folder)
        except OSError as error:
            raise Unavailable(f"writing the keyring {self._path}: {error.strerror}") from error
        try:
            with os.fdopen(handle, "w") as file:
                json.dump({"format": _FORMAT, "keys": stored}, file)
                file.flush()
                os.fsync(file.fileno())
            if new:
                os.link(beside, self._path)
            else:
                Path(beside).replace(self._path)
        except FileExistsError:
            raise
        except OSError as error:
            raise Unavailable(f"writing the keyring {self._path}: {error.strerror}") from error
        finally:
            Path(beside).unlink(missing_ok=True)
        self._keys = dict(keys)


def _new_key() -> tuple[str, bytes]:
    return f"file-{os.urandom(6).hex()}", os.urandom(KEY_BYTES)


def _refuse_readable_by_others(path: Path, found: os.stat_result) -> None:
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise Broken(
            f"opening the keyring {path}: others may read it (mode {stat.S_IMODE(found.st_mode):04o})",
            hint=f"chmod 600 {path}; if somebody may have read it: rotate",
        )
    if found.st_uid != os.geteuid():
        raise Broken(f"opening the keyring {path}: it belongs to another user", hint="chown it")


class KmsKeyring:
    """Data keys made and opened by AWS KMS, which rotates its own key material when `rotate` asks it to.

    `key` is the ARN (or alias) that seals new records; `older` are ARNs that may still open old ones. To
    change the key itself, name the new one first and the old one behind it, then rotate.
    """

    def __init__(self, client: KMSClient, key: str, older: Sequence[str] = ()) -> None:
        self._client = client
        self._key = key
        self._older = tuple(older)

    def data_key(self) -> DataKey:
        answer = self._ask(
            "making a data key", self._client.generate_data_key, KeyId=self._key, KeySpec="AES_256"
        )
        return DataKey(answer["KeyId"], answer["Plaintext"], answer["CiphertextBlob"])

    def unwrap(self, key_id: str, wrapped: bytes) -> bytes:
        answer = self._ask("opening a data key", self._client.decrypt, KeyId=key_id, CiphertextBlob=wrapped)
        plain: bytes = answer["Plaintext"]
        return plain

    def key_ids(self) -> Sequence[str]:
        """Asked each time: an alias may mean another key by now, and one that is disabled opens nothing."""
        current = self._usable(self._key)
        older = []
        for key in self._older:
            with suppress(KeyMissing):  # who needs it is told by its id
                older.append(self._usable(key))
        return [current, *(key for key in older if key != current)]

    def _usable(self, key: str) -> str:
        """Its ARN, where it opens what it sealed."""
        answer = self._ask("looking at the key", self._client.describe_key, KeyId=key)
        found = answer["KeyMetadata"]
        if found["KeyState"] != "Enabled":
            raise KeyMissing(
                f"looking at the key at KMS: {key} is {found['KeyState']}",
                hint=f"aws kms enable-key --key-id {key}; if it is to be deleted, cancel that first",
            )
        return str(found["Arn"])

    def rotate(self) -> str:
        """Ask KMS for new material under the same key: no record has to be sealed anew."""
        self._ask("rotating the key", self._client.rotate_key_on_demand, KeyId=self.key_ids()[0])
        return self.key_ids()[0]

    def _ask(self, doing: str, call: Any, **arguments: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - slow to import

        try:
            return call(**arguments)
        except ClientError as error:
            raise _kms_error(doing, str(arguments["KeyId"]), error.response["Error"]["Code"]) from error
        except BotoCoreError as error:
            raise Unavailable(f"{doing} at KMS: {type(error).__name__}") from error


def _kms_error(doing: str, key: str, code: str) -> ControlPlaneError:
    missing = ("NotFoundException", "DisabledException", "KMSInvalidStateException")
    if code in (*missing, "AccessDeniedException", "IncorrectKeyException"):
        return KeyMissing(f"{doing} at KMS: {code} for {key}", hint="enable the key and let our role use it")
    if code in ("LimitExceededException", "UnsupportedOperationException"):
        return Refused(
            f"{doing} at KMS: {code} for {key}",
            hint="make another key, say CONTROLPLANE_KEYRING=kms:NEW-ARN,OLD-ARN, and rotate",
        )
    if code == "InvalidCiphertextException":
        return Broken(f"{doing} at KMS: the record was not made by {key}")
    return Unavailable(f"{doing} at KMS: {code}", hint="try again")
