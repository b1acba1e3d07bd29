"""One run from its claim to its end."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from pathlib import Path

from controlplane.domain.redaction import Redactor
from controlplane.supervisor.child import Alarm, Process, kill_rest, spawn, try_lock
from controlplane.supervisor.follow import Follower
from controlplane.supervisor.ledger import Ended, Gone, Ledger, Unreachable
from controlplane.supervisor.locks import Slots
from controlplane.supervisor.statefile import StateReader
from controlplane.supervisor.task import (
    ERRORED_PATH,
    LOCK,
    LOCK_FILE,
    OVERRIDE_FILE,
    PLAN,
    PLAN_JSON,
    STATE_PATH,
    RunFolder,
    Task,
)
from controlplane.supervisor.watch import Watch

TICK_SECONDS = 0.2
_IDLE_SECONDS = 0.5  # between ticks while Terraform only waits for AWS; its end wakes us at once
CHANGES = 2  # Terraform's exit code for a plan that is not empty
_BATCH = 500
_FULL_BYTES = 1 << 20  # less than this holds no state and its backup


class SupervisedRun:
    def __init__(self, task: Task, ledger: Ledger) -> None:
        self._task = task
        self._ledger = ledger
        self._folder = RunFolder(Path(task.run_folder))
        self._workspace = Path(task.folder)
        self._follower = Follower(self._folder.log, Redactor(task.known))
        self._state = StateReader(self._workspace / STATE_PATH, task.state_sha256)
        self._slots = Slots(task.slots, task.ticket)
        self._alarm = Alarm()
        self._watch = Watch(task, ledger, self._follower, self._state)
        self._pid = 0

    # --- a new run

    def run(self) -> None:
        for note in self._task.notes:
            self._follower.note(note)
        if not self._wait_for_slots():
            self._follower.note("stopped before Terraform was started")
            self._finish(Ended("ended", 1, interrupted=True))
            return
        codes = self._run_commands()
        exit_code = next((code for code in codes[1:] if code), codes[0])
        # Killed by somebody else: nobody saw how far it came.
        lost = exit_code < 0 and not self._watch.stopping
        self._finish(
            Ended(
                "lost" if lost else "ended",
                None if lost else _shell_code(exit_code),
                interrupted=self._watch.interrupted,
                timed_out=self._watch.timed_out,
            )
        )

    def _wait_for_slots(self) -> bool:
        """False when the run was stopped while it waited."""
        said = False
        while not self._slots.take():
            if not said:
                self._follower.note("waiting: as many Terraform processes run on this host as may")
                said = True
            self._watch.tick()
            if self._watch.asked:
                return False
            self._alarm.sleep(TICK_SECONDS)
        self._watch.tick()
        return not self._watch.asked

    def _run_commands(self) -> list[int]:
        """Exit codes. The second command shows the plan, so it runs only where there is one to show."""
        lock = os.open(self._folder.terraform_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try_lock(lock)
        codes: list[int] = []
        outputs = (self._folder.log, self._folder.plan_json)
        for command, output in zip(self._task.commands, outputs, strict=False):
            if codes and (codes[-1] != CHANGES or self._watch.stopping):
                break
            codes.append(self._run_command(command, output, lock))
        os.close(lock)
        return codes

    def _run_command(self, command: list[str], output: Path, lock: int) -> int:
        workspace_lock = self._task.descriptors[1:2]
        process = spawn(
            command,
            self._task.environment,
            self._workspace,
            output=output,
            errors=self._folder.log,
            locks=[lock, *workspace_lock],
        )
        self._pid = process.pid
        os.pwrite(lock, f"{process.pid}\n".encode(), 0)
        self._watch.started(process)
        while not process.has_ended():
            self._watch.tick(process)
            waits = self._follower.activity.only_waits
            if waits:
                self._slots.leave(0)
            self._alarm.sleep(_IDLE_SECONDS if waits else TICK_SECONDS)
        kill_rest(process.pid, self._folder.terraform_lock)
        return process.exit_code if process.exit_code is not None else 1

    # --- a run whose supervisor died

    def attach(self) -> None:
        """Wait until Terraform is gone; its exit code is nobody's any more."""
        self._take_over()
        self._follower.note("followed again: the supervisor before this one died")
        lock = os.open(self._folder.terraform_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._pid = int(os.pread(lock, 20, 0).strip() or 0)
        process = Process(self._pid, is_child=False)
        while not try_lock(lock):
            self._watch.tick(process)
            self._alarm.sleep(TICK_SECONDS)
            if process.has_ended():
                kill_rest(self._pid, self._folder.terraform_lock)
        os.close(lock)
        self._finish(
            Ended("lost", None, interrupted=self._watch.interrupted, timed_out=self._watch.timed_out)
        )

    def _take_over(self) -> None:
        while True:
            try:
                _, started_at, lines, of_terraform = self._ledger.look()
            except Gone:
                raise
            except Unreachable:
                time.sleep(1)
            else:
                self._follower.go_on_after(lines, of_terraform)
                self._watch.started_before(started_at)
                return

    # --- the end

    def _finish(self, ended: Ended) -> None:
        self._slots.leave_all()
        self._follower.read(last=True)
        self._state.look_again()
        self._adopt_errored_state()
        # Before others hear of the end: whoever works here by hand then has the backend that is rendered.
        (self._workspace / OVERRIDE_FILE).unlink(missing_ok=True)
        artifacts = self._artifacts() if ended.exit_code in (0, CHANGES) else {}
        until = time.monotonic() + self._task.keep_trying_seconds
        wait = 0.5
        while time.monotonic() < until:
            try:
                self._write_end(ended, artifacts)
            except Gone:
                return  # the files stay, for a person
            except Unreachable:
                time.sleep(wait)
                wait = min(wait * 2, 10)
            else:
                self._clean_up()
                return

    def _write_end(self, ended: Ended, artifacts: dict[str, tuple[str, bytes]]) -> None:
        self._watch.stream_state()
        if self._state.damaged:
            full = f": the disk of {self._workspace} is full" if _is_full(self._workspace) else ""
            self._follower.note(
                f"the state file was left with {self._state.damaged}{full}; "
                "the newest whole state is the stored one"
            )
            self._state.damaged = ""
        while len(self._follower.pending) > _BATCH:
            batch = self._follower.pending[:_BATCH]
            self._ledger.beat(batch, renew=True)
            self._follower.stored(batch)
        self._ledger.finish(ended, self._follower.pending, artifacts)

    def _adopt_errored_state(self) -> None:
        """What Terraform could not write where it belongs, it wrote beside it."""
        errored = self._workspace / ERRORED_PATH
        if errored.exists():
            self._follower.note("Terraform could not write its state; taken from errored.tfstate")
            with contextlib.suppress(OSError):
                errored.replace(self._workspace / STATE_PATH)

    def _artifacts(self) -> dict[str, tuple[str, bytes]]:
        files = {
            PLAN: self._folder.plan,
            PLAN_JSON: self._folder.plan_json,
            LOCK: self._workspace / LOCK_FILE,
        }
        contents = {name: file.read_bytes() for name, file in files.items() if file.is_file()}
        return {name: (hashlib.sha256(c).hexdigest(), c) for name, c in contents.items()}

    def _clean_up(self) -> None:
        """Nothing in clear stays behind: what is stored leaves the disk."""
        if self._state.is_stored():
            (self._workspace / STATE_PATH).unlink(missing_ok=True)
        shutil.rmtree(self._folder.path, ignore_errors=True)


def _is_full(folder: Path) -> bool:
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize < _FULL_BYTES


def _shell_code(exit_code: int) -> int:
    return exit_code if exit_code >= 0 else 128 - exit_code
