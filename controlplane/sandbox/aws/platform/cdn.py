"""CloudFront with the policies that distributions name, and distributions as they were asked for."""

from __future__ import annotations

from copy import deepcopy
from typing import Any
from uuid import uuid4

from moto.cloudfront.exceptions import CloudFrontException, InvalidIfMatchVersion
from moto.cloudfront.models import CloudFrontBackend, Distribution, random_id
from moto.cloudfront.responses import CloudFrontResponse
from moto.cloudfront.urls import url_paths
from moto.core.responses import ActionResult, EmptyResult

from controlplane.sandbox.aws.platform.routes import routes

_ROOT = "/2020-05-31"
_CACHE, _HEADERS = "CachePolicy", "ResponseHeadersPolicy"
_PATHS = {_CACHE: "cache-policy", _HEADERS: "response-headers-policy"}
# AWS's own, by their fixed ids, which are the same in every account: nothing is kept, or whatever may be.
_OF_AWS: dict[str, set[str]] = {
    _CACHE: {"4135ea2d-6df8-44a3-9df3-4b5a84be39ad", "658327ea-f89d-4fab-a63d-7e88639e58f6"},
    _HEADERS: set(),
}
_NONE = {"Quantity": 0}
_BEHAVIOUR = {
    "SmoothStreaming": False,
    "Compress": False,
    "FieldLevelEncryptionId": "",
    "TrustedSigners": {"Enabled": False, **_NONE},
    "TrustedKeyGroups": {"Enabled": False, **_NONE},
    "LambdaFunctionAssociations": _NONE,
    "FunctionAssociations": _NONE,
}
_ORIGIN = {
    "OriginPath": "",
    "OriginAccessControlId": "",
    "CustomHeaders": _NONE,
    "OriginShield": {"Enabled": False},
    "ConnectionAttempts": 3,
    "ConnectionTimeout": 10,
}
_DISTRIBUTION = {
    "Aliases": _NONE,
    "OriginGroups": _NONE,
    "CacheBehaviors": _NONE,
    "CustomErrorResponses": _NONE,
    "DefaultRootObject": "",
    "Logging": {"Enabled": False, "IncludeCookies": False, "Bucket": "", "Prefix": ""},
    "PriceClass": "PriceClass_All",
    "ViewerCertificate": {"CloudFrontDefaultCertificate": True, "MinimumProtocolVersion": "TLSv1"},
    "Restrictions": {"GeoRestriction": {"RestrictionType": "none", **_NONE}},
    "WebACLId": "",
    "HttpVersion": "http2",
    "IsIPV6Enabled": True,
    "Staging": False,
    "ContinuousDeploymentPolicyId": "",
}


