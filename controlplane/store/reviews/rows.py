"""The table of reviews."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from controlplane.store.columns import document, moment


class Review(SQLModel, table=True):
    """A change on its way through the repository: a branch, the plan that is answered, its merge."""

    __table_args__ = (
        Index("review_status", "status", "id"),
        Index("review_operation", "operation_id"),
    )

    id: str = Field(primary_key=True)
    status: str
    kind: str  # the operation's, or `describe`: what changes nothing in AWS
    subject: str  # the tenant's slug, or the platform
    tenant_slug: str = ""
    workspace_id: str
    folder: str  # in the repository
    operation_id: str | None = None
    branch: str
    source: str = "verb"  # `branch`: a person's own
    head: str = ""  # the commit that is reviewed; every other one is not
    base: str = ""
    desired: str = ""  # tenant.yaml as it shall be; empty: none
    request: dict[str, Any] = document(dict)
    meaning: str = ""  # of the plan that was proposed
    render_digest: str = ""
    files: list[Any] = document(list)
    discarded: list[Any] = document(list)
    approvals: list[Any] = document(list)
    problem: str = ""
    machine: str = ""  # which machine asked (`rightsizing`, `drift`, …); empty: a person
    evidence: dict[str, Any] = document(dict)
    revert: str = ""  # the command that takes it back
    requested_by: str
    reason: str = ""
    page: int = 0  # its number on the host of the repository; 0: it has none there
    page_url: str = ""
    shown: str = ""  # digest of what the host shows
    heard_at: datetime | None = moment()  # of the last comment
    merged_by: str = ""
    merged_commit: str = ""
    result_commit: str = ""
    created_at: datetime = moment(nullable=False)
    updated_at: datetime = moment(nullable=False)
    ended_at: datetime | None = moment()


class HostComment(SQLModel, table=True):
    """What was said to us on a host's page, once, and what we answer; the answer may wait for the host."""

    __tablename__ = "host_comment"
    __table_args__ = (Index("host_comment_review", "review_id"),)

    id: str = Field(primary_key=True)  # the host's
    review_id: str
    login: str
    word: str
    at: datetime = moment(nullable=False)
    answer: str = ""  # empty: it is being done
    answered_at: datetime | None = moment()


class HostDelivery(SQLModel, table=True):
    """A webhook that came in. It only says that there is something to look at."""

    __tablename__ = "host_delivery"
    __table_args__ = (Index("host_delivery_new", "looked_at", "received_at"),)

    id: str = Field(primary_key=True)  # the host's
    event: str
    received_at: datetime = moment(nullable=False)
    looked_at: datetime | None = moment()
