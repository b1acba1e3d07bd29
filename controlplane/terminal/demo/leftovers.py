"""Who works in a folder: processes whose working folder or open files are inside. And how they are ended.

The worker, the supervisors and Terraform live in sessions of their own on purpose, and their command lines
tell nothing; what they have open does.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_SECONDS = 20.0
_QUIET_LOOKS = 2  # a process that was just being started shows itself at the next look


def end(folder: Path, but: Path | None = None) -> list[int]:
    """Kill them until nobody is left, except who works in `but`; who could not be ended."""
    quiet, deadline = 0, time.monotonic() + _SECONDS
    while quiet < _QUIET_LOOKS and time.monotonic() < deadline:
        found = working_in(folder, but)
        quiet = 0 if found else quiet + 1
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)
    return working_in(folder, but)


def working_in(folder: Path, but: Path | None = None) -> list[int]:
    """Process ids, without our own."""
    places = _places_by_proc() if Path("/proc/self/fd").exists() else _places_by_lsof()
    inside: set[int] = set()
    outside: set[int] = set()
    for pid, place in places:
        if place.is_relative_to(folder):
            inside.add(pid)
        if but is not None and place.is_relative_to(but):
            outside.add(pid)
    return sorted(inside - outside - {os.getpid()})


def _places_by_proc() -> Iterator[tuple[int, Path]]:
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            for link in _links(process):
                with suppress(OSError):
                    yield int(process.name), link.readlink()


def _links(process: Path) -> list[Path]:
    """Nothing of a process that ended meanwhile, or that is somebody else's."""
    try:
        return [process / "cwd", *(process / "fd").iterdir()]
    except OSError:
        return []


def _places_by_lsof() -> Iterator[tuple[int, Path]]:
    program = shutil.which("lsof") or "/usr/sbin/lsof"
    try:
        told = subprocess.run([program, "-n", "-P", "-F", "pn"], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.SubprocessError):
        return
    yield from parse_lsof(told.stdout.decode(errors="replace"))


def parse_lsof(text: str) -> Iterator[tuple[int, Path]]:
    """Of its field output: a process, then its files; sockets and pipes have names too, but no paths."""
    pid = 0
    for line in text.splitlines():
        if line.startswith("p"):
            pid = int(line[1:])
        elif line.startswith("n/"):
            yield pid, Path(line[1:])
