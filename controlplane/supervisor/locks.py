"""Who lives, by file locks that children inherit: free the moment the last holder is gone.

A lock says something on one host only, and it never goes stale: the kernel frees it, however its holders
died. Lock files are not removed while anybody may still look at them.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from pathlib import Path

_LAPSES_SECONDS = 15.0  # without a look: longer than one that waits for a locked catalog


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


class Turn:
    """A place in the line before the seats: lower priority numbers go first, then who came first.

    It is a file that its owner renews with every look, so that the ticket of one who died or was stopped
    holds nobody up for long.
    """

    def __init__(self, ticket: Path) -> None:
        self._ticket = ticket

    def has_come(self) -> bool:
        """Whether nobody who still waits stands before us."""
        with contextlib.suppress(OSError):  # a full disk: we wait unseen
            self._ticket.touch()
        lapsed = time.time() - _LAPSES_SECONDS
        before = [other for other in self._ticket.parent.iterdir() if other.name < self._ticket.name]
        return not any([_waits(other, lapsed) for other in before])

    def give_up(self) -> None:
        self._ticket.unlink(missing_ok=True)


def _waits(ticket: Path, lapsed: float) -> bool:
    try:
        if ticket.stat().st_mtime >= lapsed:
            return True
        ticket.unlink()  # a stopped owner that goes on makes it anew
    except FileNotFoundError:
        pass
    return False


class Slots:
    """A seat in each of several groups of lock files: how many Terraform processes run on this host.

    The supervisor holds its seats alone, Terraform does not inherit them: the first group may be left
    early, when Terraform only waits for AWS. Whoever has a ticket is seated in its turn.
    """

    def __init__(self, groups: list[list[str]], ticket: str = "") -> None:
        self._groups = [[Path(seat) for seat in group] for group in groups]
        self._turn = Turn(Path(ticket)) if ticket else None
        self._held: dict[int, int] = {}

    def take(self) -> bool:
        """A seat in every group, or in none: nobody holds one while waiting for another."""
        if self._turn is not None and not self._turn.has_come():
            return False
        for number in range(len(self._groups)):
            if not self._sit(number):
                self._stand_up()
                return False
        self.give_up()
        return True

    def give_up(self) -> None:
        """Wait no longer."""
        if self._turn is not None:
            self._turn.give_up()

    def _sit(self, number: int) -> bool:
        for seat in self._groups[number]:
            descriptor = hold(seat, seconds=0)
            if descriptor is not None:
                self._held[number] = descriptor
                return True
        return False

    def _stand_up(self) -> None:
        while self._held:
            os.close(self._held.popitem()[1])

    def leave(self, number: int) -> None:
        """Early, and for good: a run sits down once."""
        descriptor = self._held.pop(number, None)
        if descriptor is not None:
            os.close(descriptor)

    def leave_all(self) -> None:
        self.give_up()
        self._stand_up()
