"""X-Ray's settings: which requests are traced, and with which key. moto knows traces only."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

from moto.core.resource_tagging import TaggableResourcesMixin, TaggedResource
from moto.xray.models import XRayBackend
from moto.xray.responses import XRayResponse
from moto.xray.urls import url_paths

from controlplane.sandbox.aws.platform.routes import routes

_ACTIONS = (
    "CreateSamplingRule",
    "GetSamplingRules",
    "UpdateSamplingRule",
    "DeleteSamplingRule",
    "EncryptionConfig",
    "PutEncryptionConfig",
    "ListTagsForResource",
    "TagResource",
    "UntagResource",
)
_NAME_LENGTH = 32
_UNCHANGEABLE = ("RuleName", "RuleARN", "Version")


class SandboxXRay(XRayBackend, TaggableResourcesMixin):  # type: ignore[misc]
    SERVICE_NAMESPACE = "xray"

    @property
    def url_paths(self) -> dict[str, Any]:
        return routes(url_paths, XRayAnswers.dispatch, *(f"/{action}" for action in _ACTIONS))

    @property
    def rules(self) -> dict[str, dict[str, Any]]:
        """By name, each as AWS shows it."""
        found: dict[str, dict[str, Any]] = self.__dict__.setdefault("sampling_rules", {})
        return found

    @property
    def tags(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = self.__dict__.setdefault("rule_tags", {})
        return found

    @property
    def encryption(self) -> dict[str, str]:
        found: dict[str, str] = self.__dict__.setdefault("encryption_config", {"Type": "NONE"})
        return found

    def rule_arn(self, name: str) -> str:
        return f"arn:{self.partition}:xray:{self.region_name}:{self.account_id}:sampling-rule/{name}"

    def iter_tagged_resources(self) -> Iterator[TaggedResource]:
        for arn, tags in self.tags.items():
            yield TaggedResource(arn=arn, tags=tags, resource_type="xray:sampling-rule")


class XRayAnswers(XRayResponse):  # type: ignore[misc]
    def create_sampling_rule(self) -> Any:
        rule = dict(self._get_param("SamplingRule"))
        name = str(rule.get("RuleName", ""))
        if not 0 < len(name) <= _NAME_LENGTH or name in self.xray_backend.rules:
            return self._error("InvalidRequestException", f"the name {name!r} is not free, or not legal")
        rule["RuleARN"] = arn = self.xray_backend.rule_arn(name)
        record = {"SamplingRule": rule, "CreatedAt": time.time(), "ModifiedAt": time.time()}
        self.xray_backend.rules[name] = record
        self.xray_backend.tags[arn] = _pairs(self._get_param("Tags"))
        return json.dumps({"SamplingRuleRecord": record})

    def get_sampling_rules(self) -> str:
        return json.dumps({"SamplingRuleRecords": list(self.xray_backend.rules.values())})

    def update_sampling_rule(self) -> Any:
        change = self._get_param("SamplingRuleUpdate")
        record = self._record(change)
        if record is None:
            return self._missing()
        rule = record["SamplingRule"]
        rule.update({key: value for key, value in change.items() if key not in _UNCHANGEABLE})
        record["ModifiedAt"] = time.time()
        return json.dumps({"SamplingRuleRecord": record})

    def delete_sampling_rule(self) -> Any:
        record = self._record(self.request_params)
        if record is None:
            return self._missing()
        rule = record["SamplingRule"]
        del self.xray_backend.rules[rule["RuleName"]]
        self.xray_backend.tags.pop(rule["RuleARN"], None)
        return json.dumps({"SamplingRuleRecord": record})

    def encryption_config(self) -> str:
        return json.dumps({"EncryptionConfig": {**self.xray_backend.encryption, "Status": "ACTIVE"}})

    def put_encryption_config(self) -> Any:
        kind, key = self._get_param("Type"), self._get_param("KeyId")
        if kind not in ("NONE", "KMS") or (kind == "KMS") != bool(key):
            return self._error("InvalidRequestException", "KMS wants a key, NONE has none")
        self.xray_backend.encryption.clear()
        self.xray_backend.encryption.update({"Type": kind} | ({"KeyId": key} if key else {}))
        return self.encryption_config()

    def list_tags_for_resource(self) -> str:
        tags = self._tags()
        return json.dumps({"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]})

    def tag_resource(self) -> str:
        self._tags().update(_pairs(self._get_param("Tags")))
        return json.dumps({})

    def untag_resource(self) -> str:
        for key in self._get_param("TagKeys"):
            self._tags().pop(key, None)
        return json.dumps({})

    def _tags(self) -> dict[str, str]:
        tags: dict[str, str] = self.xray_backend.tags.get(self._get_param("ResourceARN"), {})
        return tags

    def _record(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        """By name or by ARN."""
        name = asked.get("RuleName") or str(asked.get("RuleARN", "")).rpartition("/")[2]
        found: dict[str, Any] | None = self.xray_backend.rules.get(name)
        return found

    def _missing(self) -> Any:
        return self._error("InvalidRequestException", "there is no such sampling rule")


def _pairs(tags: list[dict[str, str]] | None) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags or []}
