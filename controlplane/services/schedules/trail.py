"""Entries of the audit whose time is over: into a file first, and only then out of the catalog."""

from __future__ import annotations

from datetime import datetime, timedelta

from controlplane.domain.errors import CatalogCorrupt
from controlplane.services.actor import Actor
from controlplane.services.control import Control
from controlplane.store import audit
from controlplane.store.audit import Stretch

_AT_ONCE = 10_000  # in a file and a transaction: whoever wants to append waits for that


def export_old(control: Control, actor: Actor) -> dict[str, int]:
    """How many went. A crash leaves a file too many, never an entry too few. Safe to repeat."""
    if control.audit_days <= 0 or control.audit_exports is None:
        return {}
    before = control.now() - timedelta(days=control.audit_days)
    part = _oldest(control, before)
    if part is not None:
        _require_whole(control)
    gone = 0
    while part is not None:
        with control.db.read() as session:
            file = audit.write_out(session, part, control.audit_exports)
        with control.db.write() as session:
            audit.trim(session, part, at=control.now(), actor=actor.name, origin=actor.origin, file=file.name)
        gone += part.last - part.first + 1
        part = _oldest(control, before)
    return {"audit entries": gone}


def _oldest(control: Control, before: datetime) -> Stretch | None:
    with control.db.read() as session:
        return audit.oldest(session, before, _AT_ONCE)


def _require_whole(control: Control) -> None:
    """What somebody touched is evidence, and stays where it is."""
    with control.db.read() as session:
        found = audit.verify(session)
    if found.broken_seq is not None:
        raise CatalogCorrupt(
            f"exporting old entries of the audit: entry {found.broken_seq}: {found.why}; all of them stay",
            hint="controlplane audit verify",
        )
