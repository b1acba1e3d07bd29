"""When to worry: four signs that something is wrong, whatever the budget says."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

BILL_USD, USERS = Decimal(200), 100
ERROR_PERCENT = Decimal(1)
CPU_PERCENT, CPU_MINUTES = Decimal(80), 10
RESPONSE_SECONDS = Decimal(2)


@dataclass(frozen=True, slots=True)
class Signs:
    """What is measured; None is not measured and worries nobody."""

    monthly_usd: Decimal | None = None
    users: int | None = None
    function_errors_percent: Decimal | None = None
    database_cpu_percent: Decimal | None = None
    database_cpu_minutes: int = 0
    response_seconds: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Worry:
    rule: str
    message: str


def worries(signs: Signs) -> list[Worry]:
    checks = (_bill(signs), _errors(signs), _cpu(signs), _response(signs))
    return [worry for worry in checks if worry]


def _bill(s: Signs) -> Worry | None:
    if s.monthly_usd is None or s.users is None or s.monthly_usd <= BILL_USD or s.users >= USERS:
        return None
    return Worry("bill", f"{s.monthly_usd} USD a month for {s.users} users: look at the cost by service")


def _errors(s: Signs) -> Worry | None:
    if s.function_errors_percent is None or s.function_errors_percent <= ERROR_PERCENT:
        return None
    return Worry("function_errors", f"{s.function_errors_percent} percent of invocations fail")


def _cpu(s: Signs) -> Worry | None:
    if s.database_cpu_percent is None or s.database_cpu_percent <= CPU_PERCENT:
        return None
    if s.database_cpu_minutes < CPU_MINUTES:
        return None
    message = (
        f"the database's CPU is at {s.database_cpu_percent} percent for {s.database_cpu_minutes} minutes"
    )
    return Worry("database_cpu", message)


def _response(s: Signs) -> Worry | None:
    if s.response_seconds is None or s.response_seconds <= RESPONSE_SECONDS:
        return None
    return Worry("response", f"answers take {s.response_seconds} seconds")
