"""What is said to us in comments, and whether a webhook is what it says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controlplane.domain.review.hooks import is_signed, is_timely
from controlplane.domain.review.verbs import Said, Verb, parse, usage

# https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
SECRET, BODY = "It's a Secret to Everybody", b"Hello, World!"
SIGNATURE = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
PAYLOADS = json.loads((Path(__file__).parents[2] / "contract/github/webhooks.json").read_text())


@pytest.mark.parametrize("verb", list(Verb))
def test_every_verb_is_understood(verb: Verb) -> None:
    assert parse(f"controlplane {verb}", "controlplane") == Said(verb, verb.value)
    assert parse(f"Looks good.\n\n/controlplane {verb} please", "controlplane") == Said(verb, verb.value)
    assert f"`cp {verb}`" in usage("cp")


@pytest.mark.parametrize(
    "text",
    ["", "looks good", "> controlplane apply", "the controlplane plan", "controlplanes apply", "```\nx"],
)
def test_what_is_not_said_to_us_is_nothing(text: str) -> None:
    assert parse(text, "controlplane") is None


def test_another_name_is_listened_to_and_this_one_no_more() -> None:
    assert parse("atlas apply", "atlas") == Said(Verb.APPLY, "apply")
    assert parse("controlplane apply", "atlas") is None


def test_an_unknown_word_is_answered_with_help_and_cannot_leave_its_place() -> None:
    said = parse("controlplane `</details>@everyone`", "controlplane")
    assert said is not None
    assert said.verb is None
    told = usage("controlplane", said.word)
    assert told.startswith("`detailseveryone` is not known here")
    assert parse("controlplane", "controlplane") == Said(Verb.HELP, "help")


def test_the_published_example_of_a_signature_is_right() -> None:
    assert is_signed(SECRET, BODY, SIGNATURE)


@pytest.mark.parametrize(
    ("secret", "body", "signature"),
    [
        (SECRET, BODY + b"!", SIGNATURE),
        ("another", BODY, SIGNATURE),
        (SECRET, BODY, SIGNATURE.replace("sha256=", "sha1=")),
        (SECRET, BODY, ""),
        (SECRET, BODY, "sha256=é"),
        ("", BODY, SIGNATURE),
    ],
)
def test_another_signature_is_wrong(secret: str, body: bytes, signature: str) -> None:
    assert not is_signed(secret, body, signature)


@pytest.mark.parametrize("event", ["issue_comment", "pull_request", "pull_request_review", "push"])
def test_a_recorded_payload_is_timely_when_it_happened_and_old_an_hour_later(event: str) -> None:
    happened = datetime(2019, 5, 15, 15, 21, tzinfo=UTC)
    assert is_timely(PAYLOADS[event], happened)
    assert not is_timely(PAYLOADS[event], happened + timedelta(hours=2))
    assert not is_timely(PAYLOADS[event], happened - timedelta(hours=2))


def test_a_ping_tells_of_nothing_and_is_never_old() -> None:
    assert is_timely(PAYLOADS["ping"], datetime(2030, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("value", [None, 10**40, "yesterday", [], {"a": 1}])
def test_a_strange_time_is_no_time(value: object) -> None:
    assert is_timely({"comment": {"updated_at": value}, "review": value}, datetime(2030, 1, 1, tzinfo=UTC))
