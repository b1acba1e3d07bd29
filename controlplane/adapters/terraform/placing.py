"""Before a run, the workspace's folder gets the newest durable state. Terraform takes an empty state file
for an empty world and would create everything again, so what lies there is never believed unseen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from controlplane.adapters.terraform.files import make_folder, write_whole
from controlplane.adapters.terraform.prepare import OVERRIDE, Prepared
from controlplane.adapters.terraform.records import StateRecords, StateRow
from controlplane.domain.errors import Conflict
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
    (folder / LOCK_INFO_PATH).unlink(missing_ok=True)  # a leftover says nothing: we hold the real lock
    durable, local = states.newest(workspace), read_state(file)
    damaged = file.exists() and local is None
    if local is not None and _is_ahead(states, workspace, durable, local):
        stored = states.put(workspace, local.content, written_by="leftover of a dead run")
        return Placed(stored.lineage, stored.sha256, ("a state that a dead run left behind was stored",))
    notes = ("the state file that lay in the folder was empty or cut: not used",) if damaged else ()
    if durable is None:
        file.unlink(missing_ok=True)
        return Placed(notes=notes)
    write_whole(file, durable.content)
    return Placed(durable.lineage, durable.sha256, notes)


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
