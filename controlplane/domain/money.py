"""Money is a Decimal in USD; the store keeps integer micro-dollars; unknown is None, never zero."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
_MICRO = Decimal(1_000_000)


def to_micro(usd: Decimal) -> int:
    """Half-up, the rounding of every stored and printed figure."""
    return int((usd * _MICRO).to_integral_value(ROUND_HALF_UP))


def from_micro(micro: int) -> Decimal:
    return Decimal(micro) / _MICRO


def cents(usd: Decimal) -> Decimal:
    return usd.quantize(CENT, ROUND_HALF_UP)


def show_usd(usd: Decimal | None) -> str:
    """Two decimals, or the word `unknown`."""
    return "unknown" if usd is None else f"{cents(usd):,.2f}"
