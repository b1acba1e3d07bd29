"""The console as a person without JavaScript meets it."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest

from api.console.app import ROUTERS
from api.console.sessions import SECONDS, Sessions
from api.permissions import OPEN, PAGES, asked
from controlplane.domain.operation import Status
from controlplane.services import access
from controlplane.services.actor import PERMISSIONS, Role
from tests.doors.console.conftest import Browser
from tests.doors.premises import ADMIN, ASK, Premises

Visit = Callable[..., Browser]
ELSEWHERE = ["https://evil.example.com/", "//evil.example.com", "/console//evil", "/v1/x"]


def test_who_is_not_signed_in_is_shown_the_way_in_and_led_back(premises: Premises, visit: Visit) -> None:
    premises.tenant("acme")
    browser = visit()
    answer = browser.http.get("/console/tenants/acme")
    assert "API token" in answer.text
    assert answer.url.params["next"] == "/console/tenants/acme"
    back = browser.sign_in(premises.token(), next="/console/tenants/acme")
    assert (back.status_code, back.url.path) == (200, "/console/tenants/acme")


@pytest.mark.parametrize("place", ELSEWHERE)
def test_the_way_in_leads_nowhere_else(premises: Premises, visit: Visit, place: str) -> None:
    assert visit().sign_in(premises.token(), next=place).url.path == "/console/tenants"


def test_a_cookie_is_for_the_console_alone_and_holds_no_token(premises: Premises, visit: Visit) -> None:
    token = premises.token()
    browser = visit()
    answer = browser.http.post("/console/login", data={"token": token}, follow_redirects=False)
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/console"} <= {part.strip() for part in cookie.split(";")}
    assert token not in cookie
    assert browser.http.get("/v1/tenants").status_code == 401


def test_a_wrong_token_stays_outside(visit: Visit) -> None:
    browser = visit()
    answer = browser.sign_in("cp_nothing")
    assert answer.status_code == 401
    assert 'role="alert"' in answer.text
    assert not browser.http.cookies


def test_a_revoked_token_ends_its_session(premises: Premises, visit: Visit) -> None:
    browser = visit("operator")
    tokens = access.tokens(premises.control, ADMIN)["items"]
    [mine] = [t["id"] for t in tokens if t["name"] == "operator-at-console"]
    bearer = {"Authorization": f"Bearer {premises.token(name='revokes')}"}
    assert browser.http.delete(f"/v1/tokens/{mine}", headers=bearer).status_code == 200
    assert "API token" in browser.http.get("/console/tenants").text


def test_signing_out_ends_it(visit: Visit) -> None:
    browser = visit("viewer")
    cookie = dict(browser.http.cookies)
    browser.send("/logout")
    assert (
        "API token"
        in httpx.get(f"{browser.http.base_url}/console/tenants", cookies=cookie, follow_redirects=True).text
    )


def test_a_session_ends_by_itself() -> None:
    now = [0.0]
    sessions = Sessions(lambda: now[0])
    identifier = sessions.begin("token")
    now[0] = SECONDS - 1
    assert sessions.find(identifier) is not None
    now[0] = SECONDS
    assert sessions.find(identifier) is None


def test_every_page_says_what_a_browser_may_do(visit: Visit) -> None:
    answer = visit("viewer").http.get("/console/tenants")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert "<script" not in answer.text
    assert 'style="' not in answer.text


def test_the_fleet_is_filtered_and_paged(premises: Premises, visit: Visit) -> None:
    for number in range(3):
        premises.tenant(f"team-{number}", labels={"team": "a"})
    premises.tenant("other")
    browser = visit("viewer")
    assert "other" not in browser.see("/tenants?q=team-&stage=&size=&phase=&label=&sort=slug")
    first = browser.see("/tenants?label=team%3Da&page_size=2")
    assert "team-1" in first
    assert "team-2" not in first
    link = re.search(r'href="/console(/tenants\?[^"]+)" rel="next"', first)
    assert link is not None
    assert "team-2" in browser.see(link[1].replace("&amp;", "&"))


def test_a_tenant_s_page_says_what_comes_next(premises: Premises, visit: Visit) -> None:
    premises.finish(premises.tenant("acme"))
    text = visit("viewer").see("/tenants/acme")
    for words in ("What comes next", "Who may act", "observed generation", "a month"):
        assert words in text
    assert "<button" not in text.replace("<button>Sign out", "")  # who may not change is offered nothing


def test_what_a_person_wrote_is_text_and_never_markup(premises: Premises, visit: Visit) -> None:
    premises.tenant("acme", display_name="<img src=x>")
    assert "&lt;img src=x&gt;" in visit("viewer").see("/tenants/acme")


def test_a_plan_is_seen_and_approved_by_another_person(premises: Premises, visit: Visit) -> None:
    operation = premises.tenant("acme")
    meaning = premises.await_approval(operation, requested_by="token:somebody")
    browser = visit("operator")
    text = browser.see(f"/operations/{operation}")
    assert meaning[:12] in text
    assert "aws_db_instance.this" in text
    assert 'http-equiv="refresh"' not in text  # it waits for a person: nothing moves under their hands
    answer = browser.send(f"/operations/{operation}/approve", digest=meaning, reason="looks right")
    assert (answer.status_code, answer.url.path) == (200, f"/console/operations/{operation}")
    assert "approved by token:operator-at-console" in answer.text


def test_another_plan_than_the_one_that_was_seen_is_not_approved(premises: Premises, visit: Visit) -> None:
    operation = premises.tenant("acme")
    premises.await_approval(operation, requested_by="token:somebody")
    answer = visit("operator").send(f"/operations/{operation}/approve", digest="ff" * 32)
    assert answer.status_code == 412
    assert "controlplane operation plan" in answer.text


def test_a_form_from_elsewhere_changes_nothing(premises: Premises, visit: Visit) -> None:
    operation = premises.tenant("acme")
    browser = visit("operator")
    path = f"/console/operations/{operation}/cancel"
    assert browser.http.post(path, data={"form_key": "guessed"}).status_code == 403
    assert browser.http.post(path).status_code == 403
    headers = {"Sec-Fetch-Site": "cross-site"}
    data = {"form_key": browser.form_key()}
    assert browser.http.post(path, data=data, headers=headers).status_code == 403
    assert browser.send(f"/operations/{operation}/cancel").status_code == 200
    assert Status.CANCELLED in browser.see(f"/operations/{operation}")


def test_what_runs_is_followed_without_javascript(premises: Premises, visit: Visit) -> None:
    assert 'http-equiv="refresh"' in visit("viewer").see(f"/operations/{premises.tenant('acme')}")


def test_a_tenant_is_changed_from_its_page(premises: Premises, visit: Visit) -> None:
    premises.finish(premises.tenant("acme"))
    browser = visit("operator")
    assert "/console/tenants/acme/suspend" in browser.see("/tenants/acme")
    answer = browser.send("/tenants/acme/suspend", reason="quiet season")
    assert answer.url.path.startswith("/console/operations/op-")
    assert "quiet season" in answer.text
    assert browser.send("/tenants/acme/suspend").status_code == 409
    assert browser.send("/tenants/acme/destroy").status_code == 404


@pytest.mark.parametrize("path", ["/operations", "/costs", "/costs?by=size", "/reviews", "/costs/chart.svg"])
def test_the_other_pages(premises: Premises, visit: Visit, path: str) -> None:
    premises.finish(premises.tenant("acme"))
    assert visit("viewer").see(path)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/tenants/nobody", 404),
        ("/tenants/Not-A-Slug", 422),
        ("/tenants?page_size=9000", 422),
        ("/tenants?colour=red", 422),
        ("/tenants/acme/migration", 404),
        ("/costs?by=colour", 422),
        ("/nowhere", 404),
    ],
)
def test_what_fails_is_a_page(premises: Premises, visit: Visit, path: str, status: int) -> None:
    premises.tenant("acme")
    answer = visit("viewer").http.get(f"/console{path}")
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["x-request-id"] in answer.text


# --- the same table as the API's --------------------------------------------------------------------


def test_every_page_has_a_row_and_asks_for_what_its_row_says() -> None:
    assert asked(ROUTERS) == dict(PAGES)


@pytest.mark.parametrize("role", [r.value for r in Role])
def test_a_visitor_may_what_the_row_says(premises: Premises, visit: Visit, role: str) -> None:
    own, other = premises.tenant("own-1"), premises.tenant("other-1")
    browser = visit(role, "own-*")
    key = browser.form_key()
    for (method, path), action in PAGES.items():
        if path in ("/logout", "/login"):
            continue
        for slug, operation in (("own-1", own), ("other-1", other)):
            target = path.replace("{slug}", slug).replace("{operation_id}", operation)
            target = target.replace("{verb}", "resume").replace("{review_id}", "rv-none")
            answer = browser.http.request(method, f"/console{target}", data={"form_key": key})
            allowed = action is OPEN or action in PERMISSIONS[Role(role)]
            if slug == "other-1" and target != path and "rv-none" not in target:
                assert answer.status_code in (403, 404), (method, target)
                assert "other-1</h1>" not in answer.text
            else:
                assert (answer.status_code == 403) == (not allowed), (method, target, answer.text)
            assert answer.status_code < 500, (method, target)


def test_nobody_sees_a_page_without_signing_in(premises: Premises, visit: Visit) -> None:
    browser = visit()
    for (method, path), action in PAGES.items():
        if action is not OPEN:
            answer = browser.http.request(method, f"/console{path}")
            assert "API token" in answer.text, (method, path)


def test_the_actor_of_a_change_is_the_person_who_signed_in(premises: Premises, visit: Visit) -> None:
    operation = premises.tenant("acme")
    visit("operator").send(f"/operations/{operation}/cancel", reason=ASK.reason)
    entry = premises.client().get("/v1/audit?action=operation.cancelled").json()["items"][0]
    assert (entry["actor"], entry["reason"]) == ("token:operator-at-console", ASK.reason)
    assert entry["request_id"].startswith("req-")
