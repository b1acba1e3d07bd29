"""Entries of the audit whose time is over: into a file first, and only then out of the catalog."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import takewhile
from pathlib import Path

from controlplane.domain.errors import CatalogCorrupt, Unavailable
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
        file = _written(control, control.audit_exports, part)
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


def _written(control: Control, folder: Path, part: Stretch) -> Path:
    """The file with these entries, on the disk when this returns."""
    target = folder / f"audit-{part.first:09}-{part.last:09}.jsonl"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(control, target, part)
        _settle(folder)
    except OSError as error:
        raise Unavailable(
            f"exporting old entries of the audit to {target}: {error.strerror or error}; all of them stay",
            hint="make room there, or let this process write there; the next time goes on",
        ) from error
    return target


def _write(control: Control, target: Path, part: Stretch) -> None:
    """Whole or not at all."""
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        with control.db.read() as session, partial.open("w", encoding="utf-8") as written:
            partial.chmod(0o600)
            entries = takewhile(lambda entry: entry["seq"] <= part.last, audit.export(session))
            written.writelines(json.dumps(entry) + "\n" for entry in entries)
            written.flush()
            os.fsync(written.fileno())
        partial.replace(target)
    finally:
        with suppress(OSError):  # what went wrong before is what is told
            partial.unlink()


def _settle(folder: Path) -> None:
    """The name of a new file is on the disk only when its folder is."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
