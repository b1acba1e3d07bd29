"""What this process asked of AWS is counted, attempt by attempt."""

from __future__ import annotations

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from controlplane.adapters.aws.clients import AwsAccount, Clients
from controlplane.adapters.aws.tally import TALLY, Tally


def test_calls_are_counted_by_service_operation_and_outcome() -> None:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    account = AwsAccount("us-east-1", f"http://{host}:{port}", access_key="testing", secret_key="testing")
    before = dict(TALLY.calls())
    try:
        client = Clients(account).get("sns")
        client.list_topics()
        with pytest.raises(ClientError):
            client.publish(TopicArn="arn:aws:sns:us-east-1:123456789012:none", Message="x")
    finally:
        server.stop()
    new = {key: count - before.get(key, 0) for key, count in TALLY.calls().items()}
    assert {key: count for key, count in new.items() if count and key[0] == "sns"} == {
        ("sns", "ListTopics", "done"): 1,
        ("sns", "Publish", "refused"): 1,
    }


@pytest.mark.parametrize("code", ["Throttling", "ThrottlingException", "TooManyRequestsException"])
def test_being_told_to_slow_down_is_counted(code: str) -> None:
    tally = Tally()
    client = boto3.client("rds", "us-east-1", aws_access_key_id="x", aws_secret_access_key="y")
    tally.listen(client)
    answer = {"Error": {"Code": code}}
    client.meta.events.emit("response-received.rds.ModifyDBInstance", parsed_response=answer, exception=None)
    assert tally.throttles() == {"rds": 1}
    assert tally.calls() == {("rds", "ModifyDBInstance", "refused"): 1}
