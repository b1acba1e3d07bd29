"""One trace from the door through an operation's legs and steps to its Terraform runs; none unless wanted."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from api.app import create_app
from controlplane import telling
from controlplane.domain.errors import Invalid
from controlplane.domain.tracing import SILENCE, Tracer
from controlplane.durable import Engine
from controlplane.services import access
from controlplane.services.actor import Role
from controlplane.services.bodies import NewToken
from controlplane.settings import Settings
from controlplane.steps.world import install, utc_now, world
from controlplane.worker import tracing
from controlplane.worker.loop import Worker
from tests.doors.premises import PATIENCE, Server
from tests.operations.house import ADMIN, ASK, House
from tests.operations.ordinary import done
from tests.receiver import Receiver

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@dataclass(frozen=True)
class Seen:
    name: str
    trace: str
    id: str
    parent: str
    facts: dict[str, Any]
    failed: str


class Collector:
    """Where spans go: OTLP over HTTP, as any collector reads it."""

    def __init__(self) -> None:
        self._receiver = Receiver()
        self.stop = self._receiver.start()
        self.url = self._receiver.url

    def spans(self) -> list[Seen]:
        messages = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
        found = []
        for headers, body in self._receiver.received:
            content = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
            request = messages.ExportTraceServiceRequest.FromString(content)
            found += [_seen(s) for r in request.resource_spans for c in r.scope_spans for s in c.spans]
        return found


def _seen(span: Any) -> Seen:
    facts = {a.key: a.value.string_value or a.value.int_value for a in span.attributes}
    failed = span.status.message if span.status.code == 2 else ""
    return Seen(span.name, span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex(), facts, failed)


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.stop()


@pytest.fixture
def tracer(collector: Collector, house: House) -> Iterator[Tracer]:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    made = telling.tracer(replace(Settings(), traces=collector.url), "a test")
    install(replace(world(), tracer=made))
    yield made
    made.finish()


def work(house: House, tracer: Tracer) -> None:
    engine = Engine(house.url, "embedded", 0.02, "", tracing.legs(house.db, tracer))
    engine.launch()
    try:
        Worker(house.db, engine, utc_now, capacity=8, poll_seconds=0.02).run(until_idle=True)
    finally:
        engine.stop()


def ask_for_a_tenant(house: House, tracer: Tracer) -> httpx.Response:
    body = NewToken(name="ops", role=Role.ADMIN)
    token = access.create_token(house.control, ADMIN, body, ASK)["secret"]
    server = Server(create_app(house.control, tracer=tracer))
    try:
        headers = {"Authorization": f"Bearer {token}", "traceparent": CALLER, "X-Request-ID": "req-mine"}
        url = f"{server.url}/v1/tenants?auto_approve=true"
        return httpx.post(url, headers=headers, json={"slug": "acme"}, timeout=PATIENCE)
    finally:
        server.stop()


def test_one_trace_leads_from_the_door_to_terraform(
    house: House, collector: Collector, tracer: Tracer
) -> None:
    answer = ask_for_a_tenant(house, tracer)
    work(house, tracer)
    operation = done(house, answer.json()["id"])
    tracer.finish()
    spans = collector.spans()
    assert {s.trace for s in spans} == {CALLER[3:35]} == {operation["trace"]}
    by_id = {s.id: s for s in spans}

    def above(span: Seen) -> list[str]:
        parent = by_id.get(span.parent)
        return [] if parent is None else [parent.name, *above(parent)]

    (door,) = [s for s in spans if s.name == "POST /v1/tenants"]
    assert (door.parent, answer.headers["traceparent"][36:52]) == (CALLER[36:52], door.id)
    assert door.facts["controlplane.status"] == 202
    for run, leg in (("plan", "change.plan create"), ("apply", "change.apply create")):
        (span,) = [s for s in spans if s.name == f"terraform {run}"]
        assert above(span) == [run, leg, "POST /v1/tenants"]
        assert span.facts["controlplane.operation"] == operation["id"]
    legs = [s for s in spans if s.name.startswith("change.")]
    assert {s.facts["controlplane.request"] for s in legs} == {"req-mine"}


def test_a_step_that_fails_says_so_in_our_words(house: House, collector: Collector, tracer: Tracer) -> None:
    ask_for_a_tenant(house, tracer)
    house.cloud.world.inject("ensure_secret", "denied", times=99)
    work(house, tracer)
    tracer.finish()
    failed = {s.name: s.failed for s in collector.spans() if s.failed}
    assert "denied (injected)" in "".join(failed.values())


def test_nobody_waits_for_a_collector_that_is_gone(
    house: House, collector: Collector, tracer: Tracer
) -> None:
    collector.stop()
    answer = ask_for_a_tenant(house, tracer)
    work(house, tracer)
    done(house, answer.json()["id"])


def test_no_traces_unless_they_are_wanted() -> None:
    assert telling.tracer(Settings(), "a test") is SILENCE
    with SILENCE.span("anything", CALLER) as span:
        assert span.traceparent == CALLER


def test_who_wants_traces_without_the_extra_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "controlplane.adapters.tracing", None)
    with pytest.raises(Invalid) as refused:
        telling.tracer(replace(Settings(), traces="http://localhost:4318"), "a test")
    assert "controlplane[traces]" in refused.value.hint
