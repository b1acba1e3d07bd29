"""What routes of migrations answer, for the OpenAPI document."""

from __future__ import annotations

from api.models import Json, View


class Migration(View):
    """`truth` is the slot that the route points to; `leftover` what a failed one left to be removed."""

    tenant: str
    id: str
    strategy: str
    state: str
    migration_state: str
    states: list[Json]
    operation: Json
    source: str
    target: str
    truth: str
    leftover: list[str]
    fence: Json
    fallback: Json
    way_back: Json
    rollback_loses: str
    verification: Json | None
    checklist: list[Json]
    receipts: Json
    loss: Json
    note: str
    started_at: str
    opened_at: str | None
    ended_at: str | None
    cause: str
    evidence: str
    who_may_act: str
    next_command: str