class Kept:
    """A distribution's configuration as it was asked for; moto drops and invents parts of it."""

    def __init__(self, asked: dict[str, Any]) -> None:
        self.__dict__.update(deepcopy(_DISTRIBUTION) | deepcopy(asked))
        self.caller_reference = asked["CallerReference"]
        for origin in self._listed("Origins"):
            _complete(origin, _ORIGIN)
        for behaviour in self.behaviours:
            _complete(behaviour, _BEHAVIOUR)

    @property
    def behaviours(self) -> list[dict[str, Any]]:
        return [self.__dict__["DefaultCacheBehavior"], *self._listed("CacheBehaviors")]

    @property
    def named(self) -> set[str]:
        """The ids of the policies and access controls that it uses."""
        keys = (f"{_CACHE}Id", f"{_HEADERS}Id")
        policies = {behaviour.get(key) for behaviour in self.behaviours for key in keys}
        controls = {origin["OriginAccessControlId"] for origin in self._listed("Origins")}
        return {str(one) for one in policies | controls if one}

    def _listed(self, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.__dict__[name].get("Items") or []
        return found


def _complete(given: dict[str, Any], usual: dict[str, Any]) -> None:
    for key, value in usual.items():
        given.setdefault(key, deepcopy(value))


class Policy:
    def __init__(self, config: dict[str, Any]) -> None:
        self.id = str(uuid4())
        self.change(config)

    def change(self, config: dict[str, Any]) -> None:
        self.config, self.etag = config, random_id()


class SandboxCloudFront(CloudFrontBackend):  # type: ignore[misc]
    @property
    def url_paths(self) -> dict[str, Any]:
        more = [f"{_ROOT}/{path}" for path in _PATHS.values()]
        more += [f"{path}/<policy_id>{end}" for path in more for end in ("", "/config")]
        return routes(url_paths, CloudFrontAnswers.dispatch, *more)

    def policies(self, kind: str) -> dict[str, Policy]:
        every: dict[str, dict[str, Policy]] = self.__dict__.setdefault("policies_of", {})
        return every.setdefault(kind, {})

    def create_policy(self, kind: str, config: dict[str, Any]) -> Policy:
        if config["Name"] in (one.config["Name"] for one in self.policies(kind).values()):
            raise CloudFrontException(f"{kind}AlreadyExists", f"The name {config['Name']} is taken.")
        policy = Policy(config)
        self.policies(kind)[policy.id] = policy
        return policy

    def policy(self, kind: str, known: str, if_match: str | None = None) -> Policy:
        """`if_match`: the version that is to be changed."""
        found = self.policies(kind).get(known)
        if found is None:
            raise CloudFrontException(f"NoSuch{kind}", f"The {kind} {known} does not exist.")
        if if_match not in (None, found.etag):
            raise CloudFrontException("PreconditionFailed", f"The {kind} {known} was changed meanwhile.")
        return found

    def delete_policy(self, kind: str, known: str, if_match: str) -> None:
        self.policy(kind, known, if_match)
        self._refuse_use(known, f"{kind}InUse")
        del self.policies(kind)[known]

    def create_distribution_with_tags(
        self, distribution_config: dict[str, Any], tags: list[dict[str, str]]
    ) -> tuple[Distribution, str, str]:
        kept = self._checked(distribution_config)
        made, location, etag = super().create_distribution_with_tags(distribution_config, tags)
        made.distribution_config = kept
        return made, location, etag

    def update_distribution(
        self, dist_config: dict[str, Any], _id: str, if_match: str
    ) -> tuple[Distribution, str, str]:
        kept = self._checked(dist_config)
        found, location, _ = super().update_distribution(dist_config, _id, if_match)
        found.distribution_config, found.etag = kept, random_id()
        return found, location, found.etag

    def delete_distribution(self, distribution_id: str, if_match: str) -> None:
        found, etag = self.get_distribution(distribution_id)
        if if_match != etag:
            raise InvalidIfMatchVersion
        if found.distribution_config.__dict__["Enabled"]:
            raise CloudFrontException("DistributionNotDisabled", "The distribution is not disabled.")
        super().delete_distribution(distribution_id, if_match)

    def delete_origin_access_control(self, control_id: str) -> None:
        self.get_origin_access_control(control_id)
        self._refuse_use(control_id, "OriginAccessControlInUse")
        super().delete_origin_access_control(control_id)

    def _checked(self, asked: dict[str, Any]) -> Kept:
        kept = Kept(asked)
        for behaviour in kept.behaviours:
            for kind, of_aws in _OF_AWS.items():
                known = behaviour.get(f"{kind}Id")
                if known and known not in of_aws:
                    self.policy(kind, known)
        return kept

    def _refuse_use(self, known: str, code: str) -> None:
        if any(known in one.distribution_config.named for one in self.distributions.values()):
            raise CloudFrontException(code, f"{known} is used by a distribution.")


class CloudFrontAnswers(CloudFrontResponse):  # type: ignore[misc]
    """moto has no policies."""

    def create_cache_policy(self) -> ActionResult:
        return self._created(_CACHE)

    def get_cache_policy(self) -> ActionResult:
        return self._read(_CACHE)

    def get_cache_policy_config(self) -> ActionResult:
        return self._config(_CACHE)

    def update_cache_policy(self) -> ActionResult:
        return self._updated(_CACHE)

    def delete_cache_policy(self) -> ActionResult:
        return self._deleted(_CACHE)

    def list_cache_policies(self) -> ActionResult:
        return self._listed(_CACHE)

    def create_response_headers_policy(self) -> ActionResult:
        return self._created(_HEADERS)

    def get_response_headers_policy(self) -> ActionResult:
        return self._read(_HEADERS)

    def get_response_headers_policy_config(self) -> ActionResult:
        return self._config(_HEADERS)

    def update_response_headers_policy(self) -> ActionResult:
        return self._updated(_HEADERS)

    def delete_response_headers_policy(self) -> ActionResult:
        return self._deleted(_HEADERS)

    def list_response_headers_policies(self) -> ActionResult:
        return self._listed(_HEADERS)

    def _created(self, kind: str) -> ActionResult:
        return self._told(kind, self.backend.create_policy(kind, self._get_param(f"{kind}Config")))

    def _read(self, kind: str) -> ActionResult:
        return self._told(kind, self.backend.policy(kind, self._get_param("Id")))

    def _config(self, kind: str) -> ActionResult:
        policy = self.backend.policy(kind, self._get_param("Id"))
        return ActionResult({f"{kind}Config": policy.config, "ETag": policy.etag})

    def _updated(self, kind: str) -> ActionResult:
        policy = self.backend.policy(kind, self._get_param("Id"), self._get_param("IfMatch"))
        policy.change(self._get_param(f"{kind}Config"))
        return self._told(kind, policy)

    def _deleted(self, kind: str) -> ActionResult:
        self.backend.delete_policy(kind, self._get_param("Id"), self._get_param("IfMatch") or "")
        return EmptyResult()

    def _listed(self, kind: str) -> ActionResult:
        found = [{"Type": "custom", kind: _shown(kind, one)} for one in self.backend.policies(kind).values()]
        return ActionResult({f"{kind}List": {"MaxItems": 100, "Quantity": len(found), "Items": found}})

    def _told(self, kind: str, policy: Policy) -> ActionResult:
        location = f"https://cloudfront.amazonaws.com{_ROOT}/{_PATHS[kind]}/{policy.id}"
        return ActionResult({kind: _shown(kind, policy), "ETag": policy.etag, "Location": location})


def _shown(kind: str, policy: Policy) -> dict[str, Any]:
    return {"Id": policy.id, f"{kind}Config": policy.config, "LastModifiedTime": "2021-11-27T10:34:26.802Z"}
