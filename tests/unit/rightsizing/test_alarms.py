"""Alarms as AWS sends them, and what is no alarm."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.errors import Invalid
from controlplane.domain.rightsizing.alarms import Alarm, State, read_alarm

NAME = "acme-a1234567-e1-cpu-critical"
AT = datetime(2026, 3, 2, 11, 59, 30, 123000, tzinfo=UTC)
WANTED = Alarm(NAME, "acme-a1234567-e1", State.ALARM, AT, "Threshold Crossed")
BARE: dict[str, Any] = {
    "AlarmName": NAME,
    "NewStateValue": "ALARM",
    "NewStateReason": "Threshold Crossed",
    "StateChangeTime": "2026-03-02T11:59:30.123+0000",
    "Trigger": {"Dimensions": [{"name": "DBInstanceIdentifier", "value": "acme-a1234567-e1"}]},
}
EVENT: dict[str, Any] = {
    "detail-type": "CloudWatch Alarm State Change",
    "detail": {
        "alarmName": NAME,
        "state": {
            "value": "ALARM",
            "reason": "Threshold Crossed",
            "timestamp": "2026-03-02T11:59:30.123+0000",
        },
        "configuration": {
            "metrics": [
                {"metricStat": {"metric": {"dimensions": {"DBInstanceIdentifier": "acme-a1234567-e1"}}}}
            ]
        },
    },
}


@pytest.mark.parametrize(
    "message",
    [BARE, {"Type": "Notification", "Message": json.dumps(BARE)}, EVENT],
    ids=["raw", "sns", "eventbridge"],
)
def test_an_alarm_is_the_same_whichever_way_it_came(message: dict[str, Any]) -> None:
    found = read_alarm(json.dumps(message))
    assert found == WANTED
    assert found.rule == "cpu-critical"


def test_an_alarm_of_something_else_is_of_no_database() -> None:
    assert read_alarm(json.dumps({**BARE, "Trigger": {"Dimensions": []}})).identifier == ""


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "7",
        "{}",
        "not json",
        '{"Type": "Notification", "Message": "hello"}',
        json.dumps({**BARE, "NewStateValue": "MAYBE"}),
        json.dumps({**BARE, "StateChangeTime": "yesterday"}),
        json.dumps({"detail": {"alarmName": NAME}}),
        json.dumps({**BARE, "NewStateReason": "x" * 300_000}),
    ],
)
def test_what_is_no_alarm_is_refused(body: str) -> None:
    with pytest.raises(Invalid, match="reading an alarm"):
        read_alarm(body)


@given(
    st.recursive(st.none() | st.booleans() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x))
)
def test_whatever_is_sent_is_read_or_refused(message: Any) -> None:
    with pytest.raises(Invalid):
        read_alarm(json.dumps(message))
