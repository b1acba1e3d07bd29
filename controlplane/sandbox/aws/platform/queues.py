"""Queues, with who may use one for its dead letters."""

from __future__ import annotations

import json
from typing import Any

from moto.sqs.exceptions import InvalidAttributeValue
from moto.sqs.models import Queue, SQSBackend
from moto.sqs.urls import url_paths

from controlplane.sandbox.aws.platform.routes import routes

_ALLOW, _REDRIVE = "RedriveAllowPolicy", "RedrivePolicy"
_SOURCES = 10  # as many queues may be named


class SandboxSqs(SQSBackend):  # type: ignore[misc]
    """moto keeps a policy on dead letters and never says it; what was not named in a change it forgets."""

    @property
    def url_paths(self) -> dict[str, Any]:
        return routes(url_paths)

    def create_queue(self, name: str, tags: dict[str, str] | None = None, **values: Any) -> Queue:
        _check(values)
        return super().create_queue(name, tags, **values)

    def set_queue_attributes(self, queue_name: str, attributes: dict[str, Any]) -> Queue:
        _check(attributes)
        queue = self.get_queue(queue_name)
        kept = {"Policy": queue.policy} if queue.policy and "Policy" not in attributes else {}
        return super().set_queue_attributes(queue_name, {**kept, **attributes})

    def get_queue_attributes(self, queue_name: str, attribute_names: list[str]) -> dict[str, Any]:
        known = [name for name in attribute_names if name != _ALLOW]
        found: dict[str, Any] = super().get_queue_attributes(queue_name, known)
        allowed = getattr(self.get_queue(queue_name), "redrive_allow_policy", None)
        if allowed and {"All", _ALLOW} & set(attribute_names):
            found[_ALLOW] = allowed
        if found.get(_REDRIVE):
            found[_REDRIVE] = _compact(found[_REDRIVE])
        return found


def _check(attributes: dict[str, Any]) -> None:
    """AWS refuses a permission that it does not know, and one for named queues that names none."""
    if not attributes.get(_ALLOW):
        return
    try:
        policy = json.loads(attributes[_ALLOW])
        permission, sources = policy["redrivePermission"], policy.get("sourceQueueArns", [])
    except (ValueError, KeyError, TypeError) as wrong:
        raise InvalidAttributeValue(_ALLOW) from wrong
    named = 0 < len(sources) <= _SOURCES
    if permission not in ("allowAll", "denyAll", "byQueue") or named != (permission == "byQueue"):
        raise InvalidAttributeValue(_ALLOW)


def _compact(document: str) -> str:
    """As AWS writes it: with white space the provider sees another policy."""
    return json.dumps(json.loads(document), separators=(",", ":"))
