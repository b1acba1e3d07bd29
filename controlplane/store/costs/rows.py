"""Tables of what the fleet costs. They belong to the one metadata, and are made by migrations only."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from controlplane.store.columns import Money, UtcTime

FLEET = ""  # in place of a tenant's uid: all of them, with what they share


class CostDay(SQLModel, table=True):
    """What one tenant, or the whole fleet, was estimated to cost a month, as seen on one day."""

    __tablename__ = "cost_day"
    __table_args__ = (Index("cost_day_tenant", "tenant_uid", "day"),)

    day: date = Field(primary_key=True)
    tenant_uid: str = Field(primary_key=True)
    slug: str = ""
    stage: str = ""
    size: str = ""
    region: str = ""
    multi_az: bool = False
    databases: int = 0  # that ran
    tenants: int = 1
    monthly_usd: Decimal | None = Field(default=None, sa_type=Money)
    shared_usd: Decimal | None = Field(default=None, sa_type=Money)
    book: str = ""  # the date of the price book


class BillDay(SQLModel, table=True):
    """What AWS billed for one day, tenant and service; what carries no tenant's tag has no tenant."""

    __tablename__ = "bill_day"

    day: date = Field(primary_key=True)
    tenant: str = Field(primary_key=True)
    service: str = Field(primary_key=True)
    usd: Decimal = Field(sa_type=Money)
    estimated: bool = False  # AWS may still change it


class BillQuery(SQLModel, table=True):
    """The one paid query of a day. Its row is there before it is asked, so that nobody asks twice."""

    __tablename__ = "bill_query"

    asked_on: date = Field(primary_key=True)
    begins: date
    ends: date  # exclusive
    requests: int = 0  # pages; 0 until it is answered
    cost_usd: Decimal | None = Field(default=None, sa_type=Money)
    asked_by: str
    asked_at: datetime = Field(sa_type=UtcTime)


class Budget(SQLModel, table=True):
    """What may be spent a month: by the whole fleet, or by one stage."""

    scope: str = Field(primary_key=True)  # fleet, poc, production
    monthly_usd: Decimal = Field(sa_type=Money)
    set_by: str
    reason: str = ""
    set_at: datetime = Field(sa_type=UtcTime)
