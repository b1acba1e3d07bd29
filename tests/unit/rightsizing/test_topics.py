"""What is judged of a topic's message before anything is fetched for it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from controlplane.domain.errors import Denied, Invalid
from controlplane.domain.rightsizing.topics import LONGEST_BYTES, check, read_message, require_of_sns
from tests.topic import ARN, HOST, NOW, confirmation, notification

TOPICS = {ARN}


def judge(found: dict[str, Any], **later: float) -> None:
    check(read_message(json.dumps(found).encode()), TOPICS, NOW + timedelta(**later))


def test_a_message_of_a_named_topic_from_just_now_is_judged_good() -> None:
    judge(notification())
    judge(confirmation())
    judge(notification(), minutes=59)


@pytest.mark.parametrize("later", [{"minutes": 61}, {"days": 300}, {"minutes": -6}])
def test_what_is_old_or_from_the_future_is_refused(later: dict[str, float]) -> None:
    with pytest.raises(Invalid, match="not from the last"):
        judge(notification(), **later)


@pytest.mark.parametrize(
    "arn", [f"{ARN}-2", ARN.replace("1234", "9234"), ARN.replace("us-east-1", "eu-west-1")]
)
def test_another_topic_s_is_refused(arn: str) -> None:
    with pytest.raises(Denied, match="nothing of the topic"):
        judge(notification(TopicArn=arn))


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.us-east-1.amazonaws.com/x.pem",
        "https://sns.eu-west-1.amazonaws.com/x.pem",
        "https://sns.us-east-1.amazonaws.com.evil.example/x.pem",
        "https://evil.example/sns.us-east-1.amazonaws.com/x.pem",
        "https://sns.us-east-1.amazonaws.com@evil.example/x.pem",
        "https://sns.us-east-1.amazonaws.com:8443/x.pem",
        "https://sns.us-east-1.amazonaws.com\\.evil.example/x.pem",
        "https://s3.us-east-1.amazonaws.com/bucket/x.pem",
        "https://sns.us-east-1.amazonaws.com/x.txt",
        "file:///etc/passwd.pem",
        "https://[::1/x.pem",
        "",
    ],
)
def test_a_certificate_lies_with_sns_in_the_topic_s_region_and_nowhere_else(url: str) -> None:
    with pytest.raises(Denied):
        judge(notification() | {"SigningCertURL": url})


@pytest.mark.parametrize(
    "url", ["https://evil.example/?Action=ConfirmSubscription", "http://169.254.169.254/"]
)
def test_a_confirmation_leads_to_sns_and_nowhere_else(url: str) -> None:
    with pytest.raises(Denied):
        judge(confirmation() | {"SubscribeURL": url})


def test_china_s_hosts_are_sns_s_too() -> None:
    require_of_sns("https://sns.cn-north-1.amazonaws.com.cn/x.pem", "cn-north-1")
    with pytest.raises(Denied):
        require_of_sns(f"{HOST}/x.pem", "")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"null",
        b"[" * 5_000,
        b"\xff",
        json.dumps(notification() | {"Type": "Other"}).encode(),
        json.dumps(notification() | {"MessageId": "../x"}).encode(),
        json.dumps(notification() | {"Message": 7}).encode(),
        json.dumps(notification() | {"Timestamp": "yesterday"}).encode(),
        json.dumps(notification() | {"TopicArn": "arn:aws:s3:::bucket"}).encode(),
        b" " * (LONGEST_BYTES + 1),
    ],
)
def test_what_is_no_message_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid):
        read_message(body)
