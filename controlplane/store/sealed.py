"""Records that are kept only encrypted: states, the files of runs, where webhooks go. Each carries its key's
id and the wrapped data key, so that one lost key names what it takes with it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import inspect, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.domain.errors import Broken, KeyMissing
from controlplane.domain.sealing import (
    NONCE_BYTES,
    Unopenable,
    artifact_identity,
    seal,
    state_identity,
    unseal,
    webhook_identity,
)
from controlplane.ports import Keyring
from controlplane.store.database import Database
from controlplane.store.tables import Artifact, StateVersion
from controlplane.store.webhooks.rows import Webhook

_TABLES = (StateVersion, Artifact, Webhook)
Sealed = StateVersion | Artifact | Webhook
_BATCH = 100


@dataclass(frozen=True)
class SealedRecord:
    key_id: str
    wrapped: bytes
    sealed: bytes


def identity_of(row: Sealed) -> str:
    if isinstance(row, Webhook):
        return webhook_identity(row.id)
    if isinstance(row, Artifact):
        return artifact_identity(row.run_id, row.name)
    return state_identity(row.workspace_id, row.lineage, row.serial, row.sha256)


def seal_record(keyring: Keyring, identity: str, plain: bytes) -> SealedRecord:
    key = keyring.data_key()
    return SealedRecord(key.key_id, key.wrapped, seal(key.plain, identity, plain, os.urandom(NONCE_BYTES)))


def open_record(keyring: Keyring, row: Sealed) -> bytes:
    identity = identity_of(row)
    try:
        return unseal(keyring.unwrap(row.key_id, row.wrapped), identity, row.sealed)
    except Unopenable as error:
        raise Broken(
            f"reading {identity}: {error}", hint="restore the newest backup of the catalog"
        ) from error


def key_ids_in_use(session: Session) -> set[str]:
    return {key_id for table in _TABLES for key_id in session.scalars(select(col(table.key_id)).distinct())}


def check_keys(db: Database, keyring: Keyring) -> None:
    """Raise before anything starts when a stored record needs a key that is not there."""
    with db.read() as session:
        missing = sorted(key_ids_in_use(session) - set(keyring.key_ids()))
    if missing:
        raise KeyMissing(
            f"starting: stored records need keys that the keyring does not hold: {', '.join(missing)}",
            hint="point CONTROLPLANE_KEYRING at the keyring that made them: bring its file back, or enable "
            "the key again and name it behind the new one (kms:NEW-ARN,OLD-ARN)",
            details={"missing": missing},
        )


def reseal(db: Database, keyring: Keyring) -> int:
    """Seal under the current key whatever an older one seals; how many records. Safe to repeat, and to
    stop at any moment: every record changes in one update that expects the old key."""
    return sum(_reseal_table(db, keyring, table) for table in _TABLES)


def _reseal_table(db: Database, keyring: Keyring, table: Any) -> int:
    done = 0
    # The current key is asked for each time: somebody else may rotate meanwhile.
    while rows := _under_other_keys(db, table, keyring.key_ids()[0]):
        fresh = [(row, seal_record(keyring, identity_of(row), open_record(keyring, row))) for row in rows]
        with db.write() as session:
            for row, record in fresh:
                _replace(session, table, row, record)
        done += len(rows)
    return done


def _under_other_keys(db: Database, table: Any, current: str) -> Sequence[Any]:
    with db.read() as session:
        return session.scalars(select(table).where(table.key_id != current).limit(_BATCH)).all()


def _replace(session: Session, table: Any, row: Any, record: SealedRecord) -> None:
    key = [column == getattr(row, column.key) for column in inspect(table).primary_key]
    session.execute(
        update(table)
        .where(*key, table.wrapped == row.wrapped)
        .values(key_id=record.key_id, wrapped=record.wrapped, sealed=record.sealed)
    )
