"""A workspace's files: the only place that writes them. Written twice, they are the same bytes."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain.errors import Refused, Unavailable
from controlplane.domain.names import slot_key
from controlplane.domain.operation import Kind
from controlplane.domain.workspace import Rendering, SlotSpec, slot_changes_refused
from controlplane.durable import reach
from controlplane.rendering import (
    OVERRIDE_FILE,
    PENDING_FILE,
    PROVENANCE_FILE,
    check_folder,
    record_of,
    render_platform,
    render_tenant,
)
from controlplane.steps import subject
from controlplane.steps.story import effect
from controlplane.steps.world import world
from controlplane.store import operations, templates

RUN_FOLDER = ".run"  # Terraform's working state: never part of what is rendered or reviewed


def folder_of(workspace_id: str) -> Path:
    return world().folders / workspace_id


@effect("write_workspace", "rendering the workspace")
def write(operation_id: str) -> dict[str, str]:
    """Render what the operation wants and write it; refuses to write over a person's edit."""
    found = subject.load(operation_id)
    _refuse_impossible(found)
    rendering = _render(found)
    folder = folder_of(found.operation.workspace_id)
    if not found.payload.get("discard_edits"):
        _refuse_hand_edits(folder, found)
    write_files(folder, rendering.files, "write_workspace")
    return {"folder": str(folder), "digest": rendering.digest, "version": rendering.template_version}


def draw(found: subject.Subject) -> Rendering:
    """What the operation would be planned from; nothing is written. Its gates stay closed: the secrets behind
    them may not be made yet, and a plan looks the same without."""
    _refuse_impossible(found)
    if not found.payload.get("discard_edits"):
        _refuse_hand_edits(folder_of(found.operation.workspace_id), found)
    catalog = world().catalog
    if found.tenant is None:
        return render_platform(replace(subject.platform_workspace(found), credential_write=False), catalog)
    closed = tuple(replace(slot, credential_write=False) for slot in found.wanted())
    return _drawn(found, closed)


def _refuse_impossible(found: subject.Subject) -> None:
    """Changes that Terraform would pass over in silence, such as a smaller storage."""
    if found.tenant is None or found.kind is Kind.DESTROY:
        return
    refused = slot_changes_refused([s for s in found.slots if s.epoch in found.there], found.wanted())
    if refused:
        raise Refused(f"{found.operation.tenant_slug}: " + "; ".join(refused))


def _render(found: subject.Subject) -> Rendering:
    catalog = world().catalog
    if found.tenant is None:
        return render_platform(subject.platform_workspace(found), catalog)
    return _drawn(found, _opened(found))


def _drawn(found: subject.Subject, wanted: tuple[SlotSpec, ...]) -> Rendering:
    here = world()
    with here.db.read() as session:
        template = subject.template(session, found, here.catalog)
    return render_tenant(subject.tenant_workspace(found, wanted, template), here.catalog)


def _opened(found: subject.Subject) -> tuple[SlotSpec, ...]:
    """An imported database seems to gain its password: with its gate open it is sent the one that it has."""
    imported = tuple(address for address, _ in found.operation.imports)
    return tuple(
        replace(slot, credential_write=True)
        if not slot.adopted and any(a.startswith(database_in(slot)) for a in imported)
        else slot
        for slot in found.wanted()
    )


def database_in(slot: SlotSpec) -> str:
    return f'module.database["{slot_key(slot.epoch)}"].aws_db_instance.'


def _refuse_hand_edits(folder: Path, found: subject.Subject) -> None:
    edits = check_folder(read_files(folder))
    if edits:
        names = ", ".join(sorted(e.path for e in edits))
        slug = found.operation.tenant_slug
        go_on = f"controlplane tenant reconcile {slug} --discard-edits"
        raise Refused(
            f"the workspace of {slug or found.operation.workspace_id} was edited by hand: {names}",
            hint=f"say what shall stay as a change of the tenant; then write over the rest: {go_on}"
            if slug
            else f"take the edits out of the folder, then: controlplane operation retry {found.operation.id}",
            details={"files": sorted(e.path for e in edits)},
        )


def read_files(folder: Path) -> dict[str, str]:
    """The rendered files as they stand, without Terraform's own."""
    return {
        name: (folder / name).read_text(encoding="utf-8", errors="replace") for name in sorted(_names(folder))
    }


