"""Tables of the fleet's care. They belong to the one metadata, and are made by migrations only."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from controlplane.store.columns import Money, document, moment

# Statuses in which a recommendation or a difference is still somebody's business.
LIVE = "'open','proposed'"


class Recommendation(SQLModel, table=True):
    """What the advisor proposes for one tenant. One that lives a tenant: seen again, it is updated."""

    __table_args__ = (
        Index(
            "recommendation_one_live",
            "tenant_uid",
            unique=True,
            sqlite_where=text(f"status IN ({LIVE})"),
            postgresql_where=text(f"status IN ({LIVE})"),
        ),
        Index("recommendation_status", "status", "id"),
        Index("recommendation_operation", "operation_id"),
    )

    id: str = Field(primary_key=True)
    tenant_uid: str
    slug: str
    identifier: str
    status: str  # open, proposed, dismissed, applied, ended, gone
    kind: str = "resize"  # resize, revert
    finding: str
    signature: str
    reasons: list[Any] = document(list)
    remarks: list[Any] = document(list)
    urgent: bool = False
    current_size: str
    target_size: str = ""  # "": the class stays
    target_storage_gb: int = 0  # 0: the storage stays
    monthly_before: Decimal | None = Field(default=None, sa_type=Money)
    monthly_after: Decimal | None = Field(default=None, sa_type=Money)
    delta_usd: Decimal | None = Field(default=None, sa_type=Money)
    risk: str = ""
    risk_words: str = ""
    outage: str = ""
    revert: str = ""
    evidence: dict[str, Any] = document(dict)
    operation_id: str | None = None
    outcome: str = ""  # after the change: good, worse, unknown
    outcome_words: str = ""
    seen_count: int = 1
    first_seen_at: datetime = moment(nullable=False)
    last_seen_at: datetime = moment(nullable=False)
    decided_by: str = ""
    decided_at: datetime | None = moment()
    decision_reason: str = ""
    looked_at: datetime | None = moment()  # after the change


class Suppression(SQLModel, table=True):
    """A proposal that people did not want: not made again until then."""

    tenant_uid: str = Field(primary_key=True)
    signature: str = Field(primary_key=True)
    until: datetime = moment(nullable=False)
    dismissals: int = 1
    reason: str = ""
    created_by: str = ""


class DriftFinding(SQLModel, table=True):
    """One difference between what is recorded and what AWS has."""

    __tablename__ = "drift_finding"
    __table_args__ = (
        Index(
            "drift_one_live",
            "identifier",
            "attribute",
            unique=True,
            sqlite_where=text(f"status IN ({LIVE})"),
            postgresql_where=text(f"status IN ({LIVE})"),
        ),
        Index("drift_status", "status", "id"),
    )

    id: str = Field(primary_key=True)
    tenant_uid: str = ""  # "": nobody's
    slug: str = ""
    identifier: str
    attribute: str  # "": the whole database
    severity: str  # benign, real, dangerous
    situation: str = ""  # of a whole database
    expected: str = ""
    found: str = ""
    words: str = ""
    next_step: str = ""
    status: str  # open, proposed, accepted, written_back, ended
    operation_id: str | None = None
    first_seen_at: datetime = moment(nullable=False)
    last_seen_at: datetime = moment(nullable=False)
    decided_by: str = ""
    decided_at: datetime | None = moment()
    decision_reason: str = ""


class SeenDatabase(SQLModel, table=True):
    """By which id AWS knew a database when it was seen first: another one means that it was replaced."""

    __tablename__ = "seen_database"

    identifier: str = Field(primary_key=True)
    resource_id: str
    first_seen_at: datetime = moment(nullable=False)
    last_seen_at: datetime = moment(nullable=False)


class PlannedLook(SQLModel, table=True):
    """When a tenant's workspace was planned last, only to see whether the plan is empty."""

    __tablename__ = "planned_look"

    tenant_uid: str = Field(primary_key=True)
    planned_at: datetime = moment(nullable=False)
    found: int = 0  # differences


class Scan(SQLModel, table=True):
    """One look at the fleet: how many were looked at, and who could not be."""

    __table_args__ = (Index("scan_kind", "kind", "started_at"),)

    id: str = Field(primary_key=True)
    kind: str  # rightsizing, rightsizing-hot, drift
    started_by: str
    looked_at: int = 0
    found: int = 0
    problems: list[Any] = document(list)
    started_at: datetime = moment(nullable=False)
    ended_at: datetime = moment(nullable=False)


class AlarmState(SQLModel, table=True):
    """In which state CloudWatch says that an alarm of a database is."""

    __tablename__ = "alarm_state"
    __table_args__ = (Index("alarm_state_tenant", "tenant_uid"),)

    name: str = Field(primary_key=True)
    tenant_uid: str
    identifier: str
    rule: str
    state: str  # ALARM, OK, INSUFFICIENT_DATA
    reason: str = ""
    since: datetime = moment(nullable=False)


class AlarmDelivery(SQLModel, table=True):
    """A message of a topic that came to our address. Taken, only its id stays, for a day."""

    __tablename__ = "alarm_delivery"
    __table_args__ = (Index("alarm_delivery_waiting", "taken_at", "received_at"),)

    id: str = Field(primary_key=True)
    body: str
    received_at: datetime = moment(nullable=False)
    taken_at: datetime | None = moment()


class QuotaLimit(SQLModel, table=True):
    """What AWS said of a quota in a cell's region: it goes before the default of the catalog."""

    __tablename__ = "quota_limit"

    region: str = Field(primary_key=True)
    cell: str = Field(default="default", primary_key=True)
    name: str = Field(primary_key=True)
    granted: int
    used: int | None = None
    seen_at: datetime = moment(nullable=False)


class Schedule(SQLModel, table=True):
    """When something is due next. Of many workers the one that changes `due_at` does it.

    What is done in each of several cells has a row for each, and is done by the workers of that cell.
    """

    name: str = Field(primary_key=True)
    cell: str = Field(default="", primary_key=True)  # "": once for all cells
    cron: str
    zone: str = "UTC"
    jitter_seconds: int = 0
    enabled: bool = True
    due_at: datetime = moment(nullable=False)
    holder: str = ""  # who runs it now
    held_until: datetime | None = moment()
    last_started_at: datetime | None = moment()
    last_ended_at: datetime | None = moment()
    last_status: str = ""  # done, failed, lost
    last_words: str = ""
    missed: int = 0  # ticks that nobody was there for, since the last that was done
    missed_in_all: int = 0
