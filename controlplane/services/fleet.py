"""The fleet, page by page, as far as an actor sees it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from controlplane.domain.errors import FieldError, Invalid
from controlplane.domain.names import parse_slug
from controlplane.domain.operation import Kind, Status
from controlplane.domain.selectors import Operator, Selector, parse_selector, subject_of
from controlplane.services import operations, views
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Control
from controlplane.services.page import check_size
from controlplane.store import tenants
from controlplane.store.operations import OperationFilter
from controlplane.store.tenants import listing
from controlplane.store.tenants.listing import TenantFilter, TenantRow

SORTS = tuple(listing.SORTS)  # what a page can be sorted by


@dataclass(frozen=True)
class Listing:
    """One question about the fleet. `selector` as in `stage=poc,tier in (small,medium)`."""

    stage: str | None = None
    size: str | None = None
    phase: str | None = None
    region: str | None = None
    selector: str = ""
    q: str = ""
    sort: str = "slug"
    page_size: int = 50
    page_token: str = ""


def page(control: Control, actor: Actor, wanted: Listing) -> dict[str, Any]:
    """A full page, also for an actor who sees few tenants: what is skipped leaves no gap behind."""
    actor.require(Action.READ_TENANT)
    selector = parse_selector(wanted.selector)
    asked = TenantFilter(wanted.stage, wanted.size, wanted.phase, wanted.region, _labels(selector), wanted.q)
    seen: list[TenantRow] = []
    token: str | None = wanted.page_token
    with control.db.read() as session:
        while token is not None and (not seen or len(seen) < wanted.page_size):
            found = listing.page(session, asked, wanted.sort, wanted.page_size - len(seen), token)
            seen += [row for row in found.items if actor.sees(row.slug) and _matches(selector, row)]
            token = found.next_page_token
    return {"items": [views.tenant(row, dict(row.labels)) for row in seen], "next_page_token": token}


def _labels(selector: Selector) -> dict[str, str]:
    """What an index can answer of a selector: labels that have one value."""
    return {
        term.key: next(iter(term.values))
        for term in selector.terms
        if term.operator is Operator.IN and len(term.values) == 1 and not term.is_field
    }


def _matches(selector: Selector, row: TenantRow) -> bool:
    if not selector.terms:
        return True
    return selector.matches(subject_of({f: getattr(row, f) for f in _FIELDS}, row.labels))


_FIELDS = ("slug", "stage", "size", "phase", "region", "cell", "environment", "blueprint", "cost_tier")


@dataclass(frozen=True)
class Queue:
    """One question about operations; `tenant` is a slug."""

    tenant: str | None = None
    status: str | None = None
    kind: str | None = None
    wave: str | None = None
    page_size: int = 50
    page_token: str = ""


def queue(control: Control, actor: Actor, wanted: Queue) -> dict[str, Any]:
    """Operations, newest first."""
    uid = None
    if wanted.tenant:
        actor.require(Action.READ_OPERATION, parse_slug(wanted.tenant, "tenant"))
        with control.db.read() as session:
            uid = tenants.by_slug(session, wanted.tenant).uid
    asked = OperationFilter(uid, _one_of(Status, "status", wanted.status), _one_of(Kind, "kind", wanted.kind))
    asked = replace(asked, wave_id=wanted.wave)
    return operations.page(control, actor, asked, check_size(wanted.page_size), wanted.page_token or None)


def _one_of(words: type[StrEnum], field: str, text: str | None) -> str | None:
    if text is not None and text not in tuple(words):
        message = f"{text!r} is none of {', '.join(words)}"
        raise Invalid(message, errors=[FieldError(field, message)])
    return text
