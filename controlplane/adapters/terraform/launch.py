"""Starting a supervisor: its task on stdin, its locks inherited, nothing secret where others can look."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import controlplane
from controlplane.domain.errors import Broken, Unavailable
from controlplane.domain.redaction import Redactor
from controlplane.supervisor.task import RunFolder, Task, dump

_ANSWER_SECONDS = 60


def launch(task: Task) -> bool:
    """True: the supervisor has the run. False: somebody else had it already."""
    folder = RunFolder(Path(task.run_folder))
    root = Path(next(iter(controlplane.__path__))).parent
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    with os.fdopen(os.open(folder.errors, flags, 0o600), "ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "controlplane.supervisor"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd="/",
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONPATH": str(root)},
            pass_fds=task.descriptors,
            start_new_session=True,
        )
        answer = _ask(process, task)
    if answer in ("claimed", "taken"):
        return answer == "claimed"
    if answer.startswith("failed: "):
        raise Unavailable(f"starting run {task.run_id}: {answer.removeprefix('failed: ')}", hint="try again")
    raise Broken(
        f"starting run {task.run_id}: its supervisor did not start: {_last_words(folder, task)}",
        hint="`controlplane doctor` looks at Python, Terraform and the data folder",
    )


def _ask(process: subprocess.Popen[bytes], task: Task) -> str:
    try:
        out, _ = process.communicate(dump(task).encode(), timeout=_ANSWER_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"starting run {task.run_id}: its supervisor does not answer") from error
    return out.decode(errors="replace").strip()


def _last_words(folder: RunFolder, task: Task) -> str:
    try:
        lines = folder.errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return "no reason is known"
    return Redactor(task.known).text(lines[-1]) if lines else "no reason is known"
