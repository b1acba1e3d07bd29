"""Every route × role × tenant: what the table says is what happens, and no route is without a row."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from api.app import ROUTERS
from api.permissions import OPEN, TABLE, asked
from controlplane.domain.operation import Kind
from controlplane.operations import offered
from controlplane.services.actor import PERMISSIONS, Action, Role
from tests.doors.premises import FREE, PATIENCE, Premises

ROUTES = sorted(asked(ROUTERS))
NOT_YET = {("POST", f"/v1/tenants/{{slug}}/{kind.value}") for kind in Kind} - set(ROUTES)
# Who sees some tenants only does nothing that concerns them all.
FLEET_WIDE = {Action.CHANGE_PLATFORM, Action.CHANGE_FLEET, Action.READ_AUDIT, Action.ADMINISTER}
BODIES = {
    "/v1/tenants": {"slug": "own-2"},
    "/v1/tenants/batch": {"items": [{"slug": "own-3"}]},
    "/v1/tokens": {"name": "made-here"},
    "/v1/users": {"name": "made-here"},
    "/v1/windows": {"name": "w", "effect": "allow", "cron": "0 2 * * *", "minutes": 60},
    "/v1/costs/budget": {"scope": "fleet", "monthly_usd": "100"},
    "/v1/tenants/{slug}/destroy": {"confirm": "own-1"},
}


def test_every_route_has_a_row_and_asks_for_what_its_row_says() -> None:
    found = asked(ROUTERS)
    assert found == {route: action for route, action in TABLE.items() if route not in NOT_YET}


def test_every_kind_of_change_is_offered_over_http() -> None:
    missing = {of.kind.value for of in offered()} - {path.rsplit("/", 1)[1] for _, path in ROUTES}
    assert missing <= {"create", "platform", "finalize", "rollback", "rollout"}


@pytest.fixture
def server(premises: Premises) -> Iterator[str]:
    premises.own = premises.tenant("own-1")  # type: ignore[attr-defined]
    premises.other = premises.tenant("other-1")  # type: ignore[attr-defined]
    with httpx.Client(timeout=PATIENCE) as anybody:
        premises.anybody = anybody  # type: ignore[attr-defined]
        yield premises.serve(FREE, doctor=lambda: {"items": [], "next_page_token": None, "good": True}).url


def call(url: str, token: str, method: str, path: str, premises: Premises, slug: str) -> httpx.Response:
    """The route with ids that are there: the tenant's own, and its operation's."""
    operation = premises.own if slug == "own-1" else premises.other  # type: ignore[attr-defined]
    with premises.control.db.engine.connect() as connection:
        uid = connection.exec_driver_sql("SELECT uid FROM tenant WHERE slug = ?", (slug,)).scalar()
    names = {
        "{slug}": slug,
        "{operation_id}": operation,
        "{name}": "fargate_db_per_tenant",
        "{workspace_id}": f"tenant-{uid}",
        "{token_id}": "tok-none",
        "{user_id}": "usr-none",
        "{window_id}": "win-none",
        "{serial}": "1",
    }
    target = path
    for name, value in names.items():
        target = target.replace(name, value)
    headers = {"Accept": "application/json", "If-Match": "*"}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    body = None if method in ("GET", "DELETE") else BODIES.get(path, {})
    query = "?dry_run=true" if method in ("POST", "PATCH", "DELETE") and "state" not in path else ""
    return premises.anybody.request(method, url + target + query, headers=headers, json=body)  # type: ignore[attr-defined]


@pytest.mark.parametrize("role", [r.value for r in Role])
def test_a_role_may_what_its_row_says(premises: Premises, server: str, role: str) -> None:
    token = premises.token(role)
    for method, path in ROUTES:
        action = TABLE[(method, path)]
        answer = call(server, token, method, path, premises, "own-1")
        allowed = action is OPEN or action in PERMISSIONS[Role(role)]
        assert (answer.status_code == 403) == (not allowed), (method, path, answer.text)
        assert answer.status_code not in (401, 500), (method, path, answer.text)


def test_nobody_comes_in_without_a_token(premises: Premises, server: str) -> None:
    for method, path in ROUTES:
        answer = call(server, "", method, path, premises, "own-1")
        assert (answer.status_code == 401) == (TABLE[(method, path)] is not OPEN), (method, path)


@pytest.mark.parametrize("role", [r.value for r in Role])
def test_another_tenant_is_as_if_it_were_not_there(premises: Premises, server: str, role: str) -> None:
    token = premises.token(role, "own-*")
    for method, path in ROUTES:
        action = TABLE[(method, path)]
        if action is OPEN or not {"{slug}", "{operation_id}", "{workspace_id}"} & set(path.split("/")):
            continue
        answer = call(server, token, method, path, premises, "other-1")
        assert answer.status_code in (403, 404), (method, path, answer.text)
        assert "other-1" not in answer.text.replace(
            f"/v1/tenants/other-1{path.partition('}')[2]}", ""
        ).replace("'other-1'", ""), (method, path, answer.text)


@pytest.mark.parametrize("role", [r.value for r in Role])
def test_a_scope_reaches_its_own_tenants_only(premises: Premises, server: str, role: str) -> None:
    token = premises.token(role, "own-*")
    for method, path in ROUTES:
        action = TABLE[(method, path)]
        answer = call(server, token, method, path, premises, "own-1")
        denied = action is not OPEN and (action not in PERMISSIONS[Role(role)] or action in FLEET_WIDE)
        assert (answer.status_code == 403) == denied, (method, path, answer.text)


def test_lists_hold_what_the_token_sees(premises: Premises, server: str) -> None:
    token = premises.token("viewer", "own-*")
    headers = {"Authorization": f"Bearer {token}"}
    tenants = httpx.get(f"{server}/v1/tenants", headers=headers, timeout=PATIENCE).json()["items"]
    operations = httpx.get(f"{server}/v1/operations", headers=headers, timeout=PATIENCE).json()["items"]
    assert [t["slug"] for t in tenants] == ["own-1"]
    assert [o["tenant"] for o in operations] == ["own-1"]


def test_who_sees_some_may_not_create_others(premises: Premises, server: str) -> None:
    headers = {"Authorization": f"Bearer {premises.token('operator', 'own-*')}"}
    answer = httpx.post(f"{server}/v1/tenants", headers=headers, json={"slug": "other-2"}, timeout=PATIENCE)
    assert answer.status_code == 404
    rows = {"items": [{"slug": "own-5"}, {"slug": "other-5"}]}
    many = httpx.post(f"{server}/v1/tenants/batch", headers=headers, json=rows, timeout=PATIENCE).json()
    assert [item["accepted"] for item in many["items"]] == [True, False]