def _names(folder: Path, within: str = "") -> Iterator[str]:
    """What stands there, but for Terraform's own. Plain strings: fleets have a hundred thousand files."""
    try:
        entries = list(os.scandir(f"{folder}/{within}"))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        name = within + entry.name
        if entry.is_dir(follow_symlinks=False):
            if name not in (RUN_FOLDER, ".terraform"):
                yield from _names(folder, f"{name}/")
        elif name != OVERRIDE_FILE and entry.is_file():
            yield name


def write_files(folder: Path, files: Mapping[str, str], step: str = "") -> None:
    """Write what differs, whole files at a time, and remove what is no longer rendered. Whoever is cut off in
    the middle leaves no hand-edited folder: what is to come is named first. `step`: whose middle that is."""
    try:
        there = set(_names(folder))
        new = {
            name: text
            for name, text in files.items()
            if name not in there or not _holds(f"{folder}/{name}", text.encode())
        }
        gone = there - set(files)
        if new or gone:
            _announce(folder, files[PROVENANCE_FILE])
            _change(folder, new, gone - {PENDING_FILE})
            reach(step, "middle")
            os.replace(folder / PENDING_FILE, folder / PROVENANCE_FILE)  # noqa: PTH105 - as below
    except OSError as error:
        raise Unavailable(
            f"writing the workspace in {folder}: {error.strerror}",
            hint="free some space, then: operation retry",
        ) from error


def _announce(folder: Path, provenance: str) -> None:
    """What a write that was cut off left behind is what this one starts from."""
    if (folder / PENDING_FILE).exists():
        _write(f"{folder}/{PROVENANCE_FILE}", record_of(read_files(folder)))
    folder.mkdir(parents=True, exist_ok=True)
    _write(f"{folder}/{PENDING_FILE}", provenance)


def _change(folder: Path, new: Mapping[str, str], gone: Collection[str]) -> None:
    for name in gone:
        (folder / name).unlink(missing_ok=True)  # it may have been beside what was just announced
    for within in {name.rpartition("/")[0] for name in new}:
        os.makedirs(f"{folder}/{within}", exist_ok=True)  # noqa: PTH103 - as in `_names`
    for name, text in new.items():
        if name != PROVENANCE_FILE:
            _write(f"{folder}/{name}", text)


def _holds(path: str, data: bytes) -> bool:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, len(data) + 1) == data
    finally:
        os.close(descriptor)


def _write(path: str, text: str) -> None:
    within, _, name = path.rpartition("/")
    beside = f"{within}/.{name}.new"
    with open(beside, "wb") as file:  # noqa: PTH123 - as in `_names`
        file.write(text.encode())
    os.replace(beside, path)  # noqa: PTH105 - atomic, whatever the platform


@effect("rewrite_workspace", "leaving the workspace as it is now wanted")
def rewrite(operation_id: str) -> None:
    """After the change: without imports and with the password's gate closed, so that a person's own plan
    in this folder is empty and reads no secret."""
    leave(operation_id)


def leave(operation_id: str) -> None:
    found = subject.load(operation_id)
    if found.tenant is None:
        return
    wanted = tuple(found.slots)
    if wanted:
        write_files(folder_of(found.operation.workspace_id), _drawn(found, wanted).files, "rewrite_workspace")


def diff_facts(workspace_id: str) -> dict[str, Any]:
    folder = folder_of(workspace_id)
    return {"folder": str(folder), "edits": [e.path for e in check_folder(read_files(folder))]}


def pin(session: Session, found: subject.Subject) -> dict[str, Any]:
    """What changes in the tenant's row once its plan is applied or found empty: the template that it is made
    from, which is kept from then on. What Terraform had no part in, such as a stop, pins nobody."""
    plan = operations.plan_of(session, found.operation)
    if found.tenant is None or plan is None or not plan.binding:
        return {}
    wanted = subject.template(session, found, world().catalog)
    if wanted is None:
        return {}
    templates.keep(session, wanted, world().now())
    if found.the_tenant().template_digest == wanted.digest:
        return {}
    return {"template_version": wanted.version, "template_digest": wanted.digest}
