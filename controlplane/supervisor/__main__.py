"""`python -m controlplane.supervisor`: reads its task from stdin, lets go of its parent, and owns the run.

It answers one line on stdout: `claimed`, `taken` (somebody else has the run) or `failed: why`.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from pathlib import Path

from controlplane.domain.redaction import Redactor
from controlplane.supervisor.ledger import Ledger, Unreachable
from controlplane.supervisor.run import SupervisedRun
from controlplane.supervisor.task import RunFolder, Task, load


def main() -> None:
    task = load(sys.stdin.read())
    if os.fork():
        os._exit(0)  # so that nobody has to reap the one who stays
    os.setsid()
    os.umask(0o077)
    # A shutdown of the worker's group is not for us: Terraform is stopped through the database only.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    try:
        supervise(task)
    except BaseException:  # noqa: BLE001 - the outermost place of this process
        _write_down(task, traceback.format_exc())
        os._exit(1)
    os._exit(0)


def supervise(task: Task) -> None:
    for descriptor in task.descriptors:
        os.set_inheritable(descriptor, False)  # Terraform gets what it shall hold, and no more
    ledger = Ledger(task)
    try:
        ours = ledger.adopt() if task.attach else ledger.claim()
    except Unreachable as error:
        _answer(f"failed: {Redactor(task.known).text(str(error))}")
        return
    if not ours:
        _answer("taken")
        return
    _write_own_pid(task)
    _answer("claimed")
    run = SupervisedRun(task, ledger)
    if task.attach:
        run.attach()
    else:
        run.run()
    ledger.close()


def _answer(line: str) -> None:
    """Tell the worker, and close the pipes to it: from here on we need nobody."""
    os.write(1, f"{line}\n".encode())
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _write_own_pid(task: Task) -> None:
    if task.descriptors:
        os.pwrite(task.descriptors[0], f"{os.getpid()}\n".encode(), 0)


def _write_down(task: Task, text: str) -> None:
    redacted = Redactor(task.known).text(text)
    folder = RunFolder(Path(task.run_folder))
    try:
        with folder.errors.open("a", encoding="utf-8") as file:
            file.write(redacted)
    except OSError:
        sys.stderr.write(redacted)


if __name__ == "__main__":
    main()
