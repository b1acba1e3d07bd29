from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.doors.premises import Premises


@dataclass
class Browser:
    """A person without JavaScript: follows redirects, keeps cookies, sends the forms that a page has."""

    http: httpx.Client

    def sign_in(self, token: str, **more: str) -> httpx.Response:
        return self.http.post("/console/login", data={"token": token, **more})

    def see(self, path: str) -> str:
        answer = self.http.get(f"/console{path}")
        assert answer.status_code == 200, answer.text
        return answer.text

    def form_key(self) -> str:
        found = re.search(r'name="form_key" value="([^"]+)"', self.see("/tenants"))
        assert found is not None
        return found[1]

    def send(self, path: str, **fields: Any) -> httpx.Response:
        return self.http.post(f"/console{path}", data={"form_key": self.form_key(), **fields})


@pytest.fixture
def visit(premises: Premises) -> Iterator[Callable[..., Browser]]:
    url = premises.serve().url
    opened: list[httpx.Client] = []

    def begin(role: str = "", *scope: str) -> Browser:
        client = httpx.Client(base_url=url, follow_redirects=True, timeout=120)
        opened.append(client)
        browser = Browser(client)
        if role:
            assert browser.sign_in(premises.token(role, *scope, name=f"{role}-at-console")).status_code == 200
        return browser

    yield begin
    for client in opened:
        client.close()
