"""A CloudWatch alarm that changed its state, as it comes: from SNS, from EventBridge, or as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from controlplane.domain.errors import Invalid

DIMENSION = "DBInstanceIdentifier"
_LONGEST = 256_000  # bytes that SNS and SQS carry


class State(StrEnum):
    ALARM = "ALARM"
    OK = "OK"
    UNKNOWN = "INSUFFICIENT_DATA"


@dataclass(frozen=True)
class Alarm:
    name: str
    identifier: str  # of the database; "": it is about something else
    state: State
    at: datetime
    reason: str = ""

    @property
    def rule(self) -> str:
        """`cpu-critical` of `acme-a1234567-e1-cpu-critical`."""
        return self.name.removeprefix(f"{self.identifier}-")


def read_alarm(body: str) -> Alarm:
    """What cannot be read is refused: nothing is guessed from half a message."""
    if len(body) > _LONGEST:
        raise Invalid("reading an alarm: it is longer than AWS sends")
    try:
        return _alarm(_opened(json.loads(body)))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Invalid("reading an alarm: this is no state change of CloudWatch") from error


def _opened(message: Any) -> Mapping[str, Any]:
    """What SNS wrapped, unless the subscription delivers raw."""
    wrapped = message.get("Type") == "Notification"
    found: Mapping[str, Any] = json.loads(message["Message"]) if wrapped else message
    return found


def _alarm(message: Mapping[str, Any]) -> Alarm:
    if "detail" in message:
        detail = message["detail"]
        state = detail["state"]
        found = (detail["alarmName"], state["value"], state["timestamp"], state.get("reason", ""))
        dimensions = list(_of_event(detail.get("configuration", {})))
    else:
        found = (
            message["AlarmName"],
            message["NewStateValue"],
            message["StateChangeTime"],
            message.get("NewStateReason", ""),
        )
        dimensions = [(d["name"], d["value"]) for d in message.get("Trigger", {}).get("Dimensions", ())]
    name, state, at, reason = (str(part) for part in found)
    identifier = dict(dimensions).get(DIMENSION, "")
    return Alarm(name, str(identifier), State(state), _moment(at), reason[:500])


def _of_event(configuration: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for one in configuration.get("metrics", ()):
        yield from one.get("metricStat", {}).get("metric", {}).get("dimensions", {}).items()


def _moment(text: str) -> datetime:
    """AWS writes `+0000`; a time without a zone is UTC."""
    found = datetime.fromisoformat(text)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
