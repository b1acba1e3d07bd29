"""boto3 clients: one session a role, assumed by STS, with bounded retries and time-outs."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)

from controlplane.adapters.aws.errors import calling
from controlplane.adapters.aws.tally import TALLY

_MOST_ACTING = 32  # operations whose sessions are kept


class Role(StrEnum):
    PLAN = "plan"  # reads
    APPLY = "apply"  # Terraform's changes
    DATA = "data"  # secrets, parameters, databases, snapshots


@dataclass(frozen=True)
class AwsAccount:
    """Where and as whom we work. An empty role ARN means this process's own credentials."""

    region: str
    endpoint_url: str | None = None  # the sandbox's; None: AWS
    roles: Mapping[Role, str] = field(default_factory=dict)
    external_id: str = ""
    session_name: str = "controlplane"
    access_key: str = field(default="", repr=False)  # the sandbox's; empty: the usual chain
    secret_key: str = field(default="", repr=False)
    attempts: int = 6  # the first call and five retries, with growing pauses
    connect_timeout: float = 5
    read_timeout: float = 30


class _Assumed(CredentialProvider):
    """The one credential provider of a role's session; it renews itself before it expires."""

    METHOD = CANONICAL_NAME = "controlplane-role"

    def __init__(self, fetcher: AssumeRoleCredentialFetcher) -> None:
        super().__init__()
        self._fetcher = fetcher

    def load(self) -> DeferredRefreshableCredentials:
        return DeferredRefreshableCredentials(self._fetcher.fetch_credentials, self.METHOD)


class Clients:
    """Makes and keeps one client per role and service. Clients are shared between threads, sessions not."""

    def __init__(self, account: AwsAccount) -> None:
        self.account = account
        self._lock = threading.RLock()
        self._sessions: dict[str, boto3.Session] = {}
        self._clients: dict[tuple[str, str], Any] = {}
        self._acting: dict[str, Clients] = {}

    def acting_for(self, operation: str) -> Clients:
        """Clients whose sessions carry the operation's id, as CloudTrail shows it. Our own credentials
        have no session that could be named: then these are they."""
        if not self.account.roles:
            return self
        name = re.sub(r"[^\w+=,.@-]", "-", operation)[:64] or self.account.session_name
        with self._lock:
            found = self._acting.pop(name, None) or Clients(replace(self.account, session_name=name))
            self._acting[name] = found  # the newest stand last
            for oldest in list(self._acting)[:-_MOST_ACTING]:
                del self._acting[oldest]
        return found

    def get(self, service: str, role: Role = Role.DATA) -> Any:
        arn = self.account.roles.get(role, "")
        with self._lock:
            if (arn, service) not in self._clients:
                session = self._session(arn)
                self._clients[arn, service] = session.client(
                    service,  # type: ignore[call-overload]  # its overloads list literal names
                    endpoint_url=self.account.endpoint_url,
                    config=self.config(),
                )
                TALLY.listen(self._clients[arn, service])
            return self._clients[arn, service]

    def environment(self, role: Role) -> dict[str, str]:
        """The role's credentials as AWS_* variables, for a Terraform child; kept nowhere."""
        with self._lock, calling(f"assuming the {role} role", "sts"):
            found = self._session(self.account.roles.get(role, "")).get_credentials()
            frozen = found.get_frozen_credentials() if found else None
        if frozen is None:
            return {}
        values = {
            "AWS_ACCESS_KEY_ID": frozen.access_key,
            "AWS_SECRET_ACCESS_KEY": frozen.secret_key,
            "AWS_SESSION_TOKEN": frozen.token,
        }
        return {name: value for name, value in values.items() if value}

    def config(self) -> Config:
        # As a mapping: the published types of Config lag behind its options.
        options: dict[str, Any] = {
            "region_name": self.account.region,
            "retries": {"mode": "standard", "total_max_attempts": self.account.attempts},
            "connect_timeout": self.account.connect_timeout,
            "read_timeout": self.account.read_timeout,
            "max_pool_connections": 25,
            "user_agent_appid": "controlplane",
            "ignore_configured_endpoint_urls": True,  # an emulator's URL left in the environment
        }
        return Config(**options)

    def _session(self, arn: str) -> boto3.Session:
        if arn not in self._sessions:
            self._sessions[arn] = self._assumed(arn) if arn else self._own()
        return self._sessions[arn]

    def _own(self) -> boto3.Session:
        account = self.account
        return boto3.Session(
            aws_access_key_id=account.access_key or None,
            aws_secret_access_key=account.secret_key or None,
            region_name=account.region,
        )

    def _assumed(self, arn: str) -> boto3.Session:
        source = self._session("")
        extra = {"RoleSessionName": self.account.session_name}
        if self.account.external_id:
            extra["ExternalId"] = self.account.external_id

        def sts(service: str, **credentials: Any) -> Any:
            # Made from the same session, so that its endpoint, region and retries hold here too.
            return boto3.Session(
                aws_access_key_id=credentials["aws_access_key_id"],
                aws_secret_access_key=credentials["aws_secret_access_key"],
                aws_session_token=credentials["aws_session_token"],
                region_name=self.account.region,
            ).client(
                service,  # type: ignore[call-overload]
                endpoint_url=self.account.endpoint_url,
                config=self.config(),
            )

        fetcher = AssumeRoleCredentialFetcher(
            client_creator=sts,
            source_credentials=source.get_credentials(),
            role_arn=arn,
            extra_args=extra,
        )
        inner = botocore.session.get_session()
        inner.register_component("credential_provider", CredentialResolver([_Assumed(fetcher)]))
        return boto3.Session(botocore_session=inner, region_name=self.account.region)
