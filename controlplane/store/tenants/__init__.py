"""Tenants: their rows and every change of them (`rows`), and the listing of the fleet (`listing`)."""

from controlplane.store.tenants.listing import (
    TenantFilter,
    TenantPage,
    TenantRow,
    count,
    count_by_phase,
    page,
)
from controlplane.store.tenants.rows import (
    Route,
    by_slug,
    by_uid,
    change,
    find,
    flip_route,
    hold,
    insert,
    labels,
    observe_generation,
    revive,
    set_phase,
    set_route,
    slugs,
)

__all__ = [
    "Route",
    "TenantFilter",
    "TenantPage",
    "TenantRow",
    "by_slug",
    "by_uid",
    "change",
    "count",
    "count_by_phase",
    "find",
    "flip_route",
    "hold",
    "insert",
    "labels",
    "observe_generation",
    "page",
    "revive",
    "set_phase",
    "set_route",
    "slugs",
]
