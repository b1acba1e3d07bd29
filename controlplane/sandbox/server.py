"""The sandbox's process: moto's WSGI application with what surrounds it.

Every call is recorded, may meet a fault, is answered by moto one at a time, and is kept on disk before the
answer goes out. Addresses below /_sandbox/ are the sandbox's own.
"""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from moto.backend_index import backend_url_patterns
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.sts.models import sts_backends

from controlplane.domain.errors import ControlPlaneError
from controlplane.sandbox.calls import Call, Record, read_call
from controlplane.sandbox.faults import Faults, Kind, Rule
from controlplane.sandbox.state import StateStore

log = logging.getLogger("sandbox")
Headers = list[tuple[str, str]]
StartResponse = Callable[..., Any]
_REMEMBERED = 500  # answers that a stale read can give again
_OWN = "/_sandbox/"


@dataclass(frozen=True)
class Answer:
    status: str
    headers: Headers
    body: bytes

    def send(self, start_response: StartResponse) -> list[bytes]:
        start_response(self.status, self.headers)
        return [self.body]


Control = Callable[[str, dict[str, Any]], Any]


class SandboxApp:
    def __init__(
        self, lock: threading.RLock, state: StateStore, record: Record, faults: Faults, control: Control
    ) -> None:
        self.moto = DomainDispatcherApplication(create_backend_app)
        self.lock = lock
        self.state = state
        self.record = record
        self.faults = faults
        self.control = control
        self.changed_at = 0.0  # of the last change that not every service has been written after
        self._earlier: OrderedDict[str, Answer] = OrderedDict()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path = str(environ.get("PATH_INFO", ""))
        if path.startswith(_OWN):
            return self._own(path.removeprefix(_OWN), environ).send(start_response)
        if path == "/moto-api/reset":
            return error(None, "400 Bad Request", "Refused", "use `sandbox reset`").send(start_response)
        call = read_call(environ)
        if call is None:
            return self._ask_moto(environ, None).send(start_response)
        self.record.add(call, _who(call.access_key))
        rule = self.faults.match(call, answered=_key(call) in self._earlier)
        return self._answer(environ, call, rule).send(start_response)

    def _answer(self, environ: dict[str, Any], call: Call, rule: Rule | None) -> Answer:
        if rule is None:
            return self._ask_moto(environ, call)
        log.warning("injecting %s into %s:%s", rule.fault, call.service, call.action)
        if rule.fault is Kind.THROTTLE:
            return error(call, "400 Bad Request", "Throttling", "Rate exceeded")
        if rule.fault is Kind.ERROR:
            return error(call, "500 Internal Server Error", "InternalFailure", rule.message)
        if rule.fault is Kind.REFUSE:
            return error(call, f"{rule.status} Refused", rule.code, rule.message)
        if rule.fault is Kind.STALE:
            return self._earlier.get(_key(call)) or self._ask_moto(environ, call)
        if rule.fault is not Kind.TIMEOUT_BEFORE_EFFECT:
            answer = self._ask_moto(environ, call)
        time.sleep(rule.seconds)
        if rule.fault is Kind.SLOW:
            return answer
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)  # else it is kept open for a next request
        raise ConnectionAbortedError("the sandbox ends this connection without an answer")

    def _ask_moto(self, environ: dict[str, Any], call: Call | None) -> Answer:
        """One at a time: moto's objects know no threads, and a file must show one moment."""
        with self.lock:
            answer = self._run_moto(environ, call)
            if call is None or not call.reads:
                self.changed_at = time.monotonic()
                self.state.save([_service(call)] if call else None)
            elif len(answer.body) < 2**18:
                self._earlier[_key(call)] = answer
                self._earlier.move_to_end(_key(call))
                if len(self._earlier) > _REMEMBERED:
                    self._earlier.popitem(last=False)
        return answer

    def _run_moto(self, environ: dict[str, Any], call: Call | None) -> Answer:
        kept: list[Any] = []

        def start(status: str, headers: Headers, *_: Any) -> None:
            kept[:] = [status, headers]

        try:
            body = b"".join(self.moto(environ, start))
        except NotImplementedError as missing:
            # moto would answer 500, which the Terraform provider tries 25 times: it seems to hang.
            return error(call, "400 Bad Request", "InvalidAction", f"The sandbox does not know it: {missing}")
        except Exception as broken:
            if call and not _is_known(call):
                return error(
                    call, "400 Bad Request", "InvalidAction", f"The sandbox has no service {call.service}"
                )
            # The outermost place: an error inside moto, which would be a 500 too.
            log.exception("moto failed at %s", f"{call.service}:{call.action}" if call else "a call")
            return error(call, "400 Bad Request", "SandboxFailure", f"{type(broken).__name__}: {broken}")
        return Answer(kept[0], kept[1], body)

    def _own(self, name: str, environ: dict[str, Any]) -> Answer:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        try:
            content = json.loads(environ["wsgi.input"].read(length) or b"{}")
            found = self.control(name, content)
        except ControlPlaneError as refused:
            return _json("400 Bad Request", refused.problem())
        except (ValueError, KeyError) as wrong:
            return _json("400 Bad Request", {"detail": str(wrong)})
        return _json("200 OK", found) if found is not None else _json("404 Not Found", {"detail": name})


def error(call: Call | None, status: str, code: str, message: str) -> Answer:
    """An error as the call's protocol writes it."""
    if call is None or call.json:
        body = json.dumps({"__type": code, "message": message, "Message": message}).encode()
        headers = [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-ErrorType", code)]
        return Answer(status, headers, body)
    inner = f"<Code>{code}</Code><Message>{escape(message)}</Message>"
    request = "<RequestId>00000000-0000-0000-0000-000000000000</RequestId>"
    if call.service == "ec2":
        text = f"<Response><Errors><Error>{inner}</Error></Errors>{request}</Response>"
    elif call.service == "s3":
        text = f"<Error>{inner}{request}</Error>"
    else:
        text = f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error>{request}</ErrorResponse>"
    return Answer(status, [("Content-Type", "text/xml")], text.encode())


def _json(status: str, content: Any) -> Answer:
    return Answer(status, [("Content-Type", "application/json")], json.dumps(content, default=str).encode())


def _key(call: Call) -> str:
    return json.dumps([call.service, call.region, call.action, call.path, call.parameters], sort_keys=True)


_MODULES = {
    "monitoring": "cloudwatch",
    "email": "ses",
    "elasticloadbalancing": "elbv2",
    "lambda": "awslambda",
    "states": "stepfunctions",
    "cognito-idp": "cognitoidp",
    "cognito-identity": "cognitoidentity",
    "application-autoscaling": "applicationautoscaling",
    "tagging": "resourcegroupstaggingapi",
    "apigateway": "apigatewayv2",
}


def _service(call: Call) -> str:
    """moto's module for the service; what is not found here is written a second later with all others."""
    return _MODULES.get(call.service, call.service)


def _is_known(call: Call) -> bool:
    host = f"http://{call.service}.{call.region}.amazonaws.com"
    return any(pattern.match(host) for _, pattern in backend_url_patterns)


def _who(access_key: str) -> str:
    """The session name of an assumed role, else the access key."""
    for _, _, backend in sts_backends.iter_backends():
        role = backend.get_assumed_role_from_access_key(access_key)
        if role is not None:
            return f"{role.role_arn.rpartition('/')[2]}/{role.session_name}"
    return access_key
