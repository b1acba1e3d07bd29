"""Webhooks as their receiver sees them, where they may not go, and events through AWS."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from controlplane.adapters.notify import Couriers
from controlplane.adapters.web.guard import Guard
from controlplane.domain.errors import Denied, Invalid
from controlplane.domain.events.courier import Parcel
from controlplane.domain.events.shapes import Form
from controlplane.domain.events.signing import sign
from tests.receiver import Receiver

SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four!").decode()
OTHER = "whsec_" + base64.b64encode(b"the one that replaces it").decode()
EVENT = {"id": "evt-1", "type": "io.controlplane.tenant.ready", "subject": "tenant/acme", "data": {"a": 1}}
BODY = json.dumps(EVENT).encode()
HERE = ("127.0.0.1",)


def no_clients(service: str, region: str) -> Any:
    raise AssertionError("nothing goes through AWS here")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    stop = made.start()
    yield made
    stop()


@pytest.fixture
def courier() -> Couriers:
    return Couriers(no_clients, Guard(HERE), clock=lambda: 1_700_000_000.9)


def parcel(url: str, *secrets: str) -> Parcel:
    return Parcel(Form.STANDARD, url, secrets or (SECRET,), "evt-1", str(EVENT["type"]), BODY)


def test_the_signature_is_that_of_the_standards_example() -> None:
    body = b'{"test": 2432232314}'
    signed = sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_receiver_can_check_who_sent_what_and_when(courier: Couriers, receiver: Receiver) -> None:
    assert courier.send(parcel(receiver.url)).delivered
    [(headers, body)] = receiver.received
    assert json.loads(body) == EVENT
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("evt-1", "1700000000")
    assert headers["webhook-signature"] == sign(SECRET, "evt-1", 1_700_000_000, body)
    assert headers["webhook-signature"] != sign(SECRET, "evt-1", 1_700_000_000, body + b" ")
    assert headers["host"].startswith("127.0.0.1:")


def test_while_a_secret_is_replaced_both_sign(courier: Couriers, receiver: Receiver) -> None:
    courier.send(parcel(receiver.url, SECRET, OTHER))
    [(headers, body)] = receiver.received
    at = int(headers["webhook-timestamp"])
    assert headers["webhook-signature"].split() == [sign(one, "evt-1", at, body) for one in (SECRET, OTHER)]


@pytest.mark.parametrize(("status", "gone"), [(301, False), (400, False), (410, True), (503, False)])
def test_a_refusal_is_told_and_a_redirect_is_not_followed(
    courier: Couriers, receiver: Receiver, status: int, gone: bool
) -> None:
    receiver.script, receiver.headers = [status], {"Location": receiver.url, "Retry-After": "90"}
    receipt = courier.send(parcel(receiver.url))
    assert (receipt.delivered, receipt.detail, receipt.gone) == (False, f"HTTP {status}", gone)
    assert receipt.wait_seconds == 90
    assert len(receiver.received) == 1


def test_who_does_not_answer_is_a_receipt_too(courier: Couriers) -> None:
    receipt = courier.send(parcel("http://127.0.0.1:1/"))
    assert (receipt.delivered, receipt.detail) == (False, "ConnectError")


def test_a_parcel_does_not_show_its_url_and_secret() -> None:
    assert "secret-path" not in repr(parcel("https://example.com/secret-path"))
    assert SECRET not in repr(parcel("https://example.com/"))


@pytest.mark.parametrize(
    ("form", "url"),
    [
        (Form.STANDARD, "ftp://host/"),
        (Form.STANDARD, "http://example.com/"),
        (Form.STANDARD, "https://ann:sesame@example.com/"),
        (Form.STANDARD, "https://example.com:port/"),
        (Form.STANDARD, "https:///path"),
        (Form.SLACK, "arn:aws:sns:us-east-1:123456789012:topic"),
        (Form.SNS, "https://example.com/"),
        (Form.EVENTBRIDGE, "arn:aws:sns:us-east-1:123456789012:topic"),
    ],
)
def test_a_url_that_cannot_be_right_is_refused(courier: Couriers, form: Form, url: str) -> None:
    with pytest.raises(Invalid):
        courier.check(form, url)


# --- where a webhook may not go ----------------------------------------------------------------------

INSIDE = [
    *("127.0.0.1", "10.0.0.5", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
    *("224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fd00:ec2::254", "ff02::1"),
    *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "not an address"),
]


def answering(*addresses: str) -> Any:
    def look_up(host: str, port: int) -> Sequence[str]:
        return addresses

    return look_up


@pytest.mark.parametrize("address", INSIDE)
def test_a_name_that_leads_inside_is_refused(address: str) -> None:
    with pytest.raises(Denied, match="not public"):
        Guard(look_up=answering(address)).address("hooks.example.com", 443)
    with pytest.raises(Denied):
        Guard(look_up=answering("93.184.216.34", address)).address("hooks.example.com", 443)


def test_a_public_name_goes_to_the_address_that_was_judged() -> None:
    asked: list[str] = []

    def look_up(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["93.184.216.34"] if len(asked) == 1 else ["127.0.0.1"]

    assert Guard(look_up=look_up).address("hooks.example.com", 443) == "93.184.216.34"
    assert asked == ["hooks.example.com"]


def test_a_name_that_changes_between_two_looks_reaches_nothing_inside(receiver: Receiver) -> None:
    answers = iter([["127.0.0.1"]])
    courier = Couriers(no_clients, Guard(("hooks.example.com",), look_up=lambda h, p: next(answers)))
    url = receiver.url.replace("127.0.0.1", "hooks.example.com")
    assert courier.send(parcel(url)).delivered  # one look only: a second would find no answer
    assert receiver.received[0][0]["host"].startswith("hooks.example.com:")


def test_an_operator_may_name_what_is_inside() -> None:
    assert Guard(("10.1.0.0/16",), answering("10.1.2.3")).address("inside", 443) == "10.1.2.3"
    assert Guard(("inside",), answering("10.1.2.3")).address("inside", 443) == "10.1.2.3"
    with pytest.raises(Denied):
        Guard(("10.1.0.0/16",), answering("10.2.2.3")).address("inside", 443)


def test_a_refused_address_is_a_receipt() -> None:
    courier = Couriers(no_clients, Guard(look_up=answering("169.254.169.254")))
    receipt = courier.send(parcel("https://metadata.example.com/"))
    assert not receipt.delivered
    assert "not public" in receipt.detail


# --- through AWS -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def clients_of(url: str) -> Any:
    def client(service: str, region: str) -> Any:
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        return boto3.client(service, region_name=region, endpoint_url=url, **keys)  # type: ignore[call-overload]

    return client


def test_an_event_reaches_a_topic_with_its_type(emulator: str) -> None:
    clients = clients_of(emulator)
    queue = clients("sqs", "eu-west-1").create_queue(QueueName="hears")["QueueUrl"]
    topic = clients("sns", "eu-west-1").create_topic(Name="events")["TopicArn"]
    clients("sns", "eu-west-1").subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:eu-west-1:123456789012:hears"
    )
    courier = Couriers(clients, Guard())
    assert courier.check(Form.SNS, topic) == "sns:eu-west-1"
    assert courier.send(replace(parcel(topic), form=Form.SNS)).delivered
    [message] = clients("sqs", "eu-west-1").receive_message(QueueUrl=queue)["Messages"]
    told = json.loads(message["Body"])
    assert json.loads(told["Message"]) == EVENT
    assert told["MessageAttributes"]["type"]["Value"] == EVENT["type"]
    gone = courier.send(replace(parcel(topic + "-not-there"), form=Form.SNS))
    assert not gone.delivered
    assert "sns" in gone.detail


def test_an_event_reaches_a_bus(emulator: str) -> None:
    clients = clients_of(emulator)
    clients("events", "us-east-1").create_event_bus(Name="ours")
    bus = "arn:aws:events:us-east-1:123456789012:event-bus/ours"
    courier = Couriers(clients, Guard())
    assert courier.send(replace(parcel(bus), form=Form.EVENTBRIDGE)).delivered
    assert not courier.send(replace(parcel(bus + "-not-there"), form=Form.EVENTBRIDGE)).delivered
