"""Databases that tenants share: each is its platform's; its tenants, which are schemas, have none to compare.

A scan says so by name, and tells when the database that they share is gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from controlplane.domain.drift import Difference, Severity
from controlplane.domain.plan.situations import find_situation
from controlplane.domain.selectors import Selector
from controlplane.ports import DatabaseInstance
from controlplane.services.control import Control
from controlplane.services.drift.recording import WHOLE, Look
from controlplane.store import operations, platforms
from controlplane.store.fleet import databases
from controlplane.store.fleet.databases import SchemaTenant


@dataclass(frozen=True)
class SharedDatabase:
    identifier: str
    workspace: str
    blueprint: str
    tenants: Sequence[str]
    busy_with: str  # an operation that is at work on its platform


def of_platforms(control: Control, session: Session) -> list[SharedDatabase]:
    """In this region, as the platforms' last applies gave them."""
    found = []
    for row in platforms.every(session):
        identifier = str((row.outputs or {}).get("database_identifier") or "")
        if identifier and row.region == control.region and control.cell_of_many in ("", row.cell):
            slugs = platforms.tenants_on(session, row.workspace_id)
            open_ones = operations.unfinished(session, row.workspace_id)
            busy = open_ones[0].id if open_ones else ""
            found.append(SharedDatabase(identifier, row.workspace_id, row.blueprint, slugs, busy))
    return found


def schema_tenants(control: Control, session: Session) -> list[SchemaTenant]:
    shared = [blueprint.name for blueprint in control.catalog.blueprints.values() if blueprint.is_shared]
    return databases.schemas(session, shared, control.region, control.cell_of_many)


def passed_over(found: Sequence[SchemaTenant], selector: Selector) -> Iterator[dict[str, str]]:
    """As every scan names them."""
    for one in found:
        if selector.matches(one.selectable):
            why = f"is a schema of {one.blueprint}: nothing of it is compared; a plan of its platform is"
            yield {"tenant": one.slug, "why": why}


def gone(found: Sequence[SharedDatabase], there: Mapping[str, DatabaseInstance]) -> Iterator[Look]:
    missing = find_situation(in_catalog=True, in_state=True, in_aws=False)
    for one in found:
        if one.identifier not in there and not one.busy_with:
            words = f"{missing.meaning}; {len(one.tenants)} tenants have their schemas in it"
            step = "do not apply the platform; restore the database from its last snapshot under its name"
            lost = Difference(WHOLE, Severity.DANGEROUS, one.identifier, "", words, step)
            yield Look(one.identifier, None, [lost], missing.name)
