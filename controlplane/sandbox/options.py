"""What can be chosen about one sandbox; kept beside its state, so that a restart behaves the same."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from controlplane.domain.errors import Invalid

FILE = "options.json"


@dataclass(frozen=True)
class SandboxOptions:
    delay_seconds: float = 2.0  # how long creating, modifying, backing-up … can be seen at least
    faults: str = ""  # file with faults to inject; empty: `faults.json` in the sandbox's folder
    instance_quota: int = 40  # AWS's default quota of DB instances a region
    snapshot_quota: int = 100  # AWS's default quota of manual snapshots a region
    storage_cooldown_seconds: int = 6 * 3600  # after a storage change AWS refuses the next for six hours
    switchover_minimum_seconds: int = 30  # AWS takes no shorter SwitchoverTimeout
    metrics_seconds: float = 60.0  # how often the instances are measured
    postgres: str = ""  # folder with PostgreSQL's programs; empty: discovered
    loopback: str = "127.0"  # instances get addresses below it at 5432; empty: 127.0.0.1 and free ports


def load(folder: Path) -> SandboxOptions:
    path = folder / FILE
    if not path.exists():
        return SandboxOptions()
    known = {f.name for f in fields(SandboxOptions)}
    try:
        values = json.loads(path.read_text())
        return SandboxOptions(**{name: value for name, value in values.items() if name in known})
    except (ValueError, AttributeError, TypeError) as error:
        raise Invalid(f"reading the sandbox's options in {path}: {error}", hint="delete the file") from error


def save(folder: Path, options: SandboxOptions) -> None:
    (folder / FILE).write_text(json.dumps(asdict(options), indent=2) + "\n")
