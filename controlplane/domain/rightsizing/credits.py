"""CPU credits foreseen from a measured load: what a class would have earned and spent."""

from __future__ import annotations

from decimal import Decimal

from controlplane.domain.rightsizing.series import Series
from controlplane.domain.rightsizing.values import CHARGED, CPU, CPU_MEAN, Measured, Step

_SETTLING_HOURS = 24.0  # a new class begins without credits: being short in its first day says nothing
_MONTH_HOURS = 730


def _load(measured: Measured) -> Series | None:
    """The mean spends credits; where only the peak was measured, it stands for the mean: rather too much."""
    return next((s for n in (CPU_MEAN, CPU) if (s := measured.get(n)) and s.values), None)


def hours_short(measured: Measured, step: Step, scale: float = 1.0) -> float | None:
    """Hours without a credit left after the first day, if `step` had carried the load; None: not known."""
    load = _load(measured)
    if load is None or step.burst is None or load.hours <= _SETTLING_HOURS:
        return None
    hours, balance, passed, short = load.window.period / 3600, 0.0, 0.0, 0.0
    for value in load.values:
        spent = value * scale / 100 * step.vcpu * 60 * hours
        balance = min(step.burst.most_credits, balance + step.burst.credits_per_hour * hours - spent)
        passed += hours
        short += hours if balance <= 0 and passed > _SETTLING_HOURS else 0
    return short


def surplus_usd(measured: Measured, step: Step, vcpu_hour_usd: Decimal | None) -> Decimal | None:
    """What credits beyond the class's own cost a month; None: not known."""
    if step.burst is None:
        return Decimal(0)
    vcpu_hours = _charged_a_month(measured, step)
    if vcpu_hours is None or vcpu_hour_usd is None:
        return None
    return Decimal(str(round(vcpu_hours, 6))) * vcpu_hour_usd


def _charged_a_month(measured: Measured, step: Step) -> float | None:
    charged = measured.get(CHARGED)
    if charged and charged.values:
        return sum(charged.values) / 60 / charged.hours * _MONTH_HOURS
    load = _load(measured)
    if load is None or step.burst is None:
        return None
    over = load.mean - step.baseline_percent
    return max(0.0, over) / 100 * step.vcpu * _MONTH_HOURS
