"""Before a run, the workspace's folder gets the newest durable state. Terraform takes an empty state file
for an empty world and would create everything again, so what lies there is never believed unseen."""

from __future__ import annotations

import fcntl
import json
from dataclasses import dataclass
from pathlib import Path

from controlplane.adapters.terraform.files import make_folder, write_whole
from controlplane.adapters.terraform.prepare import OVERRIDE, Prepared
from controlplane.adapters.terraform.records import StateRecords, StateRow
from controlplane.domain.errors import Conflict, Locked
from controlplane.supervisor.statefile import StateFile, read_state
from controlplane.supervisor.task import LOCK_FILE, LOCK_INFO_PATH, OVERRIDE_FILE, STATE_PATH


@dataclass(frozen=True)
class Placed:
    lineage: str = ""  # empty: there is no state yet
    sha256: str = ""
    notes: tuple[str, ...] = ()


def place_files(folder: Path, prepared: Prepared) -> None:
    """The constant backend, and the lock file where the workspace brings none of its own."""
    write_whole(folder / OVERRIDE_FILE, OVERRIDE.encode())
    if not (folder / LOCK_FILE).exists() and prepared.lock_file.stat().st_size:
        write_whole(folder / LOCK_FILE, prepared.lock_file.read_bytes())


def place_state(states: StateRecords, workspace: str, folder: Path) -> Placed:
    """Put the newest state there. A newer one that a dead run left behind is stored first; one of another
    lineage that claims to be newer stops everything."""
    file = folder / STATE_PATH
    make_folder(file.parent)
    left = _lock_left_behind(folder)
    durable, local = states.newest(workspace), read_state(file)
    damaged = file.exists() and local is None
    if local is not None and _is_ahead(states, workspace, durable, local):
        stored = states.put(workspace, local.content, written_by="leftover of a dead run")
        notes = (*left, "a state that a dead run left behind was stored")
        return Placed(stored.lineage, stored.sha256, notes)
    notes = (*left, *(["the state file that lay in the folder was empty or cut: not used"] * damaged))
    if durable is None:
        file.unlink(missing_ok=True)
        return Placed(notes=notes)
    write_whole(file, durable.content)
    return Placed(durable.lineage, durable.sha256, notes)


def _lock_left_behind(folder: Path) -> tuple[str, ...]:
    """Terraform's lock of a run that was killed: the kernel freed it, its description is left. One that
    somebody still holds is of a Terraform that is not ours, for of ours we hold the workspace."""
    description, state = folder / LOCK_INFO_PATH, folder / STATE_PATH
    try:
        info = json.loads(description.read_bytes())
    except FileNotFoundError:
        return ()
    except ValueError:
        info = {}
    if state.exists() and _is_locked(state):
        raise Locked(
            f"a Terraform that is not the control plane's works in {folder}: {info.get('Who', 'by whom')} "
            f"holds the lock {info.get('ID', 'without an id')}",
            hint=f"let it end; {OVERRIDE_FILE} in that folder gives it a state that nobody keeps",
        )
    description.unlink()
    return (f"Terraform's lock {info.get('ID', 'without an id')}, left by a run that died, was removed",)


def _is_locked(state: Path) -> bool:
    """By Terraform's own kind of lock, which belongs to a process."""
    with state.open("rb") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _is_ahead(states: StateRecords, workspace: str, durable: StateRow | None, local: StateFile) -> bool:
    """Whether the local state is newer than the durable one. Within one apply the serial stays the same."""
    if durable is None:
        return True
    if local.lineage != durable.lineage:
        if local.serial > durable.serial:
            raise Conflict(
                f"the folder of {workspace} holds a state of another lineage with serial {local.serial}, "
                f"the stored one has serial {durable.serial}",
                hint="somebody ran Terraform there with another state: compare both, then remove "
                f"{STATE_PATH} from the folder, or push it",
            )
        return False
    if local.serial != durable.serial:
        return local.serial > durable.serial
    return local.sha256 != durable.sha256 and not states.holds(workspace, local.sha256)
