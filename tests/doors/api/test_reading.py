"""Reading over HTTP: pages that stay stable, streams that tell the whole, figures that name nobody."""

from __future__ import annotations

import json
import re
import threading
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controlplane.domain.operation import Status
from controlplane.services import audit, fleet, tenants
from controlplane.services.quick import open_quick
from controlplane.store import operations
from controlplane.store import tenants as tenant_rows
from controlplane.store.tables import Run, RunLine
from tests.doors.api.test_problems import assert_problem
from tests.doors.premises import ADMIN, FREE, PATIENCE, Premises


def slugs(answer: httpx.Response) -> list[str]:
    return [t["slug"] for t in answer.json()["items"]]


# --- pages ------------------------------------------------------------------------------------------


def test_pages_follow_each_other_and_inserts_shift_nothing(premises: Premises) -> None:
    for number in range(5):
        premises.tenant(f"t-{number}x")
    http = premises.client()
    first = http.get("/v1/tenants", params={"page_size": 2})
    premises.tenant("t-0a")  # before the cursor: it belongs to a page that was read
    token = first.json()["next_page_token"]
    second = http.get("/v1/tenants", params={"page_size": 2, "page_token": token})
    assert slugs(first) + slugs(second) == ["t-0x", "t-1x", "t-2x", "t-3x"]
    last = http.get("/v1/tenants", params={"page_size": 2, "page_token": second.json()["next_page_token"]})
    assert (slugs(last), last.json()["next_page_token"]) == (["t-4x"], None)


def test_filters_narrow_a_list(premises: Premises) -> None:
    premises.tenant("one", labels={"team": "a"}, users=40)
    premises.tenant("two", labels={"team": "b"}, size="small")
    http = premises.client()
    for params, expected in [
        ({"size": "small"}, ["two"]),
        ({"label": "team=a"}, ["one"]),
        ({"label": "team in (a,b),size!=small"}, ["one"]),
        ({"label": "team notin (a)"}, ["two"]),
        ({"q": "tw"}, ["two"]),
        ({"stage": "production"}, []),
        ({"phase": "requested"}, ["one", "two"]),
        ({"region": "us-east-1", "sort": "slug desc"}, ["two", "one"]),
        ({"sort": "created_at"}, ["one", "two"]),
    ]:
        assert slugs(http.get("/v1/tenants", params=params)) == expected, params


@pytest.mark.parametrize(
    "params",
    [
        {"page_size": 0},
        {"page_size": 201},
        {"page_size": "many"},
        {"page_token": "made-up"},
        {"page_token": "eyJzZXEiOjF9"},
        {"sort": "color"},
        {"stage": "beta"},
        {"label": "((("},
        {"surprise": "1"},
    ],
)
def test_a_list_that_cannot_be_asked_is_refused(http: httpx.Client, params: dict[str, Any]) -> None:
    assert_problem(http.get("/v1/tenants", params=params), 422, "invalid")


@pytest.mark.parametrize("path", ["/v1/operations", "/v1/audit"])
def test_newest_first_and_page_by_page(premises: Premises, path: str) -> None:
    for number in range(3):
        premises.tenant(f"t-{number}")
    http = premises.client()
    first = http.get(path, params={"page_size": 2}).json()
    second = http.get(path, params={"page_size": 200, "page_token": first["next_page_token"]}).json()
    assert len(first["items"]) == 2
    everything = http.get(path, params={"page_size": 200}).json()["items"]
    assert first["items"] + second["items"] == everything
    for token in ("made-up", "W10", "eyJzZXEiOnRydWV9", "eyJzZXEiOjFlOTl9"):
        assert_problem(http.get(path, params={"page_token": token}), 422, "invalid")


def test_operations_are_found_by_tenant_status_and_kind(premises: Premises) -> None:
    one, two = premises.tenant("one"), premises.tenant("two")
    premises.finish(two)
    http = premises.client()
    for params, expected in [
        ({"tenant": "one"}, [one]),
        ({"status": "succeeded"}, [two]),
        ({"kind": "destroy"}, []),
        ({"kind": "create", "status": "pending"}, [one]),
    ]:
        assert [o["id"] for o in http.get("/v1/operations", params=params).json()["items"]] == expected, (
            params
        )
    assert_problem(http.get("/v1/operations", params={"tenant": "none"}), 404, "not_found")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.integers(1, 7),
    filters=st.fixed_dictionaries(
        {},
        optional={
            "stage": st.sampled_from(["poc", "production"]),
            "size": st.sampled_from(["micro", "small"]),
            "q": st.sampled_from(["", "t", "t-", "T-1", "z", "t-1%", "~"]),
        },
    ),
)
def test_the_quick_way_answers_what_the_long_way_answers(
    premises: Premises, size: int, filters: dict[str, str]
) -> None:
    _some_tenants(premises)
    quick = open_quick(premises.url)
    assert quick is not None
    token: str | None = ""
    while token is not None:
        asked = {**filters, "page_size": size, "page_token": token}
        long_way = fleet.page(premises.control, ADMIN, fleet.Listing(**asked))
        assert quick.page(asked) == long_way
        assert json.loads(quick.page_text(asked) or b"") == long_way
        token = long_way["next_page_token"]
    for slug in ("t-1", "t-2"):
        shown = tenants.show(premises.control, ADMIN, slug)
        assert quick.tenant(slug) == shown
        revision, text = quick.tenant_text(slug) or (0, b"")
        assert (revision, json.loads(text)) == (shown["revision"], shown)


def test_what_is_kept_as_text_is_never_older_than_the_catalog(premises: Premises) -> None:
    _some_tenants(premises)
    http = premises.client()

    def seen() -> tuple[str, str, str]:
        listed = http.get("/v1/tenants").json()["items"]
        shown = http.get("/v1/tenants/t-1")
        tag = {"If-None-Match": shown.headers["etag"]}
        assert http.get("/v1/tenants/t-1", headers=tag).status_code == 304
        (row,) = [row for row in listed if row["slug"] == "t-1"]
        return row["display_name"], shown.json()["display_name"], shown.headers["etag"]

    before = seen()
    for name in ("first", "second", "first"):
        with premises.control.db.write() as session:
            uid = str(tenant_rows.by_slug(session, "t-1").uid)
            now = premises.control.now()
            tenant_rows.change(session, uid, {"display_name": name}, actor="a test", now=now)
        after = seen()
        assert (after[:2], after[2] != before[2]) == ((name, name), True)
        before = after


def test_a_question_that_is_not_plain_is_answered_by_the_whole_way(premises: Premises) -> None:
    _some_tenants(premises)
    http = premises.client()
    assert_problem(http.get("/v1/tenants", params={"color": "blue"}), 422, "invalid")
    assert_problem(http.get("/v1/tenants", params={"page_size": "many"}), 422, "invalid")
    twice = http.get("/v1/tenants?stage=poc&stage=production").json()["items"]
    assert twice == http.get("/v1/tenants", params={"stage": "production"}).json()["items"]
    assert_problem(http.get("/v1/tenants/Not-A-Slug"), 422, "invalid")
    assert_problem(http.get("/v1/tenants/nobody"), 404, "not_found")


def _some_tenants(premises: Premises) -> None:
    with premises.control.db.engine.connect() as connection:
        if connection.exec_driver_sql("SELECT count(*) FROM tenant").scalar():
            return
    for number in range(8):
        size = "micro" if number % 2 else "small"
        operation = premises.tenant(
            f"t-{number}", labels={"n": str(number), "a": "b"}, size=size, users=number + 1
        )
        if number % 3:
            premises.finish(operation)
    with premises.control.db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE tenant SET monthly_usd = 12345678 WHERE slug = 't-1'")
        connection.exec_driver_sql(
            "UPDATE tenant SET ready_at = created_at, unverified = 1 WHERE slug = 't-2'"
        )


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_page_token_is_ours_or_refused(http: httpx.Client, premises: Premises, data: st.DataObject) -> None:
    """Of whatever list: made up, cut, or changed in one place."""
    _some_tenants(premises)
    path = data.draw(st.sampled_from(["/v1/tenants", "/v1/operations", "/v1/audit", "/v1/tenants?stage=poc"]))
    whole = http.get(path, params={**httpx.URL(path).params, "page_size": 2}).json()["next_page_token"]
    place = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.characters(min_codepoint=33, max_codepoint=126))
    changed = st.sampled_from([whole[:place], whole[:place] + other + whole[place + 1 :]])
    token = data.draw(st.one_of(st.text(max_size=40), changed))
    answer = http.get(path, params={**httpx.URL(path).params, "page_size": 2, "page_token": token})
    assert answer.status_code in (200, 422), answer.text
    if answer.status_code == 422:
        assert_problem(answer, 422, "invalid")


def test_the_quick_way_leaves_errors_to_the_long_one(premises: Premises) -> None:
    quick = open_quick(premises.url)
    assert quick is not None
    assert quick.tenant("nobody") is None
    assert quick.page({"page_token": "made-up"}) is None
    assert quick.page({"sort": "created_at"}) is None
    assert quick.page({"page_size": 1000}) is None
    assert open_quick("postgresql://somewhere/db") is None
    assert open_quick(f"sqlite:///{premises.folder}/nothing.db") is None


# --- what an operation tells ------------------------------------------------------------------------


def test_who_comes_late_gets_the_whole_story_and_its_end(premises: Premises) -> None:
    operation = premises.tenant()
    premises.finish(operation)
    stream = premises.client().get(f"/v1/operations/{operation}/events")
    assert stream.headers["content-type"].startswith("text/event-stream")
    told = [json.loads(line[6:]) for line in stream.text.splitlines() if line.startswith('data: {"offset"')]
    assert [e["data"]["status"] for e in told] == ["pending", "planning", "applying", "succeeded"]
    assert stream.text.endswith('event: end\ndata: {"status": "succeeded"}\n\n')
    ids = [line[4:] for line in stream.text.splitlines() if line.startswith("id: ")]
    assert ids == [str(e["offset"]) for e in told]


def test_who_comes_again_goes_on_where_it_left_off(premises: Premises) -> None:
    operation = premises.tenant()
    premises.finish(operation)
    http = premises.client()
    path = f"/v1/operations/{operation}/events"
    offsets = [e["offset"] for e in http.get(path, headers={"Accept": "application/json"}).json()["items"]]
    again = http.get(path, headers={"Last-Event-ID": str(offsets[1])}).text
    assert [int(line[4:]) for line in again.splitlines() if line.startswith("id: ")] == offsets[2:]
    assert_problem(http.get(path, headers={"Last-Event-ID": "x"}), 422, "invalid")


def test_a_follower_is_told_what_happens_while_it_listens(premises: Premises) -> None:
    operation = premises.tenant()
    http = premises.client()
    heard: list[str] = []
    begun = threading.Event()

    def listen() -> None:
        with http.stream("GET", f"/v1/operations/{operation}/events") as stream:
            for line in stream.iter_lines():
                heard.append(line)
                begun.set()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    assert begun.wait(20)
    premises.finish(operation)
    listener.join(20)
    assert not listener.is_alive()
    assert [line for line in heard if "succeeded" in line][-1] == 'data: {"status": "succeeded"}'


def _log(premises: Premises, operation: str) -> None:
    with premises.control.db.write() as session:
        for place, verb in enumerate(("plan", "apply")):
            session.add(
                Run(
                    id=f"{operation}-{verb}",
                    operation_id=operation,
                    workspace_id="w",
                    verb=verb,
                    ordered_at=place,
                )
            )
            for number in (1, 2, 3):
                text = f"{verb} line {number}"
                line = RunLine(
                    run_id=f"{operation}-{verb}", number=number, at=1.0, stream="terraform", text=text
                )
                session.add(line)


def test_the_log_is_text_and_pages_over_all_runs(premises: Premises) -> None:
    operation = premises.tenant()
    _log(premises, operation)
    http = premises.client()
    path = f"/v1/operations/{operation}/log"
    text = http.get(path)
    assert text.headers["content-type"].startswith("text/plain")
    assert [line[20:] for line in text.text.splitlines()] == [
        f"{v} line {n}" for v in ("plan", "apply") for n in (1, 2, 3)
    ]
    page = http.get(path, params={"after": "0.2"}, headers={"Accept": "application/json"}).json()
    assert [line["text"] for line in page["items"]] == [
        "plan line 3",
        "apply line 1",
        "apply line 2",
        "apply line 3",
    ]
    rest = http.get(path, params={"after": page["cursor"]}, headers={"Accept": "application/json"}).json()
    assert (rest["items"], rest["cursor"]) == ([], page["cursor"])
    assert_problem(
        http.get(path, params={"after": "x"}, headers={"Accept": "application/json"}), 422, "invalid"
    )


def test_the_plan_is_shown_masked_and_missing_while_there_is_none(premises: Premises) -> None:
    operation = premises.tenant()
    http = premises.client()
    assert_problem(http.get(f"/v1/operations/{operation}/plan"), 404, "not_found")
    premises.await_approval(operation)
    assert http.get(f"/v1/operations/{operation}/plan").json()["changes"][0]["action"] == "create"


def test_a_tenant_explains_itself(premises: Premises) -> None:
    operation = premises.tenant()
    found = premises.client().get("/v1/tenants/acme/explain").json()
    assert found["phase"] == "requested"
    assert found["operation"] == operation
    assert found["cause"]
    assert found["who_may_act"]
    assert found["next_command"].startswith("controlplane ")


def test_history_tells_who_changed_what(premises: Premises) -> None:
    premises.tenant()
    http = premises.client()
    http.patch("/v1/tenants/acme", json={"users": 9}, headers={"If-Match": "*"})
    lines = http.get("/v1/tenants/acme/history").json()["items"]
    assert [line["what"] for line in lines] == ["created", "changed"]
    assert (lines[1]["before"], lines[1]["after"]) == (
        {"users": 1, "generation": 1},
        {"users": 9, "generation": 2},
    )
    assert lines[1]["actor"] == "token:admin-0"


