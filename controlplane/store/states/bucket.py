"""States that people work on with plain Terraform: the catalog's, published in a bucket.

While a run of ours goes on, or a person comes through our own door, the catalog is ahead and the bucket
follows; the lock in the bucket keeps plain Terraform away until it has. While nobody of ours holds the
workspace, the bucket is ahead: what plain Terraform wrote there becomes the catalog's newest version when
it is next asked for. So every newest state that we met stands in the catalog, sealed, whoever wrote it; and
nothing in the bucket is written over that the catalog does not know.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlmodel import col

from controlplane.domain.errors import Conflict, ControlPlaneError, Locked, Stale
from controlplane.ports import Keyring, PublicState, StateBucket
from controlplane.store import audit
from controlplane.store.database import Database
from controlplane.store.leases import database_now
from controlplane.store.states import OF_RUN, States, StoredState
from controlplane.store.tables import Run, StateVersion


class PublishedStates(States):
    def __init__(self, db: Database, keyring: Keyring, bucket: StateBucket) -> None:
        super().__init__(db, keyring)
        self._bucket = bucket

    # --- reading

    def newest(self, workspace: str) -> StoredState | None:
        self._follow(workspace)
        return super().newest(workspace)

    def head(self, workspace: str) -> StoredState | None:
        self._follow(workspace)
        return super().head(workspace)

    def _follow(self, workspace: str) -> None:
        """Whoever holds our own lock writes through us: then there is nothing to take over."""
        if self.lock_holder(workspace) is None:
            self._take_over(workspace, self._bucket.read(workspace))

    def _take_over(self, workspace: str, found: PublicState | None) -> None:
        """What plain Terraform wrote becomes the newest version, unless it never saw what we have."""
        if found is None or self.holds(workspace, _digest(found)):
            return
        place, head = self._bucket.place(workspace), super().head(workspace)
        if head is not None and not head.published:
            raise Conflict(
                f"{place} was written past the control plane's lock, and serial {head.serial} of {workspace} "
                "is not in it",
                hint="docs/runbook.md, `Two states of one workspace`",
            )
        try:
            super().put(workspace, found.content, written_by=place)
        except Stale:
            if not self.holds(workspace, _digest(found)):  # somebody else did just that, and went on
                raise
        self._mark(workspace, _digest(found))

    def _is_shown(self, workspace: str, newest: StoredState) -> bool:
        """Not where somebody put another version back into the bucket by hand."""
        found = self._bucket.read(workspace)
        return found is not None and _digest(found) == newest.sha256

    # --- writing

    def put(
        self, workspace: str, content: bytes, *, written_by: str, run_id: str = "", lock_id: str | None = None
    ) -> StoredState:
        """Ours, or that of Terraform which works through our door: in the bucket before it is said."""
        self._refuse_foreign(workspace)
        stored = super().put(workspace, content, written_by=written_by, run_id=run_id, lock_id=lock_id)
        self._bring(workspace)
        return stored

    def publish(self, workspace: str, run_id: str, *, over: bool) -> None:
        """A bucket that is away costs a run nothing: the catalog has its state, and `catch_up` brings it."""
        head = super().head(workspace)
        if not over and (head is None or head.published):
            return
        with suppress(ControlPlaneError):
            if self._bucket.lock_there(workspace).get("ID") == f"{OF_RUN}{run_id}":
                self._bring(workspace)
                if over:
                    self._bucket.unlock(workspace, f"{OF_RUN}{run_id}")

    def catch_up(self) -> dict[str, str]:
        found = {}
        for workspace in self.unpublished():
            lock = f"publish:{workspace}"  # of one that was killed here: it is taken and freed again
            found[workspace] = ""
            try:
                self.lock(workspace, lock, lock, {"Operation": "publish", "Who": "controlplane"})
                self.unlock(workspace, lock)
            except ControlPlaneError as error:
                found[workspace] = error.message
        return found

    def unpublished(self) -> list[str]:
        """Workspaces whose newest state is not in the bucket."""
        newest = select(func.max(col(StateVersion.seq))).group_by(col(StateVersion.workspace_id))
        query = select(col(StateVersion.workspace_id)).where(
            col(StateVersion.seq).in_(newest), col(StateVersion.published_at).is_(None)
        )
        with self._db.read() as session:
            return sorted(session.scalars(query))

    def _bring(self, workspace: str) -> None:
        """Put the catalog's newest version into the bucket. The bucket's lock is ours, or nobody's."""
        head = super().head(workspace)
        if head is None or head.published:
            return
        found = self._bucket.read(workspace)
        if found is None or _digest(found) != head.sha256:
            self._take_over(workspace, found)  # unknown: raises
            newest = super().newest(workspace)
            if newest is None:
                return
            self._bucket.write(workspace, newest.content, found.version if found else "")
            head = newest
        self._mark(workspace, head.sha256)

    def _mark(self, workspace: str, sha256: str) -> None:
        where = (col(StateVersion.workspace_id) == workspace, col(StateVersion.sha256) == sha256)
        with self._db.write() as session:
            session.execute(update(StateVersion).where(*where).values(published_at=database_now(session)))

    # --- the lock: ours first, then the one that plain Terraform looks at

    def lock(self, workspace: str, lock_id: str, holder: str, info: Mapping[str, Any] | None = None) -> None:
        """Under both locks catalog and bucket agree; who can not have both has none."""
        super().lock(workspace, lock_id, holder, info)
        try:
            self._lock_bucket(workspace, lock_id, holder, info or {})
            self._take_over(workspace, self._bucket.read(workspace))
            self._bring(workspace)
        except ControlPlaneError:
            self._unlock_quietly(workspace, lock_id)
            raise

    def _lock_bucket(self, workspace: str, lock_id: str, holder: str, info: Mapping[str, Any]) -> None:
        wanted = self._described(workspace, lock_id, holder, info)
        there = self._bucket.lock(workspace, wanted)
        if there.get("ID") != lock_id and self._left_by_a_run(workspace, there):
            there = self._bucket.lock(workspace, wanted)
        if there.get("ID") != lock_id:
            raise self._locked(workspace, there)

    def _left_by_a_run(self, workspace: str, there: Mapping[str, Any]) -> bool:
        """We hold the workspace, so that no run of ours is at it: such a lock is of one that is over, and is
        freed. A run that the catalog does not know is another control plane's."""
        lock_id = str(there.get("ID", ""))
        with self._db.write() as session:
            run = session.get(Run, lock_id.removeprefix(OF_RUN)) if lock_id.startswith(OF_RUN) else None
            if run is None or run.workspace_id != workspace:
                return False
            audit.append(
                session,
                at=datetime.fromtimestamp(database_now(session), UTC),
                actor="controlplane",
                action="lock.released",
                subject=workspace,
                reason=f"the run is over and left its lock in {self._bucket.place(workspace)}",
                before=dict(there),
            )
        self._bucket.unlock(workspace, lock_id)
        return True

    def _refuse_foreign(self, workspace: str) -> None:
        there = self._bucket.lock_there(workspace)
        held = super().lock_holder(workspace)
        if there and (held is None or there.get("ID") != held.lock_id):
            raise self._locked(workspace, there)

    def _described(
        self, workspace: str, lock_id: str, holder: str, info: Mapping[str, Any]
    ) -> dict[str, Any]:
        """All that Terraform wants to read of a lock."""
        return {
            "Operation": "",
            "Info": "held by the control plane: `controlplane operation show` says how far it is",
            "Version": "",
            "Created": datetime.now(UTC).isoformat(),
            "Path": self._bucket.place(workspace),
            **info,
            "Who": f"{info.get('Who') or holder}",
            "ID": lock_id,
        }

    def _locked(self, workspace: str, there: Mapping[str, Any]) -> Locked:
        who = str(there.get("Who") or "somebody")
        return Locked(
            f"the state of {workspace} is locked by {who}, who works on {self._bucket.place(workspace)}",
            hint="wait for its end; if it died, in the workspace's folder: "
            f"terraform force-unlock {there.get('ID', 'ID')}",
            details={"lock_id": str(there.get("ID", "")), "holder": who, "info": dict(there)},
        )

    def unlock(self, workspace: str, lock_id: str) -> None:
        """The bucket's last: until then it has not what we have."""
        held = super().lock_holder(workspace)
        if held is not None and held.lock_id == lock_id:
            self._bring(workspace)
            self._bucket.unlock(workspace, lock_id)
        super().unlock(workspace, lock_id)

    def _unlock_quietly(self, workspace: str, lock_id: str) -> None:
        with suppress(ControlPlaneError):
            self._bucket.unlock(workspace, lock_id)
        super().unlock(workspace, lock_id)


def _digest(found: PublicState) -> str:
    return hashlib.sha256(found.content).hexdigest()
