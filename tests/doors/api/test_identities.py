"""Others than our own tokens may say who somebody is, as an OIDC provider does: no route knows of it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from controlplane.domain.errors import Unauthenticated
from controlplane.services.actor import Actor, Role
from tests.doors.api.test_problems import assert_problem
from tests.doors.premises import FREE, Premises, Server

KEY = b"what the provider and we agreed upon"


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def signed(text: str, key: bytes = KEY) -> str:
    return encoded(hmac.new(key, text.encode(), hashlib.sha256).digest())


def id_token(name: str, role: str, tenants: list[str], seconds: float = 60, key: bytes = KEY) -> str:
    claims = {"sub": name, "role": role, "tenants": tenants, "exp": time.time() + seconds}
    text = f"{encoded(b'{}')}.{encoded(json.dumps(claims).encode())}"
    return f"{text}.{signed(text, key)}"


class Provider:
    """Judges whatever looks like a JSON web token, as a client of an OIDC provider would."""

    def actor(self, secret: str, origin: str) -> Actor | None:
        if secret.count(".") != 2:
            return None
        text, _, signature = secret.rpartition(".")
        if not hmac.compare_digest(signature, signed(text)):
            raise Unauthenticated("the provider did not sign this")
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text.partition(".")[2] + "=="))
        if claims["exp"] < time.time():
            raise Unauthenticated("this identity is over", hint="sign in again")
        return Actor(f"oidc:{claims['sub']}", Role(claims["role"]), tuple(claims["tenants"]), origin)


@pytest.fixture
def server(premises: Premises) -> Iterator[Server]:
    premises.tenant("acme")
    premises.tenant("other")
    return premises.serve(FREE, identities=[Provider()])


def test_who_a_provider_vouches_for_has_the_rights_that_it_says(server: Server, premises: Premises) -> None:
    operator = server.client(id_token("ann", "operator", ["acme"]))
    assert [one["slug"] for one in operator.get("/v1/tenants").json()["items"]] == ["acme"]
    assert_problem(operator.get("/v1/tenants/other"), 404, "not_found")
    assert_problem(operator.get("/v1/tokens"), 403, "denied")
    changed = operator.patch("/v1/tenants/acme", json={"users": 7}, headers={"If-Match": "*"})
    assert changed.status_code == 200
    entries = server.client(premises.token()).get("/v1/audit").json()["items"]
    assert [e["subject"] for e in entries if e["actor"] == "oidc:ann"] == ["tenant/acme"]


@pytest.mark.parametrize("lie", [{"key": b"somebody else's"}, {"seconds": -1}])
def test_what_a_provider_did_not_sign_or_what_is_over_is_refused_and_audited(
    server: Server, premises: Premises, lie: dict[str, Any]
) -> None:
    thief = server.client(id_token("eve", "admin", [], **lie))
    assert_problem(thief.get("/v1/tenants"), 401, "unauthenticated")
    audit = server.client(premises.token()).get("/v1/audit", params={"action": "access.refused"})
    assert len(audit.json()["items"]) == 1


def test_a_session_of_the_console_begins_with_it_too(server: Server) -> None:
    with httpx.Client(base_url=server.url, timeout=30) as browser:
        page = browser.post(
            "/console/login", data={"token": id_token("ann", "viewer", ["acme"])}, follow_redirects=True
        )
        assert page.status_code == 200
        assert "acme" in page.text
        assert "other" not in browser.get("/console").text


def test_our_own_tokens_are_known_beside_it(server: Server, premises: Premises) -> None:
    assert server.client(premises.token()).get("/v1/tenants").status_code == 200
    assert_problem(server.client("neither").get("/v1/tenants"), 401, "unauthenticated")
