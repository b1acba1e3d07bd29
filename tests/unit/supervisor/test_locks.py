"""File locks: who holds, who looks, and seats."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from controlplane.supervisor.child import Process, Stopper, spawn
from controlplane.supervisor.locks import Slots, hold, is_held


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "run.sup"


def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def test_one_holds_and_the_next_does_not(lock: Path) -> None:
    assert not is_held(lock)
    first = hold(lock)
    assert first is not None
    assert is_held(lock)
    assert hold(lock, seconds=0) is None
    os.close(first)
    assert not is_held(lock)
    second = hold(lock, seconds=0)
    assert second is not None
    os.close(second)


def test_who_only_looks_makes_no_file(lock: Path) -> None:
    assert not is_held(lock)
    assert not lock.exists()


def test_a_lock_that_a_child_inherited_is_held_until_its_last_holder_is_gone(tmp_path: Path) -> None:
    lock = tmp_path / "run.tf"
    held = hold(lock)
    assert held is not None
    command = ["/bin/sh", "-c", "sleep 100 & echo ready; exec sleep 100"]
    child = spawn(
        command,
        {"PATH": "/usr/bin:/bin"},
        tmp_path,
        output=tmp_path / "out",
        errors=tmp_path / "err",
        locks=[held],
    )
    os.close(held)
    until((tmp_path / "out").read_text)
    assert is_held(lock)
    os.kill(child.pid, signal.SIGKILL)
    until(child.has_ended)
    assert child.exit_code == -signal.SIGKILL
    assert is_held(lock)  # the grandchild lives
    child.signal(signal.SIGKILL)
    until(lambda: not is_held(lock))


def test_a_command_that_cannot_be_started_says_so(tmp_path: Path) -> None:
    child = spawn(
        ["/no/such/thing"], {}, tmp_path, output=tmp_path / "out", errors=tmp_path / "err", locks=[]
    )
    until(child.has_ended)
    assert child.exit_code == 127
    assert "/no/such/thing cannot be started" in (tmp_path / "err").read_text()


def test_a_process_of_somebody_else_that_is_gone_has_ended(tmp_path: Path) -> None:
    assert Process(0, is_child=False).has_ended()
    assert not Process(os.getpid(), is_child=False).has_ended()


class Recorder(Process):
    def __init__(self) -> None:
        super().__init__(0, is_child=False)
        self.sent: list[int] = []

    def signal(self, number: int) -> None:
        self.sent.append(number)


def test_who_does_not_obey_is_asked_harder_each_time() -> None:
    stopper, process = Stopper((0.0, 0.0)), Recorder()
    assert not stopper.pressed
    assert [stopper.press(process) for _ in range(3)] == ["SIGINT", "SIGTERM", "SIGKILL"]
    assert process.sent == [signal.SIGINT, signal.SIGTERM, signal.SIGKILL]
    assert stopper.pressed


def test_there_is_time_to_obey() -> None:
    stopper, process = Stopper((1000.0, 1000.0)), Recorder()
    assert [stopper.press(process) for _ in range(3)] == ["SIGINT", "", ""]


def seats(folder: Path, working: int, present: int, ticket: str = "") -> Slots:
    line = folder / "line"
    line.mkdir(exist_ok=True)
    return Slots(
        [
            [str(folder / f"working-{n}") for n in range(working)],
            [str(folder / f"present-{n}") for n in range(present)],
        ],
        ticket and str(line / ticket),
    )


def test_as_many_work_as_there_are_seats_and_who_only_waits_makes_room(tmp_path: Path) -> None:
    first, second, third = (seats(tmp_path, 1, 2) for _ in range(3))
    assert first.take()
    assert not second.take()
    first.leave(0)  # it only waits for AWS now
    assert second.take()
    second.leave(0)
    assert not third.take()  # memory is for two
    first.leave_all()
    assert third.take()
    for slots in (second, third):
        slots.leave_all()


def test_who_left_a_seat_does_not_take_it_again(tmp_path: Path) -> None:
    first = seats(tmp_path, 1, 1)
    assert first.take()
    first.leave(0)
    assert not is_held(tmp_path / "working-0")
    assert is_held(tmp_path / "present-0")
    first.leave_all()
    assert not is_held(tmp_path / "present-0")


def test_without_groups_nobody_waits() -> None:
    assert Slots([]).take()


def test_who_asked_for_one_tenant_is_seated_before_a_bulk_change_that_came_earlier(tmp_path: Path) -> None:
    runs = seats(tmp_path, 1, 3, "20-1-running")
    bulk = [seats(tmp_path, 1, 3, f"20-{n}-bulk") for n in (2, 3)]
    assert runs.take()
    assert not any(waiting.take() for waiting in bulk)
    single = seats(tmp_path, 1, 3, "10-4-single")
    assert not single.take()
    runs.leave_all()
    assert not any(waiting.take() for waiting in bulk)  # whoever looks first
    assert single.take()
    single.leave_all()
    assert not bulk[1].take()
    assert bulk[0].take()
    bulk[0].leave_all()
    assert bulk[1].take()
    bulk[1].leave_all()
    assert list((tmp_path / "line").iterdir()) == []


def test_nobody_holds_one_seat_while_waiting_for_another(tmp_path: Path) -> None:
    runs, bulk = seats(tmp_path, 1, 2), seats(tmp_path, 1, 2, "20-1-bulk")
    assert runs.take()
    assert not bulk.take()
    assert not is_held(tmp_path / "present-1")
    runs.leave_all()


def test_who_waits_no_longer_holds_nobody_up(tmp_path: Path) -> None:
    runs = seats(tmp_path, 1, 3)
    assert runs.take()
    gone, dead, last = (seats(tmp_path, 1, 3, f"10-{n}-run") for n in (1, 2, 3))
    assert not any(waiting.take() for waiting in (gone, dead, last))
    runs.leave_all()
    gone.leave_all()
    assert not last.take()
    long_ago = time.time() - 60
    os.utime(tmp_path / "line" / "10-2-run", (long_ago, long_ago))  # killed: it looks no more
    assert last.take()
    last.leave_all()
    assert list((tmp_path / "line").iterdir()) == []
