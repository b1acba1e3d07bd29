"""Alarms from the queue to a finding."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from controlplane.domain.errors import ControlPlaneError, Unavailable
from controlplane.ports import AlarmMessage
from controlplane.services.control import Ask
from controlplane.services.rightsizing import alarms, inbox, looking
from controlplane.services.rightsizing.asked import Inbox
from controlplane.services.schedules.running import run
from tests.doors.care.neighbourhood import ADMIN, WAY, Neighbourhood
from tests.unit.rightsizing.traces import Load, flat

BUSY = Load(flat(95), 300)


@dataclass
class FakeQueue:
    """An `AlarmSource` in memory: what is not done comes again."""

    waiting: list[AlarmMessage] = field(default_factory=list)
    error: ControlPlaneError | None = None
    _hidden: set[str] = field(default_factory=set)

    def send(self, body: str) -> None:
        self.waiting.append(AlarmMessage(f"r{len(self.waiting)}", body))

    def receive(self) -> Sequence[AlarmMessage]:
        found = [m for m in self.waiting if m.receipt not in self._hidden][:10]
        self._hidden |= {m.receipt for m in found}
        return found

    def done(self, messages: Sequence[AlarmMessage]) -> None:
        if self.error is not None:
            raise self.error
        gone = {m.receipt for m in messages}
        self.waiting = [m for m in self.waiting if m.receipt not in gone]


@pytest.fixture
def queue(here: Neighbourhood) -> FakeQueue:
    made = FakeQueue()
    here.premises.control = here.control = replace(here.control, alarm_source=lambda: made)
    return made


def rings(queue: FakeQueue, database: str, state: str = "ALARM", at: str = "2026-03-02T11:50:00") -> None:
    dimensions = [{"name": "DBInstanceIdentifier", "value": database}]
    body = {"AlarmName": f"{database}-cpu-critical", "NewStateValue": state, "StateChangeTime": f"{at}+0000"}
    queue.send(json.dumps({**body, "Trigger": {"Dimensions": dimensions}}))


def take(here: Neighbourhood) -> dict[str, Any]:
    return alarms.take(here.control, ADMIN, WAY)


def threshold(here: Neighbourhood) -> dict[str, Any]:
    found = looking.metrics(here.control, ADMIN, "acme")["thresholds"]
    return next(one for one in found if one["alarm"].endswith("-cpu-critical"))


def test_who_is_in_alarm_is_looked_at_now_and_the_finding_shows_its_alarm(
    here: Neighbourhood, queue: FakeQueue
) -> None:
    rings(queue, here.tenant("acme", load=BUSY))
    here.tenant("calm", load=BUSY)
    found = take(here)
    assert (found["alarms"], found["looked_at"], found["inbox"]) == ({"ALARM": 1}, ["acme"], {"new": 1})
    (one,) = inbox.page(here.control, ADMIN, Inbox())["items"]
    assert (one["tenant"], one["finding"], one["urgent"]) == ("acme", "Underprovisioned", True)
    (alarm,) = inbox.show(here.control, ADMIN, one["id"])["alarms"]
    assert (alarm["rule"], alarm["state"]) == ("cpu-critical", "ALARM")
    assert threshold(here)["state"] == "ALARM"
    assert queue.waiting == []


def test_an_alarm_that_comes_late_or_twice_changes_nothing(here: Neighbourhood, queue: FakeQueue) -> None:
    database = here.tenant("acme", load=BUSY)
    rings(queue, database, "OK", at="2026-03-02T11:55:00")
    rings(queue, database, "ALARM", at="2026-03-02T11:50:00")
    rings(queue, database, "OK", at="2026-03-02T11:55:00")
    found = take(here)
    assert (found["alarms"], found["looked_at"]) == ({"OK": 1, "known or older": 2}, [])
    assert threshold(here)["state"] == "OK"


def test_what_is_no_alarm_of_ours_is_counted_and_taken_away(here: Neighbourhood, queue: FakeQueue) -> None:
    queue.send("hello")
    rings(queue, "somebody-elses")
    assert take(here)["alarms"] == {"of nobody here": 1, "unreadable": 1}
    assert queue.waiting == []


def test_an_alarm_is_lost_by_no_crash(here: Neighbourhood, queue: FakeQueue) -> None:
    rings(queue, here.tenant("acme", load=BUSY))
    queue.error = Unavailable("taking alarms: no answer")
    with pytest.raises(Unavailable):
        take(here)
    assert len(queue.waiting) == 1
    assert threshold(here)["state"] == "ALARM"  # written down before it is taken away


def test_a_long_queue_is_emptied_and_a_tenant_is_looked_at_once(
    here: Neighbourhood, queue: FakeQueue
) -> None:
    database = here.tenant("acme", load=BUSY)
    for minute in range(25):
        rings(queue, database, at=f"2026-03-02T11:{minute:02}:00")
    assert take(here)["looked_at"] == ["acme"]
    assert queue.waiting == []


def test_without_a_queue_the_schedule_says_so(here: Neighbourhood) -> None:
    assert run(here.control, ADMIN, "alarms", Ask())["last_words"] == "no queue and no topic is named"
    with pytest.raises(Unavailable, match="no queue"):
        take(here)
