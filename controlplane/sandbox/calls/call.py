"""AWS calls as the sandbox sees them: which service, which action, who asks; and the record of them."""

from __future__ import annotations

import io
import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from moto.core.request import Request
from moto.core.routing import get_service_router

from controlplane.sandbox.calls.iam_names import iam_action

_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d{8}/([a-z0-9-]+)/([^/]+)/aws4_request")
_READING = re.compile(r"^(Describe|Get|List|Head|BatchGet|Filter|Search|Lookup|Simulate|Estimate)")
_BODY_LIMIT = 4 * 2**20  # a larger body is an upload, not parameters
_BOTO_NAMES = {
    "monitoring": "cloudwatch",
    "tagging": "resourcegroupstaggingapi",
    "servicequotas": "service-quotas",
    "elasticloadbalancing": "elbv2",
    "states": "stepfunctions",
    "email": "ses",
    "execute-api": "apigatewaymanagementapi",
}


@dataclass
class Call:
    """One request: sigv4 names the service, the protocol the action."""

    service: str
    action: str
    region: str
    access_key: str
    json: bool  # how errors are written
    parameters: dict[str, Any] = field(default_factory=dict)
    path: str = "/"
    method: str = "POST"

    @property
    def reads(self) -> bool:
        return bool(_READING.match(self.action))

    @property
    def iam_action(self) -> str:
        return iam_action(self.service, self.action, self.method)

    def names(self) -> list[str]:
        """Every text in the request that may be the name of something."""
        return self._names

    @cached_property
    def _names(self) -> list[str]:
        return [*_texts(self.parameters), *(part for part in self.path.split("/") if part)]


def read_call(environ: dict[str, Any]) -> Call | None:
    """The call in a WSGI request; None for one that is not signed. The body can be read again."""
    signed = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    if not signed:
        return None
    access_key, region, service = signed.groups()
    body = _body(environ)
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    content_type = environ.get("CONTENT_TYPE", "")
    parameters: dict[str, Any] = {}
    asked = ""
    if content_type.startswith("application/x-www-form-urlencoded"):
        parameters = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
        asked = parameters.get("Action", "")  # in JSON that word is something else: what a permission is for
    elif "json" in content_type:
        parameters = _json(body)
    action = str(target.split(".")[-1] or asked or _routed(service, environ))
    xml = bool(asked) or service in ("s3", "route53", "cloudfront")
    path = unquote(environ.get("PATH_INFO", "/"))
    method = str(environ.get("REQUEST_METHOD", "GET"))
    return Call(service.lower(), action, region, access_key, not xml, parameters, path, method)


def _body(environ: dict[str, Any]) -> bytes:
    length = environ.get("CONTENT_LENGTH", "")
    if not length.isdigit() or int(length) > _BODY_LIMIT:
        return b""
    body: bytes = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _routed(service: str, environ: dict[str, Any]) -> str:
    """REST services say by method and path what is wanted."""
    name = _BOTO_NAMES.get(service, service)
    if service == "apigateway" and str(environ.get("PATH_INFO", "")).startswith("/v2/"):
        name = "apigatewayv2"  # one signature for both
    try:
        operation, _ = get_service_router(name).match(Request(dict(environ)))
    except Exception:  # noqa: BLE001 - routers of 190 services, each with errors of its own
        return f"{environ.get('REQUEST_METHOD', 'GET')} {environ.get('PATH_INFO', '/')}"
    return str(operation.name)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


class Record:
    """How often each action was called, by whom: {who: {"rds:CreateDBInstance": 3}}."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._counts: dict[str, Counter[str]] = {}
        self._saved = 0
        self._total = 0
        if path.exists():
            self._counts = {who: Counter(counts) for who, counts in json.loads(path.read_text()).items()}

    def add(self, call: Call, who: str) -> None:
        with self._lock:
            self._counts.setdefault(who, Counter())[call.iam_action] += 1
            self._total += 1

    def counts(self) -> dict[str, dict[str, int]]:
        with self._lock:
            return {who: dict(sorted(counts.items())) for who, counts in sorted(self._counts.items())}

    def clear(self) -> dict[str, dict[str, int]]:
        """Start counting anew; what was counted."""
        counted = self.counts()
        with self._lock:
            self._counts = {}
            self._total += 1
        return counted

    def save(self) -> None:
        """Write the file when something was added since."""
        if self._total == self._saved:
            return
        self._saved = self._total
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(self.counts(), indent=1) + "\n")
        fresh.replace(self.path)
