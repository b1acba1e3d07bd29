"""Alarms become findings: what CloudWatch says of a database is written down, and whoever is in alarm is
looked at now, instead of with the next scan. The look decides, the alarm does not: it may be late."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any

from controlplane.domain.errors import ControlPlaneError, Unavailable
from controlplane.domain.rightsizing.alarms import Alarm, State, read_alarm
from controlplane.ports import AlarmMessage, AlarmSource
from controlplane.services.actor import Action, Actor
from controlplane.services.asking import Way
from controlplane.services.control import Control
from controlplane.services.rightsizing import scanning
from controlplane.services.rightsizing.asked import Scanning
from controlplane.services.rightsizing.hearing import Heard
from controlplane.store.fleet import alarms, databases, schedules
from controlplane.store.fleet.databases import FleetDatabase
from controlplane.store.fleet.rows import AlarmState

_MOST_ROUNDS = 100  # of ten messages, in one look at the queue
_AT_ONCE = 50  # tenants in one selector
URGENT = "rightsizing-hot"  # the schedule that looks at who is overloaded right now
_log = logging.getLogger(__name__)


def take(control: Control, actor: Actor, way: Way) -> dict[str, Any]:
    """Empty the queue, and what came to our address. A message is taken away once it is written down, so that
    a crash loses none."""
    actor.require(Action.CHANGE_FLEET)
    if not comes(control):
        raise Unavailable(
            "alarms come to no queue and no address that is known here",
            hint="CONTROLPLANE_ALARM_QUEUE=URL, or CONTROLPLANE_ALARM_TOPICS=ARN",
        )
    counts = Counter[str]()
    ringing: dict[str, None] = {}
    if control.alarm_topics:
        ringing |= _emptied(control, Heard(control), counts)
    if control.alarm_source is not None:
        ringing |= _emptied(control, control.alarm_source(), counts)
    found = _looked_at(control, actor, list(ringing), way)
    return {"alarms": dict(sorted(counts.items())), "looked_at": list(ringing), "inbox": dict(found)}


def comes(control: Control) -> bool:
    return control.alarm_source is not None or bool(control.alarm_topics)


def _emptied(control: Control, source: AlarmSource, counts: Counter[str]) -> dict[str, None]:
    """Who went into alarm, in the order in which they came."""
    ringing: dict[str, None] = {}
    for _ in range(_MOST_ROUNDS):
        messages = source.receive()
        if not messages:
            break
        ringing |= dict.fromkeys(_recorded(control, [_read(m, counts) for m in messages], counts))
        source.done(messages)
    return ringing


def _read(message: AlarmMessage, counts: Counter[str]) -> Alarm | None:
    try:
        return read_alarm(message.body)
    except ControlPlaneError as error:
        _log.warning("%s; it is taken away", error.message)
        counts["unreadable"] += 1
        return None


def _recorded(control: Control, found: list[Alarm | None], counts: Counter[str]) -> list[str]:
    """Slugs of who went into alarm just now. Whom another cell's workers look after, they look at next."""
    ringing = []
    with control.db.write() as session:
        ours = {row.identifier: row for row in databases.every(session)}
        for alarm in (one for one in found if one is not None):
            row = ours.get(alarm.identifier)
            if row is None:
                counts["of nobody here"] += 1
            elif alarms.save(session, _row(alarm, row)):
                counts[alarm.state.value] += 1
                ringing += [row] if alarm.state is State.ALARM and row.is_routed else []
            else:
                counts["known or older"] += 1
        here = {control.cell} if control.cell_of_many else {row.cell for row in ringing}
        for cell in {row.cell for row in ringing} - here:
            schedules.make_due(session, URGENT, control.now(), cell)
    return [row.slug for row in ringing if row.cell in here]


def _row(alarm: Alarm, of: FleetDatabase) -> AlarmState:
    return AlarmState(
        name=alarm.name,
        tenant_uid=of.uid,
        identifier=alarm.identifier,
        rule=alarm.rule,
        state=alarm.state.value,
        reason=alarm.reason,
        since=alarm.at,
    )


def _looked_at(control: Control, actor: Actor, slugs: list[str], way: Way) -> Counter[str]:
    inbox: Counter[str] = Counter()
    for begin in range(0, len(slugs), _AT_ONCE):
        selector = f"slug in ({','.join(slugs[begin : begin + _AT_ONCE])})"
        inbox.update(scanning.scan(control, actor, Scanning(selector=selector), way)["inbox"])
    return inbox
