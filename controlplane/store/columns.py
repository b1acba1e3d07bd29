"""Columns: money as integer micro-dollars, times as UTC, JSON as text; the same on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, DateTime, Dialect, Integer, String
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

from controlplane.domain.money import from_micro, to_micro

# A constraint without a name cannot be dropped by a later migration. Said here, since every table is made of
# these columns, whichever file is imported first.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Money(TypeDecorator[Decimal]):
    """SQLite would keep a Decimal as REAL, where three times 0.1 is not 0.3."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else to_micro(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        return None if value is None else from_micro(value)


class UtcTime(TypeDecorator[datetime]):
    """Aware in, aware out; a naive time is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        aware: datetime = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return aware


# Text that is sorted and searched by its bytes on both databases, whatever PostgreSQL's locale says.
Code: Any = String().with_variant(String(collation="C"), "postgresql")


def moment(nullable: bool = True) -> Any:
    return Field(default=None, sa_type=UtcTime, nullable=nullable)


def document(default: Any) -> Any:
    return Field(default_factory=default, sa_column=Column(JSON, nullable=False))


def sequence() -> Any:
    """Our own order of events: engine timestamps have whole seconds on some Pythons."""
    whole = BigInteger().with_variant(Integer, "sqlite")
    return Field(default=None, sa_column=Column(whole, primary_key=True, autoincrement=True))
