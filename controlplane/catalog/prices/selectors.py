"""Which product of AWS's Price List is which of our keys."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any

from controlplane.catalog.prices import FOLDER


@dataclass(frozen=True, slots=True)
class Selector:
    service: str
    usage: str  # of the product, without its region prefix
    filters: Mapping[str, str] = field(default_factory=dict)
    region_field: str = "regionCode"
    begin: str = "0"  # of the price tier
    factor: Decimal = Decimal(1)

    def matches(self, usage_type: str) -> bool:
        """`EU-RDS:GP3-Storage` is `RDS:GP3-Storage` in Ireland; `USE1-`, `EUC1-` and none are the same."""
        return re.fullmatch(rf"(?:[A-Z]{{2,4}}\d?-)?{re.escape(self.usage)}", usage_type) is not None


def selector_for(key: str) -> Selector | None:
    """None: a flat estimate, which AWS publishes no price for."""
    for pattern, row in _rows():
        match = pattern.fullmatch(key)
        if match:
            name = match.groupdict().get("class", "")
            filters = {k: v.replace("{class}", name) for k, v in row.get("filters", {}).items()}
            return Selector(
                service=row["service"],
                usage=row["usage"].replace("{class}", name),
                filters=filters,
                region_field=row.get("region_field", "regionCode"),
                begin=row.get("begin", "0"),
                factor=Decimal(row.get("factor", "1")),
            )
    return None


@cache
def _rows() -> tuple[tuple[re.Pattern[str], Mapping[str, Any]], ...]:
    data = tomllib.loads((FOLDER / "aws.toml").read_text(encoding="utf-8"))
    return tuple((_pattern(row["key"]), row) for row in data["selectors"])


def _pattern(key: str) -> re.Pattern[str]:
    return re.compile(re.escape(key).replace(r"\{class\}", r"(?P<class>.+)"))
