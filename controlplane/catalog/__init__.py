"""Facts as data: sizes, stages, quotas, regions, modules and blueprints; prices stand beside them."""

from controlplane.catalog.loading import load, load_from
from controlplane.catalog.values import (
    AlarmRule,
    Blueprint,
    Catalog,
    CostLine,
    DatabaseSize,
    ModuleFacts,
    Option,
    Quota,
    Region,
    StageTier,
    WiredModule,
    Wiring,
)

__all__ = [
    "AlarmRule",
    "Blueprint",
    "Catalog",
    "CostLine",
    "DatabaseSize",
    "ModuleFacts",
    "Option",
    "Quota",
    "Region",
    "StageTier",
    "WiredModule",
    "Wiring",
    "load",
    "load_from",
]