# --- the installation -------------------------------------------------------------------------------


def test_the_audit_verifies_and_exports(premises: Premises) -> None:
    noted = audit.verify(premises.control, ADMIN)["head"]  # of one that is empty
    premises.tenant()
    http = premises.client()
    assert http.get("/v1/audit/verification", params={"head": noted}).json()["good"] is True
    lines = [json.loads(line) for line in http.get("/v1/audit/export").text.splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    with premises.control.db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE audit_entry SET actor = 'mallory' WHERE seq = 1")
    verdict = http.get("/v1/audit/verification").json()
    assert (verdict["good"], verdict["broken_seq"]) == (False, 1)


def test_long_answers_are_compressed_for_who_wants_that(premises: Premises) -> None:
    for number in range(5):
        premises.tenant(f"t-{number}")
    http = premises.client()
    assert http.get("/v1/tenants").headers["content-encoding"] == "gzip"
    assert "content-encoding" not in http.get("/v1/tenants", headers={"Accept-Encoding": "identity"}).headers


def test_figures_name_no_tenant(premises: Premises) -> None:
    premises.tenant("secret-customer")
    server = premises.serve(FREE)
    server.client(premises.token()).get("/v1/tenants/secret-customer")
    text = httpx.get(f"{server.url}/metrics", timeout=PATIENCE).text
    assert 'controlplane_tenants{phase="requested"} 1' in text
    assert 'controlplane_operations{kind="create",status="pending"} 1' in text
    assert 'route="/v1/tenants/{slug}"' in text
    assert "secret-customer" not in text


def test_figures_say_how_long_things_took_and_what_waits(premises: Premises) -> None:
    premises.finish(premises.tenant("acme"))
    premises.tenant("waits")
    with premises.control.db.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE operation SET started_at = '2026-01-31 12:00:00.000000', "
            "ended_at = '2026-01-31 12:00:45.000000' WHERE status = 'succeeded'"
        )
        for name, ended in (("p1", 101.5), ("p2", 120.0)):
            connection.exec_driver_sql(
                "INSERT INTO run (id, operation_id, workspace_id, verb, status, host, pid, supervisor, "
                "lease_until, interrupt_requested, interrupted, timed_out, lock_id, details, ordered_at, "
                "started_at, ended_at) VALUES (?, 'op', 'w', 'plan', 'ended', '', 0, '', 0, '', 0, 0, '', "
                "'{}', 0, 100, ?)",
                (name, ended),
            )
    text = httpx.get(f"{premises.serve(FREE).url}/metrics", timeout=PATIENCE).text
    took = 'controlplane_operation_duration_seconds_bucket{kind="create",status="succeeded",le="%s"} %d'
    assert took % ("30", 0) in text
    assert took % ("60", 1) in text
    assert 'controlplane_terraform_run_duration_seconds_sum{phase="plan",status="ended"} 21.500' in text
    assert 'controlplane_terraform_run_duration_seconds_bucket{phase="plan",status="ended",le="2"} 1' in text
    for name in ("drift_findings", "fences", "webhook_deliveries_failed"):
        assert f"\ncontrolplane_{name} 0\n" in text
    assert "\ncontrolplane_operations_waiting 1\n" in text
    assert re.search(r"\ncontrolplane_fleet_monthly_usd \d", text)
    assert 'controlplane_schedules_overdue{cell=""} 0' in text
    waited = next(line for line in text.splitlines() if line.startswith("controlplane_queue_oldest_seconds"))
    assert float(waited.split()[1]) > 0
    for name in {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}:
        assert name.startswith("controlplane_"), name


def test_readiness_says_what_is_missing(premises: Premises) -> None:
    server = premises.serve(FREE)
    assert httpx.get(f"{server.url}/healthz", timeout=PATIENCE).json() == {"status": "ok"}
    found = httpx.get(f"{server.url}/readyz", timeout=PATIENCE).json()
    assert (found["status"], found["missing"]) == ("ready", ["worker"])
    with premises.control.db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    problem = assert_problem(httpx.get(f"{server.url}/readyz", timeout=PATIENCE), 503, "unavailable")
    assert problem["details"]["missing"] == ["catalog"]


def test_every_state_that_is_not_final_names_its_way_out(premises: Premises) -> None:
    http = premises.client()
    for number, status in enumerate(s for s in Status if s not in operations.FINAL):
        operation = premises.tenant(f"t-{number}")
        with premises.control.db.engine.begin() as connection:
            connection.exec_driver_sql(
                "UPDATE operation SET status = ? WHERE id = ?", (status.value, operation)
            )
        about = http.get(f"/v1/operations/{operation}").json()["metadata"]
        assert about["cause"], status
        assert about["who_may_act"], status
        assert about["next_command"].startswith("controlplane "), status
