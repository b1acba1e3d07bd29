"""What routes of reviews answer, for the OpenAPI document."""

from __future__ import annotations

from api.models import Json, Page, View
from controlplane.domain.review.progress import ReviewStatus


class Review(View):
    """`kind` is the operation's, or `describe`: what changes nothing in AWS."""

    id: str
    status: ReviewStatus
    kind: str
    subject: str
    tenant: str | None
    operation: str | None
    branch: str
    source: str
    head: str
    base: str
    problem: str
    machine: str
    evidence: Json
    revert: str
    requested_by: str
    reason: str
    approvals: list[Json]
    merged_by: str
    merged_commit: str
    result_commit: str
    checks: list[Json]
    next_command: str
    created_at: str
    updated_at: str
    ended_at: str | None


class ReviewPage(Page):
    items: list[Review]


class ReviewInFull(Review):
    """`text` comes in parts, each short enough for a comment."""

    files: list[str]
    discarded: list[str]
    desired: str
    text: list[str]


class SyncedBranch(View):
    branch: str
    review: str | None
    problem: Json | None


class ReviewSync(Page):
    items: list[SyncedBranch]


class HookAnswer(View):
    """`accepted` is false for a delivery that came before."""

    accepted: bool
    event: str
