"""An alarm's way through a topic and a queue of moto, and what happens to it there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from controlplane.adapters.alarms import SqsAlarms
from controlplane.domain.errors import Missing
from controlplane.domain.rightsizing.alarms import State, read_alarm

BODY = {
    "AlarmName": "acme-e1-cpu-critical",
    "NewStateValue": "ALARM",
    "StateChangeTime": "2026-03-02T11:59:30.123+0000",
    "Trigger": {"Dimensions": [{"name": "DBInstanceIdentifier", "value": "acme-e1"}]},
}


@pytest.fixture
def aws() -> Iterator[Any]:
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    session = boto3.Session("test", "test", region_name="us-east-1")
    yield lambda service: session.client(service, endpoint_url=f"http://{host}:{port}")
    server.stop()


def test_what_a_topic_is_told_is_read_from_the_queue_until_it_is_done(aws: Any) -> None:
    sqs, sns = aws("sqs"), aws("sns")
    queue = sqs.create_queue(QueueName="alarms")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = sns.create_topic(Name="alarms")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    for _ in range(12):
        sns.publish(TopicArn=topic, Message=json.dumps(BODY))
    source, seen = SqsAlarms(sqs, queue), []
    while messages := source.receive():
        seen += [read_alarm(message.body) for message in messages]
        source.done(messages)
    assert len(seen) == 12
    assert {(alarm.identifier, alarm.rule, alarm.state) for alarm in seen} == {
        ("acme-e1", "cpu-critical", State.ALARM)
    }
    waiting = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert (waiting["ApproximateNumberOfMessages"], waiting["ApproximateNumberOfMessagesNotVisible"]) == (
        "0",
        "0",
    )


def test_a_queue_that_is_not_there_is_said_in_our_words(aws: Any) -> None:
    with pytest.raises(Missing, match="reading alarms from"):
        SqsAlarms(aws("sqs"), "http://127.0.0.1:1/123456789012/nowhere").receive()
