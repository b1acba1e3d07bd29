"""`terraform init`, once for every set of providers and modules; workspaces then share its data folder.

Terraform finds modules relative to the workspace and the backend's configuration is constant, so that
nothing in the shared folder belongs to one workspace, and no run writes into it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from controlplane.adapters.terraform.command import Commands
from controlplane.adapters.terraform.discovery import Installation
from controlplane.adapters.terraform.files import make_folder, write_whole
from controlplane.domain.errors import TerraformFailed, Unavailable
from controlplane.domain.redaction import Redactor
from controlplane.supervisor.task import LOCK_FILE, OVERRIDE_FILE, STATE_PATH

OVERRIDE = f"""# Written by the control plane's runner: a run keeps its state here and streams it.
terraform {{
  backend "local" {{
    path = "{STATE_PATH}"
  }}
}}
"""
_INIT_SECONDS = 600
# Files without any of these (imports, moves) change neither providers nor modules. From Terraform 1.15 on
# `init` also looks whether modules declare the variables that they are called with.
_MATTERS = re.compile(
    r"^\s*(terraform|provider|module|resource|data|ephemeral|action|variable|output|locals)\b", re.M
)


@dataclass(frozen=True)
class Prepared:
    data: Path  # TF_DATA_DIR
    lock_file: Path


def child_environment(installation: Installation, home: Path) -> dict[str, str]:
    """A child's environment from nothing: no variable of ours reaches it, TF_LOG least of all."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(make_folder(home)),
        "LANG": "C.UTF-8",
        "TF_CLI_CONFIG_FILE": str(installation.cli_config),
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "CHECKPOINT_DISABLE": "1",
    }


class Preparation:
    def __init__(self, data_dir: Path, installation: Installation, commands: Commands) -> None:
        self._root = data_dir / "terraform" / "prepared"
        self._home = data_dir / "terraform" / "home"
        self._installation = installation
        self._commands = commands

    def of(self, folder: Path) -> Prepared:
        """The prepared data folder for this workspace's providers and modules; made if need be."""
        ready = self.folder_of(folder)
        if not ready.is_dir():
            with self._alone(ready.name):
                if not ready.is_dir():
                    self._make(folder, ready)
        return Prepared(ready / "data", ready / "lock.hcl")

    def folder_of(self, folder: Path) -> Path:
        """Where this workspace's preparation is, or would be."""
        digest = hashlib.sha256()
        terraform = self._installation.terraform
        digest.update(f"{terraform.product} {terraform.version} {' '.join(terraform.command)}\0".encode())
        digest.update(self._installation.cli_config.read_bytes())
        for path in sources(folder):
            digest.update(f"\0{path.relative_to(folder)}\0".encode() + path.read_bytes())
        return self._root / digest.hexdigest()[:32]

    @contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        descriptor = os.open(
            make_folder(self._root) / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _make(self, folder: Path, ready: Path) -> None:
        """In a folder beside, renamed when it is complete: a killed init leaves nothing that counts."""
        try:
            beside = Path(tempfile.mkdtemp(prefix=f".{ready.name}-", dir=self._root))
        except OSError as error:
            raise Unavailable(f"preparing Terraform in {self._root}: {error.strerror}") from error
        try:
            source = beside / "source"
            for path in sources(folder):
                copy = source / path.relative_to(folder)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
            write_whole(source / OVERRIDE_FILE, OVERRIDE.encode())
            self._init(source, beside / "data")
            lock_file = source / LOCK_FILE
            (beside / "lock.hcl").write_bytes(lock_file.read_bytes() if lock_file.exists() else b"")
            (beside / "data").mkdir(exist_ok=True)
            shutil.rmtree(source)
            beside.replace(ready)
        except OSError as error:
            raise Unavailable(f"preparing Terraform in {self._root}: {error.strerror}") from error
        finally:
            shutil.rmtree(beside, ignore_errors=True)

    def _init(self, source: Path, data: Path) -> None:
        environment = child_environment(self._installation, self._home) | {"TF_DATA_DIR": str(data)}
        command = self._commands.init(keep_lock_file=(source / LOCK_FILE).exists())
        try:
            done = subprocess.run(
                command,
                cwd=source,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=_INIT_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unavailable(f"terraform init: {type(error).__name__}") from error
        if done.returncode:
            last = done.stdout.decode(errors="replace").strip().splitlines()[-15:]
            raise TerraformFailed(
                f"terraform init exited {done.returncode}:\n{Redactor().text(chr(10).join(last))}",
                hint="`controlplane doctor` shows where providers are looked for",
            )


def sources(folder: Path) -> list[Path]:
    """What decides about providers and modules: configuration that holds them, and the lock file."""
    found = [path for path in sorted(folder.rglob("*.tf")) if _matters(path, folder)]
    lock_file = folder / LOCK_FILE
    return [*found, lock_file] if lock_file.is_file() and lock_file.stat().st_size else found


def _matters(path: Path, folder: Path) -> bool:
    inside = path.relative_to(folder).parts
    if inside[0] in (".run", ".terraform") or inside == (OVERRIDE_FILE,):
        return False
    return bool(_MATTERS.search(path.read_text(encoding="utf-8", errors="replace")))
