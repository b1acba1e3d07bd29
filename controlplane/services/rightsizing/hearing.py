"""Alarms that SNS brings to our address: judged, kept once, and left to the schedule that looks at alarms."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from controlplane.domain.errors import Missing
from controlplane.domain.rightsizing.topics import CONFIRMATION, NOTIFICATION, check, read_message
from controlplane.ports import AlarmMessage
from controlplane.services.control import Control
from controlplane.store.fleet import deliveries, schedules

SCHEDULE = "alarms"
_AT_ONCE = 100
_log = logging.getLogger(__name__)


def receive(control: Control, body: bytes) -> dict[str, Any]:
    """What is signed and in time waits for the worker, which looks at once. Sent again, it is nothing."""
    if control.topic_source is None or not control.alarm_topics:
        raise Missing("no topic's messages are taken here", hint="CONTROLPLANE_ALARM_TOPICS=ARN,…")
    message = read_message(body)
    check(message, control.alarm_topics, control.now())
    topics = control.topic_source()
    topics.verify(message)
    if message.kind == CONFIRMATION:
        topics.confirm(message)
        _log.info("the topic %s tells us its alarms from now on", message.topic)
    if message.kind != NOTIFICATION:
        return {"accepted": message.kind == CONFIRMATION, "event": message.kind}
    with control.db.write() as session:
        is_new = deliveries.take(session, message.id, message.text, control.now())
        if is_new:
            schedules.make_due(session, SCHEDULE, control.now(), control.cell_of_many)
    return {"accepted": is_new, "event": message.kind}


@dataclass(frozen=True)
class Heard:
    """An `AlarmSource`: what came to our address and was not looked at yet."""

    control: Control

    def receive(self) -> Sequence[AlarmMessage]:
        with self.control.db.read() as session:
            return [AlarmMessage(row.id, row.body) for row in deliveries.waiting(session, _AT_ONCE)]

    def done(self, messages: Sequence[AlarmMessage]) -> None:
        with self.control.db.write() as session:
            deliveries.done(session, [message.receipt for message in messages], self.control.now())
