"""The Runner port with real Terraform: each run under a supervisor of its own.

Who holds a run is said by two file locks of its folder, held by the supervisor and by Terraform with all
its children, and by its row. On another host only the row counts, with its lease and that host's lease.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from controlplane.adapters.terraform.discovery import Installation
from controlplane.adapters.terraform.files import make_folder
from controlplane.adapters.terraform.launch import launch
from controlplane.adapters.terraform.place import RunnerPlace
from controlplane.adapters.terraform.records import RunRecords, RunRow, StateRecords
from controlplane.adapters.terraform.tasks import AwsEnvironment, Tasks
from controlplane.domain.errors import Invalid, Locked, Missing
from controlplane.domain.names import RunId, WorkspaceId
from controlplane.domain.plan.masking import secret_values
from controlplane.domain.plan.settle import without
from controlplane.ports import Keyring, RunLine, RunOrder, RunReport, RunStatus, RunVerb
from controlplane.supervisor.locks import is_held
from controlplane.supervisor.statefile import read_state
from controlplane.supervisor.task import LOCK, PLAN, PLAN_JSON, STATE_PATH, RunFolder

_NO_CHANGES = 0
_OVER = ("ended", "lost")


class TerraformRunner:
    """`aws_environment` gives the credentials, region and endpoint for a plan or an apply; `install` says
    where Terraform is, and is asked once, when a run first needs it."""

    def __init__(
        self,
        place: RunnerPlace,
        runs: RunRecords,
        states: StateRecords,
        keyring: Keyring,
        install: Callable[[], Installation],
        aws_environment: AwsEnvironment,
    ) -> None:
        self._place = place
        self._runs = runs
        self._states = states
        self._tasks = Tasks(place, states, keyring, install, aws_environment)

    # --- the port

    def start(self, order: RunOrder) -> RunReport:
        if (order.verb is RunVerb.APPLY) != (order.plan_run is not None):
            raise Invalid(f"run {order.run_id}: an apply, and only an apply, names the run of its plan")
        self._runs.order(order)
        report = self.look(order.run_id)
        if report.status is not RunStatus.NEVER_STARTED:
            return report
        self._tidy()
        folder = self._place.folder(order.run_id)
        make_folder(folder.path)
        lock = self._place.hold_run(order.run_id)
        if lock is not None:  # else somebody starts it at this moment
            try:
                # Looked at again under the lock: it may have run and ended meanwhile.
                if self._row(order.run_id).status not in _OVER and not folder.terraform_lock.exists():
                    self._start_alone(order, lock)
            finally:
                os.close(lock)
        return self.look(order.run_id)

    def look(self, run_id: RunId) -> RunReport:
        row = self._runs.find(run_id)
        if row is None:
            return RunReport(run_id, RunStatus.NEVER_STARTED)
        status = self._status(row)
        is_over = status in (RunStatus.ENDED, RunStatus.LOST)
        self._states.publish(row.workspace_id, run_id, over=is_over)
        if is_over:
            return _report(self._row(run_id), status, self._runs.tail(run_id))
        return _report(row, status, ())

    def interrupt(self, run_id: RunId, *, insist: bool = False) -> bool:
        row = self._row(run_id)
        protected = row.verb == RunVerb.APPLY and row.details.get("touches_database")
        if row.status in _OVER or (protected and not insist):
            return False
        self._runs.ask_to_stop(run_id, insist=insist)
        return True

    def lines(self, run_id: RunId, after: int = 0, limit: int = 500) -> list[RunLine]:
        return self._runs.lines(run_id, after, limit)

    def plan_json(self, run_id: RunId) -> dict[str, Any]:
        if self._row(run_id).exit_code == _NO_CHANGES:  # then nothing was shown: a process is saved
            return empty_plan(self._tasks.installation.terraform.version)
        plan: dict[str, Any] = json.loads(self._runs.artifact(run_id, PLAN_JSON))
        return plan

    def binding(self, run_id: RunId) -> str:
        state = self._states.head(self._row(run_id).workspace_id)
        bound = {
            "plan": self._runs.artifact_digest(run_id, PLAN),
            "lock": self._runs.artifact_digest(run_id, LOCK),
            "state": [state.lineage, state.serial] if state else None,
        }
        return hashlib.sha256(json.dumps(bound, sort_keys=True).encode()).hexdigest()

    def state(self, workspace: WorkspaceId) -> dict[str, Any] | None:
        newest = self._states.newest(workspace)
        return None if newest is None else json.loads(newest.content)

    def forget(self, workspace: WorkspaceId, addresses: Sequence[str]) -> None:
        newest = self._states.newest(workspace)
        if newest is None:
            return
        left = without(json.loads(newest.content), addresses)
        lock = f"forget:{workspace}"  # of one that was killed here: the same step takes and frees it again
        self._states.lock(workspace, lock, lock, {"ID": lock, "Operation": "forget"})
        try:
            content = json.dumps(left, indent=2).encode()
            if left["serial"] != newest.serial:
                self._states.put(workspace, content, written_by="forgotten to be imported")
        finally:
            self._states.unlock(workspace, lock)

    def version(self) -> str:
        terraform = self._tasks.installation.terraform
        return f"{terraform.product} {terraform.version}"

    # --- where a run stands

    def _status(self, row: RunRow) -> RunStatus:
        if row.status in _OVER:
            return RunStatus(row.status)
        if row.host and row.host != self._place.host_identity:
            return self._status_elsewhere(row)
        folder = self._place.folder(row.id)
        if is_held(folder.supervisor_lock):
            return RunStatus.RUNNING
        return self._status_unsupervised(folder, self._row(row.id))

    def _status_unsupervised(self, folder: RunFolder, row: RunRow) -> RunStatus:
        """`row` was read after its supervisor was seen to be gone."""
        if row.status in _OVER:
            return RunStatus(row.status)
        if folder.terraform_lock.exists():
            self._attach(row)
            return RunStatus.RUNNING
        if row.status == "running":  # its folder is gone, and with it all that was not stored
            self._runs.declare_lost(row.id, row.supervisor)
            return RunStatus.LOST
        return RunStatus.NEVER_STARTED

    def _status_elsewhere(self, row: RunRow) -> RunStatus:
        """Locks of another host say nothing here; its leases do, the run's own and the host's."""
        if row.lease_until >= self._runs.now() or self._runs.host_lives(row.host):
            return RunStatus.RUNNING
        lost = self._runs.declare_lost(row.id, row.supervisor)
        return RunStatus.LOST if lost else RunStatus.RUNNING

    def _attach(self, row: RunRow) -> None:
        """Its supervisor died: a new one waits for Terraform's end and stores what it leaves."""
        lock = self._place.hold_run(row.id)
        if lock is None:
            return
        try:
            launch(self._tasks.attaching(row)._replace(descriptors=[lock]))
        finally:
            os.close(lock)

    # --- starting

    def _start_alone(self, order: RunOrder, run_lock: int) -> None:
        """Under the run's lock; takes the workspace's, which Terraform inherits."""
        if not Path(order.folder).is_dir():
            raise Missing(f"starting run {order.run_id}: there is no folder {order.folder}")
        workspace_lock = self._place.hold_workspace(order.workspace, wait=True)
        if workspace_lock is None:
            raise Locked(
                f"starting run {order.run_id}: another Terraform still works on {order.workspace}",
                hint="wait until it has ended",
            )
        try:
            self._take_state_lock(order)
            plan, known = self._plan_of(order)
            task = self._tasks.fresh(order, plan, known)
            launch(task._replace(descriptors=[run_lock, workspace_lock]))
        except BaseException:
            self._states.unlock(order.workspace, _lock_id(order.run_id))
            raise
        finally:
            os.close(workspace_lock)

    def _take_state_lock(self, order: RunOrder) -> None:
        """People who use the state as a backend see that a run has it. The lock of a run that is over,
        which its supervisor did not live to free, is freed here: we hold the workspace."""
        holder = self._states.lock_holder(order.workspace)
        if holder is not None and holder.holder.startswith("run:"):
            run_id = holder.holder.removeprefix("run:")
            other = self._runs.find(run_id)
            if other is None or self._status(other) is not RunStatus.RUNNING:
                self._states.release_of_run(run_id, "the run is over and left its lock")
        ours = _lock_id(order.run_id)
        info = {"ID": ours, "Operation": order.verb.value, "Who": order.operation}
        self._states.lock(order.workspace, ours, ours, info)

    def _plan_of(self, order: RunOrder) -> tuple[bytes | None, frozenset[str]]:
        """The plan file of an apply, and the values in it that are marked as sensitive."""
        if order.plan_run is None:
            return None, frozenset()
        plan = self._runs.artifact(order.plan_run, PLAN)
        return plan, secret_values(self.plan_json(order.plan_run))

    # --- after a supervisor that was killed at the very end

    def _tidy(self) -> None:
        """Remove what runs left that are over and recorded: nothing in clear stays on the disk."""
        runs = self._place.runs
        for path in runs.iterdir() if runs.is_dir() else ():
            folder = RunFolder(path)
            row = None if is_held(folder.supervisor_lock) else self._runs.find(path.name)
            if row is not None and row.status in _OVER and not is_held(folder.terraform_lock):
                self._drop_stored_state(row)
                shutil.rmtree(path, ignore_errors=True)

    def _drop_stored_state(self, row: RunRow) -> None:
        lock = self._place.hold_workspace(row.workspace_id, wait=False)
        if lock is None:
            return
        file = Path(row.details["folder"]) / STATE_PATH
        state = read_state(file)
        if state is not None and self._states.holds(row.workspace_id, state.sha256):
            file.unlink(missing_ok=True)
        os.close(lock)

    def _row(self, run_id: str) -> RunRow:
        row = self._runs.find(run_id)
        if row is None:
            raise Missing(f"there is no run {run_id!r}")
        return row


def empty_plan(version: str) -> dict[str, Any]:
    """What `show -json` says of a plan without changes."""
    return {
        "format_version": "1.2",
        "terraform_version": version,
        "resource_changes": [],
        "output_changes": {},
        "applyable": False,
        "complete": True,
        "errored": False,
    }


def _report(row: RunRow, status: RunStatus, tail: Sequence[str]) -> RunReport:
    return RunReport(
        run_id=RunId(row.id),
        status=status,
        exit_code=row.exit_code,
        started_at=_moment(row.started_at),
        ended_at=_moment(row.ended_at),
        timed_out=bool(row.timed_out),
        interrupted=bool(row.interrupted),
        state_serial=row.state_serial,
        tail=tuple(tail),
    )


def _moment(seconds: float) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _lock_id(run_id: str) -> str:
    return f"run:{run_id}"
