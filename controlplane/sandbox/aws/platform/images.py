"""Data Lifecycle Manager, which moto does not have: when images of machines are made. None is made here."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from copy import deepcopy
from typing import Any
from urllib.parse import unquote

from moto.backend_index import backend_url_patterns
from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.exceptions import JsonRESTError
from moto.core.resource_tagging import TaggableResourcesMixin, TaggedResource
from moto.core.responses import BaseResponse
from moto.core.utils import iso_8601_datetime_with_milliseconds, utcnow
from moto.moto_api._internal import mock_random

_SERVICE = "dlm"
_DETAILS = {"PolicyLanguage": "STANDARD", "ResourceLocations": ["CLOUD"]}  # as AWS says it when nobody does


class SandboxDlm(BaseBackend, TaggableResourcesMixin):  # type: ignore[misc]
    SERVICE_NAMESPACE = _SERVICE

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.policies: dict[str, dict[str, Any]] = {}

    @property
    def url_paths(self) -> dict[str, Any]:
        return {path: DlmAnswers.dispatch for path in ("/policies", "/policies/<policy>", "/tags/<path:arn>")}

    def add(self, asked: dict[str, Any]) -> str:
        known = f"policy-{mock_random.get_random_hex(17)}"
        now = iso_8601_datetime_with_milliseconds(utcnow())
        self.policies[known] = {
            "PolicyId": known,
            "PolicyArn": f"arn:{self.partition}:dlm:{self.region_name}:{self.account_id}:policy/{known}",
            "Tags": {},
            "DefaultPolicy": False,
            "DateCreated": now,
            "StatusMessage": asked["State"],
        }
        self.change(known, asked)
        return known

    def change(self, known: str, asked: dict[str, Any]) -> None:
        policy = self.found(known)
        policy.update({key: value for key, value in asked.items() if key != "PolicyId"})
        policy["PolicyDetails"] = deepcopy(_DETAILS) | policy["PolicyDetails"]
        policy["DateModified"] = iso_8601_datetime_with_milliseconds(utcnow())

    def found(self, known: str) -> dict[str, Any]:
        try:
            return self.policies[known]
        except KeyError:
            raise Missing(known) from None

    def iter_tagged_resources(self) -> Iterator[TaggedResource]:
        for policy in self.policies.values():
            yield TaggedResource(arn=policy["PolicyArn"], tags=policy["Tags"], resource_type="dlm:policy")


class Missing(JsonRESTError):  # type: ignore[misc]
    code = 404

    def __init__(self, known: str) -> None:
        super().__init__("ResourceNotFoundException", f"There is no policy {known}.")


class DlmAnswers(BaseResponse):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__(service_name=_SERVICE)

    @property
    def backend(self) -> SandboxDlm:
        found: SandboxDlm = dlm_backends[self.current_account][self.region]
        return found

    def create_lifecycle_policy(self) -> str:
        return json.dumps({"PolicyId": self.backend.add(json.loads(self.body))})

    def get_lifecycle_policy(self) -> str:
        return json.dumps({"Policy": self.backend.found(self._last())})

    def get_lifecycle_policies(self) -> str:
        keys = ("PolicyId", "Description", "State", "Tags", "DefaultPolicy")
        told = [{key: policy[key] for key in keys} for policy in self.backend.policies.values()]
        return json.dumps({"Policies": told})

    def update_lifecycle_policy(self) -> str:
        self.backend.change(self._last(), json.loads(self.body))
        return json.dumps({})

    def delete_lifecycle_policy(self) -> str:
        self.backend.found(self._last())
        del self.backend.policies[self._last()]
        return json.dumps({})

    def list_tags_for_resource(self) -> str:
        return json.dumps({"Tags": self._tags()})

    def tag_resource(self) -> str:
        self._tags().update(json.loads(self.body)["Tags"])
        return json.dumps({})

    def untag_resource(self) -> str:
        for key in self.querystring["tagKeys"]:
            self._tags().pop(key, None)
        return json.dumps({})

    def _tags(self) -> dict[str, str]:
        tags: dict[str, str] = self.backend.found(self._last())["Tags"]
        return tags

    def _last(self) -> str:
        """The policy's id: the last word of the path, and of its ARN."""
        return str(unquote(self.path).rstrip("/").rpartition("/")[2])


dlm_backends = BackendDict(SandboxDlm, _SERVICE)


def add_dlm() -> None:
    """moto looks for a service by its address, and for its backends in a module of its own of that name."""
    backend_url_patterns.append((_SERVICE, re.compile(r"https?://dlm\.(.+)\.amazonaws\.com")))
    sys.modules[f"moto.{_SERVICE}"] = sys.modules[__name__]
