"""The console in a real browser: a person walks through it, and the browser has nothing to complain of."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from controlplane.domain.operation import Status
from tests.doors.console.browser import Chromium, browser, found
from tests.doors.premises import Premises

pytestmark = pytest.mark.skipif(found() is None, reason="no Chromium on PATH")
NARROW, WIDE = 390, 1280


@pytest.fixture
def chromium() -> Iterator[Chromium]:
    with browser(str(found())) as opened:
        yield opened


def test_a_person_signs_in_approves_a_plan_and_looks_round(premises: Premises, chromium: Chromium) -> None:
    premises.finish(premises.tenant("acme", display_name="Acme <b>Ltd</b>", labels={"team": "a"}))
    waits = premises.tenant("beta")
    premises.await_approval(waits, requested_by="token:somebody")
    server = premises.serve()

    chromium.open(f"{server.url}/console/tenants/acme")
    assert chromium.address.startswith("/console/login")
    chromium.fill("input[name=token]", premises.token())
    chromium.press("main form button")
    assert chromium.address == "/console/tenants/acme"
    assert "Acme <b>Ltd</b>" in chromium.text

    chromium.open(f"{server.url}/console/tenants")
    chromium.press("a[href='/console/tenants/beta']")
    chromium.press(f"a[href='/console/operations/{waits}']")
    assert "awaiting_approval" in chromium.text
    chromium.press(f"form[action$='/{waits}/approve'] button")
    with premises.control.db.engine.connect() as connection:
        asked = "SELECT leg FROM operation WHERE id = ?"
        assert connection.exec_driver_sql(asked, (waits,)).scalar() == "apply"

    for page in ("costs", "reviews", "operations", "tenants?phase=ready"):
        chromium.press(f"header a[href='/console/{page.partition('?')[0]}']")
        chromium.open(f"{server.url}/console/{page}")
    assert "acme" in chromium.text
    assert "beta" not in chromium.text
    assert chromium.complaints == []


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_no_page_has_to_be_scrolled_sideways(premises: Premises, chromium: Chromium, width: int) -> None:
    long = "a-tenant-with-quite-a-long-name-indeed"
    premises.finish(premises.tenant(long, display_name="word" * 40), Status.SUCCEEDED)
    waits = premises.tenant("beta")
    premises.await_approval(waits)
    server = premises.serve()
    chromium.resize(width)
    chromium.open(f"{server.url}/console/login")
    chromium.fill("input[name=token]", premises.token())
    chromium.press("main form button")
    pages = ("tenants", f"tenants/{long}", "operations", f"operations/{waits}", "costs", "reviews", "nothing")
    wide = []
    for page in pages:
        chromium.open(f"{server.url}/console/{page}")
        if chromium.is_too_wide:
            wide.append(page)
    assert wide == []
