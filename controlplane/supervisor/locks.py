"""Who lives, by file locks that children inherit: free the moment the last holder is gone.

A lock says something on one host only, and it never goes stale: the kernel frees it, however its holders
died. Lock files are not removed while anybody may still look at them.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path


def hold(path: Path, seconds: float = 0.3) -> int | None:
    """A descriptor that holds the lock, or None. Waits a little: somebody may only be looking."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    until = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                os.close(descriptor)
                return None
            time.sleep(0.01)
        else:
            return descriptor


def is_held(path: Path) -> bool:
    """Whether anybody holds it. Shared, so that two who look do not see each other."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


class Slots:
    """A seat in each of several groups of lock files: how many Terraform processes run on this host.

    The supervisor holds its seats alone, Terraform does not inherit them: the first group may be left
    early, when Terraform only waits for AWS.
    """

    def __init__(self, groups: list[list[str]]) -> None:
        self._groups = [[Path(seat) for seat in group] for group in groups]
        self._held: dict[int, int] = {}

    def take(self) -> bool:
        """Whether a seat is held in every group. Later groups first: nobody waits while holding the first."""
        for number in reversed(range(len(self._groups))):
            if number not in self._held and not self._sit(number):
                return False
        return True

    def _sit(self, number: int) -> bool:
        for seat in self._groups[number]:
            descriptor = hold(seat, seconds=0)
            if descriptor is not None:
                self._held[number] = descriptor
                return True
        return False

    def leave(self, number: int) -> None:
        descriptor = self._held.pop(number, None)
        if descriptor is not None:
            os.close(descriptor)
            self._groups[number] = []  # never taken again by this run

    def leave_all(self) -> None:
        for number in list(self._held):
            self.leave(number)
