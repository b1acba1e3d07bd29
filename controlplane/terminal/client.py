"""What commands work with: the control plane in this process, or one behind a URL, with the same answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from controlplane.settings import Settings

Answer = dict[str, Any]
Query = Mapping[str, Any]


@dataclass(frozen=True)
class Manner:
    """How a change is asked for, whatever the change."""

    reason: str = ""
    auto_approve: bool = False
    dry_run: bool = False
    if_match: int | None = None
    idempotency_key: str = ""
    request_id: str = field(default="", compare=False)


class Client(Protocol):
    """Every answer is plain data, a list always `{"items": […], "next_page_token": …}`."""

    place: str  # for people: where the answers come from

    def tenants(self, query: Query) -> Answer: ...

    def tenant(self, slug: str) -> Answer: ...

    def explain(self, slug: str) -> Answer: ...

    def history(self, slug: str, query: Query) -> Answer: ...

    def create(self, body: Query, manner: Manner) -> Answer: ...

    def create_batch(self, rows: Sequence[Query], manner: Manner) -> Answer: ...

    def change(self, kind: str, slug: str, body: Query, manner: Manner) -> Answer: ...

    def operations(self, query: Query) -> Answer: ...

    def operation(self, operation_id: str) -> Answer: ...

    def plan(self, operation_id: str) -> Answer: ...

    def events(self, operation_id: str, after: int) -> Answer: ...

    def log(self, operation_id: str, after: str) -> Answer: ...

    def steer(self, verb: str, operation_id: str, body: Query, manner: Manner) -> Answer:
        """approve, reject, cancel, retry or settle."""
        ...

    def blueprints(self) -> Answer: ...

    def blueprint(self, name: str) -> Answer: ...

    def change_platform(self, verb: str, name: str, body: Query, manner: Manner) -> Answer: ...

    def waves(self) -> Answer: ...

    def wave(self, wave_id: str) -> Answer: ...

    def start_wave(self, body: Query, manner: Manner) -> Answer: ...

    def steer_wave(self, verb: str, wave_id: str, manner: Manner) -> Answer:
        """pause, continue or abort."""
        ...

    def audit(self, query: Query) -> Answer: ...

    def verify_audit(self, head: str) -> Answer: ...

    def export_audit(self) -> Iterator[str]:
        """JSON lines."""
        ...

    def tokens(self) -> Answer: ...

    def create_token(self, body: Query, manner: Manner) -> Answer: ...

    def revoke_token(self, token_id: str, manner: Manner) -> Answer: ...

    def users(self) -> Answer: ...

    def add_user(self, body: Query, manner: Manner) -> Answer: ...

    def remove_user(self, user_id: str, manner: Manner) -> Answer: ...

    def windows(self) -> Answer: ...

    def add_window(self, body: Query, manner: Manner) -> Answer: ...

    def remove_window(self, window_id: str, manner: Manner) -> Answer: ...

    def costs(self, what: str, query: Query) -> Answer:
        """fleet, forecast, tables, actuals, commitments, budget or prices."""
        ...

    def tenant_cost(self, slug: str, query: Query) -> Answer: ...

    def send_costs(self, what: str, body: Query | None, manner: Manner) -> Answer:
        """estimate, budget, prices/refresh, actuals/refresh or fleet/record."""
        ...

    def doctor(self) -> Answer: ...

    def version(self) -> Answer: ...

    def ensure_worker(self) -> str:
        """See that somebody does the work; what was done for it, for people. Empty: nothing needed."""
        ...

    def close(self) -> None: ...


def connect(settings: Settings) -> Client:
    """Through the server when one is set, else on the local catalog."""
    # Each way costs start-up time that the other need not pay.
    if settings.server:
        from controlplane.terminal.remote import RemoteClient  # noqa: PLC0415

        return RemoteClient(settings.server, settings.token)
    from controlplane.terminal.light import LightClient  # noqa: PLC0415

    return cast(Client, LightClient(settings))
