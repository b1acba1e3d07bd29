"""Entries that leave the catalog, as a file of JSON lines: whole on the disk, or not there at all."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from itertools import takewhile
from pathlib import Path

from sqlalchemy.orm import Session

from controlplane.domain.errors import Unavailable
from controlplane.store.audit.entries import export
from controlplane.store.audit.trimming import Stretch


def write_out(session: Session, part: Stretch, folder: Path) -> Path:
    """The file with these entries, on the disk when this returns. Safe to repeat."""
    target = folder / f"audit-{part.first:09}-{part.last:09}.jsonl"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(session, target, part)
        _settle(folder)
    except OSError as error:
        raise Unavailable(
            f"exporting old entries of the audit to {target}: {error.strerror or error}; all of them stay",
            hint="make room there, or let this process write there; the next time goes on",
        ) from error
    return target


def _write(session: Session, target: Path, part: Stretch) -> None:
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        with partial.open("w", encoding="utf-8") as written:
            partial.chmod(0o600)
            entries = takewhile(lambda entry: entry["seq"] <= part.last, export(session))
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
