"""One event in the shape that its receiver reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

PREFIX = "io.controlplane."
SOURCE = "/controlplane"


class Form(StrEnum):
    STANDARD = "standard"  # a CloudEvent, signed as Standard Webhooks says
    SLACK = "slack"  # {"text": …}: Slack, Mattermost and whoever reads the same
    SNS = "sns"  # the URL is a topic's ARN
    EVENTBRIDGE = "eventbridge"  # the URL is an event bus's ARN


def cloud_event(identifier: str, told: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """CloudEvents 1.0, structured JSON. `told`: type, subject, data."""
    return {
        "specversion": "1.0",
        "id": identifier,
        "source": SOURCE,
        "type": PREFIX + told["type"],
        "subject": told["subject"],
        "time": at.isoformat(),
        "datacontenttype": "application/json",
        "data": told["data"],
    }


def slack_text(event: Mapping[str, Any]) -> dict[str, str]:
    data = event["data"]
    what = event["type"].removeprefix(PREFIX).replace(".", " ").replace("_", " ")
    about = " ".join(str(data[name]) for name in ("kind", "tenant", "operation") if data.get(name))
    more = data.get("detail") or data.get("reason") or ""
    return {"text": _escaped(f"{what}: {about or event['subject']}" + (f" ({more})" if more else ""))}


def _escaped(text: str) -> str:
    """Slack's three control characters: a reason shall not ping a channel."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def body_of(form: Form, event: Mapping[str, Any]) -> bytes:
    """The same bytes at every attempt: the signature covers them."""
    shape = slack_text(event) if form is Form.SLACK else event
    return json.dumps(shape, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
