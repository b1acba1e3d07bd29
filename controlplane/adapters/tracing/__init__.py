"""OpenTelemetry, known to this room alone: spans go to a collector, as OTLP over HTTP. An optional extra."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from controlplane.domain.errors import ControlPlaneError
from controlplane.domain.tracing import Fact, Span, traceparent

_PATH = "/v1/traces"
_SECONDS = 5
_W3C = TraceContextTextMapPropagator()


@dataclass(frozen=True)
class _Told:
    span: Any

    @property
    def traceparent(self) -> str:
        here = self.span.get_span_context()
        return traceparent(f"{here.trace_id:032x}", f"{here.span_id:016x}", f"{here.trace_flags:02x}")

    def rename(self, name: str) -> None:
        self.span.update_name(name)

    def tell(self, **facts: Fact) -> None:
        self.span.set_attributes(_named(facts))


class Traces:
    """`collector`: its URL. What cannot be sent is dropped after a while: work never waits for it."""

    def __init__(self, collector: str, version: str, process: str) -> None:
        about = {"service.name": "controlplane", "service.version": version, "service.instance.id": process}
        self._provider = TracerProvider(resource=Resource.create(about))
        exporter = OTLPSpanExporter(endpoint=collector.rstrip("/") + _PATH, timeout=_SECONDS)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("controlplane", version)

    @contextmanager
    def span(self, name: str, parent: str = "", **facts: Fact) -> Iterator[Span]:
        within = _W3C.extract({"traceparent": parent}) if parent else None
        with self._tracer.start_as_current_span(
            name, within, attributes=_named(facts), record_exception=False, set_status_on_exception=False
        ) as found:
            try:
                yield _Told(found)
            except BaseException as error:
                found.set_status(Status(StatusCode.ERROR, _words(error)))
                raise

    def finish(self) -> None:
        self._provider.force_flush(_SECONDS * 1000)
        self._provider.shutdown()


def _named(facts: dict[str, Fact]) -> dict[str, Fact]:
    return {f"controlplane.{name}": value for name, value in facts.items()}


def _words(error: BaseException) -> str:
    """Of our own errors what they say, which never holds a secret; of others only what they are."""
    return error.message if isinstance(error, ControlPlaneError) else type(error).__name__
