"""Terraform on rendered folders: found as the product finds it, in an environment built from nothing."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from controlplane.adapters.terraform.discovery import install

_SECONDS = 600
_PROVIDER = "providers/*/hashicorp/aws/*/*/terraform-provider-aws*"


class Terraform:
    """One installation; `data` is shared by all folders with the same modules, so that init runs once."""

    def __init__(self, home: Path, environment: Mapping[str, str] | None = None) -> None:
        installation = install("", "", home)
        self._command = installation.terraform.command
        self._environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(home),
            "TF_CLI_CONFIG_FILE": str(installation.cli_config),
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
            "CHECKPOINT_DISABLE": "1",
            "GOGC": "400",  # as the product runs it: a third less work for every process
            **(environment or {}),
        }

    def attempt(
        self, folder: Path, *arguments: str, data: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._command, *arguments],
            cwd=folder,
            env=self._environment | ({"TF_DATA_DIR": str(data)} if data else {}),
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )

    def run(self, folder: Path, *arguments: str, data: Path | None = None) -> str:
        done = self.attempt(folder, *arguments, data=data)
        assert done.returncode == 0, f"terraform {' '.join(arguments)}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def init(self, folder: Path, data: Path) -> None:
        """Without a backend, and with the lock file as it was rendered."""
        self.run(folder, "init", "-backend=false", "-lockfile=readonly", "-no-color", data=data)

    @contextmanager
    def attached(self, folder: Path) -> Iterator[None]:
        """One process of the provider that init found for the folder, for all runs of Terraform within: it
        would start one three times a run, which is most of the work where a run asks nobody."""
        (provider,) = (folder / ".terraform").glob(_PROVIDER)
        log = folder / ".provider.log"
        with (
            log.open("wb") as said,
            subprocess.Popen(
                [provider, "-debug"], env=self._environment, stdout=said, stderr=said
            ) as process,
        ):
            try:
                where = announced(log, process, r"TF_REATTACH_PROVIDERS='(.+)'")
                self._environment["TF_REATTACH_PROVIDERS"] = where
                yield
            finally:
                self._environment.pop("TF_REATTACH_PROVIDERS", None)
                process.kill()


def announced(log: Path, process: subprocess.Popen[bytes], pattern: str) -> str:
    """Where a server says that it can be reached."""
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        found = re.search(pattern, log.read_text())
        if found:
            return found[1]
        time.sleep(0.1)
    raise AssertionError(f"it did not start: {log.read_text()}")


def write(folder: Path, files: Mapping[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder
