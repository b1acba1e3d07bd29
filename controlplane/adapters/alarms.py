"""Alarms from an SQS queue that the platform's topic, or EventBridge, writes to. Who may write to it and who
may read it is said by IAM: there is no address of ours that the world could reach."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from controlplane.adapters.aws.errors import calling
from controlplane.domain.errors import Unavailable
from controlplane.ports import AlarmMessage

AT_ONCE = 10  # SQS's most
HIDDEN_SECONDS = 300  # from other readers, while these are worked on
SERVICE = "sqs"


class SqsAlarms:
    """`AlarmSource` on boto3's `sqs` client."""

    def __init__(self, client: Any, queue: str) -> None:
        self._client = client
        self._queue = queue

    def receive(self) -> Sequence[AlarmMessage]:
        with calling(f"reading alarms from {self._queue}", SERVICE):
            answer = self._client.receive_message(
                QueueUrl=self._queue, MaxNumberOfMessages=AT_ONCE, VisibilityTimeout=HIDDEN_SECONDS
            )
        return [AlarmMessage(m["ReceiptHandle"], m.get("Body", "")) for m in answer.get("Messages", ())]

    def done(self, messages: Sequence[AlarmMessage]) -> None:
        """What could not be taken away comes again, which does no harm."""
        for begin in range(0, len(messages), AT_ONCE):
            part = messages[begin : begin + AT_ONCE]
            entries = [{"Id": str(n), "ReceiptHandle": m.receipt} for n, m in enumerate(part)]
            with calling(f"taking alarms from {self._queue}", SERVICE):
                answer = self._client.delete_message_batch(QueueUrl=self._queue, Entries=entries)
            if answer.get("Failed"):
                raise Unavailable(f"taking alarms from {self._queue}: {len(answer['Failed'])} stay there")
