"""Terraform states: every version encrypted, the newest one on top, and the lock of Terraform's http backend.

A state is only ever followed by one of its own lineage whose serial is not lower: an old or foreign state
can not push itself over a newer one. To go back, an old version is written again under a new serial.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.domain.errors import Conflict, Invalid, Locked, Missing, Stale
from controlplane.domain.sealing import state_identity
from controlplane.ports import Keyring
from controlplane.store import audit
from controlplane.store.database import Database, insert_if_absent
from controlplane.store.leases import database_now
from controlplane.store.sealed import open_record, seal_record
from controlplane.store.tables import Run, StateLock, StateVersion

OF_RUN = "run:"  # how the lock of a run begins, and its holder


@dataclass(frozen=True)
class StoredState:
    """One version; `content` only where it was asked for."""

    seq: int
    lineage: str
    serial: int
    sha256: str
    run_id: str
    written_by: str
    created_at: datetime
    published: bool = False
    content: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class LockHolder:
    lock_id: str
    holder: str
    info: Mapping[str, Any]
    taken_at: datetime


class States:
    """States of all workspaces, in clear only in memory."""

    def __init__(self, db: Database, keyring: Keyring) -> None:
        self._db = db
        self._keyring = keyring

    # --- versions

    def newest(self, workspace: str) -> StoredState | None:
        with self._db.read() as session:
            row = _newest(session, workspace)
        return None if row is None else _stored(row, open_record(self._keyring, row))

    def workspaces(self) -> list[str]:
        """That have a state."""
        with self._db.read() as session:
            return sorted(session.scalars(select(col(StateVersion.workspace_id)).distinct()))

    def head(self, workspace: str) -> StoredState | None:
        """The newest version without its content: nothing is decrypted."""
        with self._db.read() as session:
            row = _newest(session, workspace)
        return None if row is None else _stored(row)

    def holds(self, workspace: str, sha256: str) -> bool:
        query = select(col(StateVersion.seq)).where(
            col(StateVersion.workspace_id) == workspace, col(StateVersion.sha256) == sha256
        )
        with self._db.read() as session:
            return session.scalar(query.limit(1)) is not None

    def versions(self, workspace: str, limit: int = 100) -> list[StoredState]:
        """Newest first."""
        with self._db.read() as session:
            rows = session.scalars(_of(workspace).limit(limit)).all()
        return [_stored(row) for row in rows]

    def get(self, workspace: str, serial: int) -> StoredState:
        """The last version that was written under this serial."""
        with self._db.read() as session:
            row = session.scalars(_of(workspace).where(col(StateVersion.serial) == serial)).first()
        if row is None:
            raise Missing(f"there is no state of {workspace} with serial {serial}")
        return _stored(row, open_record(self._keyring, row))

    def put(
        self, workspace: str, content: bytes, *, written_by: str, run_id: str = "", lock_id: str | None = None
    ) -> StoredState:
        """Store a version. `lock_id`: what the writer says it holds; None for the control plane itself."""
        lineage, serial = parse_state(content)
        sha256 = hashlib.sha256(content).hexdigest()
        identity = state_identity(workspace, lineage, serial, sha256)
        record = seal_record(self._keyring, identity, content)
        with self._db.write() as session:
            newest = _newest(session, workspace)
            if lock_id is not None:
                _check_lock(session, workspace, lock_id)
            _check_follows(workspace, newest, lineage, serial)
            values = {
                "workspace_id": workspace,
                "lineage": lineage,
                "serial": serial,
                "sha256": sha256,
                "key_id": record.key_id,
                "wrapped": record.wrapped,
                "sealed": record.sealed,
                "run_id": run_id,
                "written_by": written_by,
                "created_at": database_now(session),
            }
            if newest is not None and newest.sha256 != sha256:
                # The same bytes once more, after others under the same serial: they are the newest now.
                _forget(session, workspace, sha256)
            insert_if_absent(session, StateVersion, values)
            row = _newest(session, workspace)
        if row is None or row.sha256 != sha256:
            raise Stale(f"storing serial {serial} of {workspace}: a newer state was stored meanwhile")
        return _stored(row)

    def publish(self, workspace: str, run_id: str, *, over: bool) -> None:
        """Show people what a run stored; when it is over, let them go on. Here they see all at once."""

    def catch_up(self) -> dict[str, str]:
        """Show people what they could not be shown when it was stored; of each workspace what hindered it."""
        return {}

    def restore(self, workspace: str, serial: int, *, written_by: str) -> StoredState:
        """Make an older version the newest, under a new serial of the newest lineage; once is enough."""
        old, newest = self._to_restore(workspace, serial)
        state = json.loads(old.content)
        if self._is_restored(workspace, state, newest):
            return newest
        state.update(serial=newest.serial + 1, lineage=newest.lineage)
        return self.put(workspace, json.dumps(state, indent=2).encode(), written_by=written_by)

    def after_restore(self, workspace: str, serial: int) -> dict[str, int]:
        """Under which serial that version would be the newest one; nothing is written."""
        old, newest = self._to_restore(workspace, serial)
        again = self._is_restored(workspace, json.loads(old.content), newest)
        return {"serial": newest.serial if again else newest.serial + 1, "of": serial}

    def _is_restored(self, workspace: str, state: Mapping[str, Any], newest: StoredState) -> bool:
        """Somebody asked for the same before, and everybody sees it."""
        return _same_but_serial(state, json.loads(newest.content)) and self._is_shown(workspace, newest)

    def _is_shown(self, _workspace: str, _newest: StoredState) -> bool:
        return True

    def _to_restore(self, workspace: str, serial: int) -> tuple[StoredState, StoredState]:
        old, newest = self.get(workspace, serial), self.newest(workspace)
        if newest is None or newest.serial == serial:
            raise Conflict(f"serial {serial} of {workspace} is the newest already")
        return old, newest

    # --- the lock of the http backend, and of our runs

    def lock(self, workspace: str, lock_id: str, holder: str, info: Mapping[str, Any] | None = None) -> None:
        """Take the lock; taking it again under the same id and holder is fine."""
        if not lock_id:
            raise Invalid(f"locking the state of {workspace}: the lock has no id")
        with self._db.write() as session:
            values = {
                "workspace_id": workspace,
                "lock_id": lock_id,
                "holder": holder,
                "info": dict(info or {}),
                "taken_at": database_now(session),
            }
            insert_if_absent(session, StateLock, values)
            row = session.get_one(StateLock, workspace)
            if (row.lock_id, row.holder) != (lock_id, holder):
                raise _locked(session, row)

    def unlock(self, workspace: str, lock_id: str) -> None:
        """Free the lock that has this id. An empty id (`force-unlock` sends none) frees nothing."""
        with self._db.write() as session:
            if not lock_id:
                raise Conflict(
                    f"unlocking the state of {workspace}: the request does not say which lock",
                    hint="a lock of the control plane's own is freed by `operation settle`",
                )
            where = (col(StateLock.workspace_id) == workspace, col(StateLock.lock_id) == lock_id)
            if session.execute(delete(StateLock).where(*where)).rowcount:  # type: ignore[attr-defined]
                return
            row = session.get(StateLock, workspace)
            if row is not None:
                raise _locked(session, row)

    def release_of_run(self, run_id: str, why: str) -> bool:
        """Free the lock of a run that is over and did not live to free it."""
        with self._db.write() as session:
            return release_of_run(session, run_id, why)

    def lock_holder(self, workspace: str) -> LockHolder | None:
        with self._db.read() as session:
            row = session.get(StateLock, workspace)
            if row is None:
                return None
            info = described(session, row)
        return LockHolder(row.lock_id, row.holder, info, _moment(row.taken_at))


def parse_state(content: bytes) -> tuple[str, int]:
    """Lineage and serial; refuses what is no whole state."""
    try:
        state = json.loads(content)
        lineage, serial = state["lineage"], state["serial"]
    except (ValueError, KeyError, TypeError) as error:
        raise Invalid("this is no Terraform state: no JSON with lineage and serial") from error
    if not isinstance(lineage, str) or not lineage or not isinstance(serial, int):
        raise Invalid("this is no Terraform state: lineage or serial cannot be read")
    return lineage, serial


def _same_but_serial(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    own = ("serial", "lineage")
    return {k: v for k, v in one.items() if k not in own} == {k: v for k, v in other.items() if k not in own}


def _of(workspace: str) -> Any:
    return (
        select(StateVersion)
        .where(col(StateVersion.workspace_id) == workspace)
        .order_by(col(StateVersion.seq).desc())
    )


def _newest(session: Session, workspace: str) -> StateVersion | None:
    found: StateVersion | None = session.scalars(_of(workspace).limit(1)).first()
    return found


def _forget(session: Session, workspace: str, sha256: str) -> None:
    where = (col(StateVersion.workspace_id) == workspace, col(StateVersion.sha256) == sha256)
    session.execute(delete(StateVersion).where(*where))


def _stored(row: StateVersion, content: bytes = b"") -> StoredState:
    at, seq = _moment(row.created_at), row.seq or 0
    published = row.published_at is not None
    return StoredState(
        seq, row.lineage, row.serial, row.sha256, row.run_id, row.written_by, at, published, content
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _check_follows(workspace: str, newest: StateVersion | None, lineage: str, serial: int) -> None:
    if newest is None:
        return
    if lineage != newest.lineage:
        raise Stale(
            f"storing a state of {workspace}: it has another lineage than the stored one",
            hint="it belongs to another workspace, or was made from nothing; pull the state first",
        )
    if serial < newest.serial:
        raise Stale(
            f"storing serial {serial} of {workspace}: serial {newest.serial} is stored already",
            hint="pull the state first; docs/runbook.md says how an older version is put back",
        )


def _check_lock(session: Session, workspace: str, lock_id: str) -> None:
    row = session.get(StateLock, workspace)
    if row is not None and row.lock_id != lock_id:
        raise _locked(session, row)


def _locked(session: Session, row: StateLock) -> Locked:
    return Locked(
        f"the state of {row.workspace_id} is locked by {row.holder}",
        hint="wait for its end; docs/runbook.md says how a lock that a person left is freed",
        details={"lock_id": row.lock_id, "holder": row.holder, "info": described(session, row)},
    )


def described(session: Session, row: StateLock) -> dict[str, Any]:
    """As Terraform reads it. Of a run also its host, its process and how long it is leased: its heartbeat."""
    run = session.get(Run, row.holder.removeprefix(OF_RUN)) if row.holder.startswith(OF_RUN) else None
    if run is None:
        return dict(row.info)
    until = _moment(run.lease_until).isoformat(timespec="seconds")
    return {
        **row.info,
        "Created": _moment(row.taken_at).isoformat(timespec="seconds"),
        "Info": f"on {run.host or 'no host yet'}, process {run.pid or 'not started'}, leased until {until}",
        "Host": run.host,
        "Process": run.pid,
        "LeasedUntil": until,
    }


def release_of_run(session: Session, run_id: str, why: str, by: str = "controlplane") -> bool:
    """Free the lock under the very id that this run took, and no other; it stands in the audit."""
    own = f"{OF_RUN}{run_id}"
    where = (col(StateLock.holder) == own, col(StateLock.lock_id) == own)
    row = session.scalars(select(StateLock).where(*where)).one_or_none()
    if row is None:
        return False
    session.execute(delete(StateLock).where(*where))
    now, told = _moment(database_now(session)), described(session, row)
    audit.append(
        session, at=now, actor=by, action="lock.released", subject=row.workspace_id, reason=why, before=told
    )
    return True
