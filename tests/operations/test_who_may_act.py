"""Who may act, as it is in this house: nobody works here, or the second person is still to come."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from controlplane.domain.errors import Locked
from controlplane.operations import Create
from controlplane.services import explain, tenants
from controlplane.services import operations as asking
from controlplane.services.control import Ask
from controlplane.worker.lock import WorkerLock, worker_lives
from tests.operations.house import ADMIN, ASK, House


@pytest.mark.parametrize(
    ("alive", "command"), [(False, "controlplane worker --until-idle"), (True, "controlplane operation show")]
)
def test_what_waits_for_its_turn_says_whether_anybody_works(
    house: House, *, alive: bool, command: str
) -> None:
    control = replace(house.control, worker_lives=lambda cell: alive)
    operation = str(tenants.create(control, ADMIN, Create(slug="acme"), ASK)["id"])
    said = asking.show(control, ADMIN, operation)["metadata"]
    assert said["next_command"].startswith(command)
    told = explain.explain(control, ADMIN, "acme")
    assert (told["cause"], told["next_command"]) == (said["cause"], said["next_command"])


@pytest.mark.parametrize(("two_person", "who"), [(True, "other than local:ann"), (False, "policy lets")])
def test_what_waits_for_an_approval_says_whose(
    house: House, run: Callable[[], None], *, two_person: bool, who: str
) -> None:
    control = replace(house.control, two_person=two_person)
    body = Create(slug="acme", stage="production", size="small")
    operation = str(tenants.create(control, ADMIN, body, Ask(reason="a test"))["id"])
    run()
    said = asking.show(control, ADMIN, operation)["metadata"]
    assert who in said["who_may_act"]
    assert f"operation approve {operation} --digest" in said["next_command"]
    told = explain.explain(control, ADMIN, "acme")
    assert (told["who_may_act"], told["next_command"]) == (said["who_may_act"], said["next_command"])


def test_many_may_ask_whether_a_worker_lives_and_none_is_taken_for_one(tmp_path: Path) -> None:
    database = tmp_path / "tenants.db"
    answers: list[bool] = []
    askers = [
        threading.Thread(target=lambda: answers.extend(worker_lives(database) for _ in range(50)))
        for _ in range(4)
    ]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(30)
    assert answers == [False] * 200
    with WorkerLock(database):
        assert worker_lives(database)
        with pytest.raises(Locked), WorkerLock(database):
            pass
    assert not worker_lives(database)


def test_who_only_asks_keeps_no_worker_from_starting(tmp_path: Path) -> None:
    database = tmp_path / "tenants.db"
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            worker_lives(database)
            time.sleep(0.001)

    asker = threading.Thread(target=ask)
    asker.start()
    try:
        for _ in range(20):
            with WorkerLock(database):
                pass
    finally:
        stop.set()
        asker.join(30)
