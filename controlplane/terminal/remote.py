"""The control plane behind a URL: the same answers as in process, problems turned back into our errors."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import httpx

from controlplane.domain import errors
from controlplane.domain.errors import ControlPlaneError, FieldError, Invalid, Unavailable
from controlplane.domain.tenant import Environment
from controlplane.terminal.client import Answer, Manner, Query, given

_SECONDS = 60.0
_BY_STATUS: Mapping[int, type[ControlPlaneError]] = {
    400: errors.Invalid,
    401: errors.Unauthenticated,
    403: errors.Denied,
    404: errors.Missing,
    409: errors.Conflict,
    412: errors.Stale,
    413: errors.Invalid,
    415: errors.Invalid,
    422: errors.Invalid,
    423: errors.Locked,
    428: errors.Stale,
    429: errors.Throttled,
    503: errors.Unavailable,
}


class RemoteClient:
    """The token travels in a header only; it stands in no error and no repr."""

    def __init__(self, server: str, token: str, pause_seconds: float) -> None:
        if not server.startswith(("http://", "https://")):
            raise Invalid(f"{server!r} is no server URL", hint="--server https://HOST[:PORT]")
        self.place = server.rstrip("/")
        self._pause_seconds = pause_seconds
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        self._http = httpx.Client(base_url=self.place, headers=headers, timeout=_SECONDS)

    # --- tenants

    def tenants(self, query: Query) -> Answer:
        return self._get("/v1/tenants", query)

    def tenant(self, slug: str) -> Answer:
        return self._get(f"/v1/tenants/{_part(slug)}")

    def explain(self, slug: str) -> Answer:
        return self._get(f"/v1/tenants/{_part(slug)}/explain")

    def workspace(self, slug: str) -> Answer:
        return self._get(f"/v1/tenants/{_part(slug)}/workspace")

    def history(self, slug: str, query: Query) -> Answer:
        return self._get(f"/v1/tenants/{_part(slug)}/history", query)

    def create(self, body: Query, manner: Manner) -> Answer:
        return self._send("POST", "/v1/tenants", body, manner)

    def create_batch(self, rows: Sequence[Query], manner: Manner) -> Answer:
        return self._send("POST", "/v1/tenants/batch", {"items": list(rows)}, manner)

    def change(self, kind: str, slug: str, body: Query, manner: Manner) -> Answer:
        return self._send("POST", f"/v1/tenants/{_part(slug)}/{kind}", body, manner)

    # --- operations

    def operations(self, query: Query) -> Answer:
        return self._get("/v1/operations", query)

    def operation(self, operation_id: str) -> Answer:
        return self._get(f"/v1/operations/{_part(operation_id)}")

    def plan(self, operation_id: str) -> Answer:
        return self._get(f"/v1/operations/{_part(operation_id)}/plan")

    def events(self, operation_id: str, after: int) -> Answer:
        return self._get(f"/v1/operations/{_part(operation_id)}/events", {"after": after})

    def log(self, operation_id: str, after: str) -> Answer:
        return self._get(f"/v1/operations/{_part(operation_id)}/log", {"after": after})

    def steer(self, verb: str, operation_id: str, body: Query, manner: Manner) -> Answer:
        return self._send("POST", f"/v1/operations/{_part(operation_id)}/{verb}", body, manner)

    # --- platforms

    def blueprints(self) -> Answer:
        return self._get("/v1/blueprints")

    def blueprint(self, name: str) -> Answer:
        return self._get(f"/v1/blueprints/{_part(name)}")

    def checklist(self, name: str, environment: Environment) -> Answer:
        return self._get(f"/v1/blueprints/{_part(name)}/checklist", {"environment": environment.value})

    def change_platform(self, verb: str, name: str, body: Query, manner: Manner) -> Answer:
        return self._send("POST", f"/v1/blueprints/{_part(name)}/{verb}", body, manner)

    # --- waves

    def waves(self) -> Answer:
        return self._get("/v1/waves")

    def wave(self, wave_id: str) -> Answer:
        return self._get(f"/v1/waves/{_part(wave_id)}")

    def start_wave(self, body: Query, manner: Manner) -> Answer:
        return self._send("POST", "/v1/waves", body, manner)

    def steer_wave(self, verb: str, wave_id: str, manner: Manner) -> Answer:
        return self._send("POST", f"/v1/waves/{_part(wave_id)}/{verb}", None, manner)

    # --- migrations

    def migration(self, slug: str) -> Answer:
        return self._get(f"/v1/tenants/{_part(slug)}/migration")

    def steer_migration(self, verb: str, slug: str, body: Query, manner: Manner) -> Answer:
        return self._send("POST", f"/v1/tenants/{_part(slug)}/migration/{_part(verb)}", body, manner)

    # --- reviews

    def reviews(self, query: Query) -> Answer:
        return self._get("/v1/reviews", query)

    def review(self, review_id: str) -> Answer:
        return self._get(f"/v1/reviews/{_part(review_id)}")

    def open_review(self, body: Query, manner: Manner) -> Answer:
        return self._send("POST", "/v1/reviews", body, manner)

    def steer_review(self, verb: str, review_id: str, manner: Manner) -> Answer:
        return self._send("POST", f"/v1/reviews/{_part(review_id)}/{verb}", None, manner)

    def sync_reviews(self, manner: Manner) -> Answer:
        return self._send("POST", "/v1/reviews/sync", None, manner)

    # --- states

    def states(self, workspace: str) -> Answer:
        return self._get(f"/v1/workspaces/{_part(workspace)}/state/versions")

    def state(self, workspace: str, serial: int | None) -> Answer:
        return self._get(f"/v1/workspaces/{_part(workspace)}/state", {"serial": serial})

    def restore_state(self, workspace: str, serial: int, manner: Manner) -> Answer:
        path = f"/v1/workspaces/{_part(workspace)}/state/versions/{serial}/restore"
        return self._send("POST", path, None, manner)

    # --- audit, access, windows

    def audit(self, query: Query) -> Answer:
        return self._get("/v1/audit", query)

    def verify_audit(self, head: str) -> Answer:
        return self._get("/v1/audit/verification", {"head": head})

    def export_audit(self) -> Iterator[str]:
        try:
            with self._http.stream("GET", "/v1/audit/export") as response:
                if response.status_code >= 400:
                    response.read()
                    raise _error(response)
                yield from (line for line in response.iter_lines() if line)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    def tokens(self) -> Answer:
        return self._get("/v1/tokens")

    def create_token(self, body: Query, manner: Manner) -> Answer:
        return self._send("POST", "/v1/tokens", body, manner)

    def revoke_token(self, token_id: str, manner: Manner) -> Answer:
        return self._send("DELETE", f"/v1/tokens/{_part(token_id)}", None, manner)

    def users(self) -> Answer:
        return self._get("/v1/users")

    def add_user(self, body: Query, manner: Manner) -> Answer:
        return self._send("POST", "/v1/users", body, manner)

    def remove_user(self, user_id: str, manner: Manner) -> Answer:
        return self._send("DELETE", f"/v1/users/{_part(user_id)}", None, manner)

    def windows(self) -> Answer:
        return self._get("/v1/windows")

    def add_window(self, body: Query, manner: Manner) -> Answer:
        return self._send("POST", "/v1/windows", body, manner)

    def remove_window(self, window_id: str, manner: Manner) -> Answer:
        return self._send("DELETE", f"/v1/windows/{_part(window_id)}", None, manner)

    def webhooks(self) -> Answer:
        return self._get("/v1/webhooks")

    def add_webhook(self, body: Query, manner: Manner) -> Answer:
        return self._send("POST", "/v1/webhooks", body, manner)

    def remove_webhook(self, webhook_id: str, manner: Manner) -> Answer:
        return self._send("DELETE", f"/v1/webhooks/{_part(webhook_id)}", None, manner)

    def replay_webhook(self, webhook_id: str, body: Query, manner: Manner) -> Answer:
        return self._send("POST", f"/v1/webhooks/{_part(webhook_id)}/replay", body, manner)

    # --- the fleet's care

    def care(self, path: str, query: Query) -> Answer:
        return self._get(f"/v1/{_path(path)}", query)

    def send_care(self, path: str, body: Query, manner: Manner) -> Answer:
        parts = path.split("/")
        changes = parts[0] == "schedules" and len(parts) == 2
        return self._send("PATCH" if changes else "POST", f"/v1/{_path(path)}", body or None, manner)

    # --- cost

    def costs(self, what: str, query: Query) -> Answer:
        return self._get(f"/v1/costs/{what}", query)

    def tenant_cost(self, slug: str, query: Query) -> Answer:
        return self._get(f"/v1/tenants/{_part(slug)}/cost", query)

    def send_costs(self, what: str, body: Query | None, manner: Manner) -> Answer:
        return self._send("POST", f"/v1/costs/{what}", body, manner)

    # --- the installation

    def doctor(self) -> Answer:
        return self._get("/v1/doctor")

    def version(self) -> Answer:
        return self._get("/version")

    def ensure_worker(self) -> str:
        return ""  # the server's own business

    def pause(self, most_seconds: float = 10.0) -> None:
        time.sleep(min(self._pause_seconds, most_seconds))

    def close(self) -> None:
        self._http.close()

    # --- the wire

    def _get(self, path: str, query: Query | None = None) -> Answer:
        return self._answer("GET", path, params=given(query or {}))

    def _send(self, method: str, path: str, body: Query | None, manner: Manner) -> Answer:
        headers = {}
        if manner.idempotency_key:
            headers["Idempotency-Key"] = manner.idempotency_key
        if manner.if_match is not None:
            headers["If-Match"] = f'"{manner.if_match}"'
        if manner.request_id:
            headers["X-Request-ID"] = manner.request_id
        params: dict[str, str] = {}
        if manner.reason:
            params["reason"] = manner.reason
        params |= {name: "true" for name in ("auto_approve", "dry_run") if getattr(manner, name)}
        return self._answer(
            method, path, params=params, headers=headers, json=None if body is None else dict(body)
        )

    def _answer(self, method: str, path: str, **request: Any) -> Answer:
        try:
            response = self._http.request(method, path, **request)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error
        if response.status_code >= 400:
            raise _error(response)
        if response.status_code == 204:
            return {}
        try:
            answer = response.json()
        except ValueError as error:
            raise Unavailable(f"{self.place} answers no JSON at {path}: is it a control plane?") from error
        return dict(answer)

    def _unreachable(self, error: httpx.HTTPError) -> Unavailable:
        message = f"asking {self.place}: {type(error).__name__}: {error}"
        return Unavailable(
            message, hint="is the server running (`controlplane serve`), and is the URL right?"
        )


def _path(text: str) -> str:
    return "/".join(_part(part) for part in text.split("/"))


def _part(text: str) -> str:
    """One path segment, whatever is in it."""
    return quote(text, safe="") or "-"


def _error(response: httpx.Response) -> ControlPlaneError:
    try:
        problem = response.json()
    except ValueError:
        problem = {}
    if not isinstance(problem, dict):
        problem = {}
    kind = _BY_STATUS.get(
        response.status_code, errors.Unavailable if response.status_code >= 500 else Invalid
    )
    if problem.get("code") in ("refused", "policy_refused", "unknown_value"):
        kind = errors.PolicyRefused if problem["code"] == "policy_refused" else errors.Refused
    return kind(
        str(problem.get("detail") or f"the server answers {response.status_code}"),
        hint=str(problem.get("hint", "")),
        errors=[FieldError(str(e.get("field")), str(e.get("message"))) for e in problem.get("errors", [])],
        details=problem.get("details") or {},
    )
