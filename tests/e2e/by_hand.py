"""An engineer with a terminal: Terraform in a rendered workspace, on the state that we serve."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Any

from tests.e2e.machine import Machine, Running
from tests.e2e.team import client, sandbox_of

LISTENING = "listening on "
SECONDS = 300


@dataclass(frozen=True)
class Hand:
    """Somebody who knows a server, a token and a folder, and nothing else of the control plane."""

    machine: Machine
    server: str
    token: str

    def folder(self, slug: str) -> Path:
        """What `tenant show` names: the rendered workspace."""
        uid = self._uid(slug)
        return self.machine.folder / ".controlplane" / "workspaces" / f"tenant-{uid}"

    def _uid(self, slug: str) -> str:
        code, told = self.machine.run("tenant", "show", slug, "-o", "json")
        assert code == 0, told
        return str(json.loads(told[told.index("{") :])["uid"])

    def terraform(self, folder: Path, *words: str, more: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Its exit code and what it said."""
        done = subprocess.run(
            ["terraform", *words],
            cwd=folder,
            env=self._environment(folder) | dict(more or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return done.returncode, done.stdout

    def copy(self, slug: str) -> Path:
        """The workspace as a checkout of it elsewhere, with its `init` done."""
        folder = self.machine.folder / "checkout" / slug
        ignored = ignore_patterns(".run", ".terraform", "runner_override.tf")
        copytree(self.folder(slug), folder, ignore=ignored)
        code, told = self.terraform(folder, "init", "-no-color")
        assert code == 0, told
        return folder

    def client(self, service: str) -> Any:
        """AWS without Terraform."""
        return client(self.machine, service)

    def plan(self, slug: str) -> tuple[int, str]:
        """`terraform init && terraform plan -detailed-exitcode`: 0 is an empty plan, 2 one with changes."""
        folder = self.folder(slug)
        code, told = self.terraform(folder, "init", "-no-color")
        assert code == 0, told
        return self.terraform(folder, "plan", "-no-color", "-detailed-exitcode")

    def _environment(self, folder: Path) -> dict[str, str]:
        workspace = json.loads((folder / "controlplane.json").read_text())["workspace"]
        address = f"{self.server}/v1/workspaces/{workspace}/state"
        data, sandbox = self.machine.folder / ".controlplane", sandbox_of(self.machine)
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.machine.folder / "home"),
            "TF_IN_AUTOMATION": "1",
            "TF_CLI_CONFIG_FILE": str(data / "terraform" / "cli.tfrc"),
            "TF_HTTP_ADDRESS": address,
            "TF_HTTP_LOCK_ADDRESS": address,
            "TF_HTTP_UNLOCK_ADDRESS": address,
            "TF_HTTP_USERNAME": "engineer",
            "TF_HTTP_PASSWORD": self.token,
            "AWS_ACCESS_KEY_ID": "engineer",
            "AWS_SECRET_ACCESS_KEY": "engineer",
            "AWS_REGION": str(sandbox["region"]),
            "AWS_ENDPOINT_URL": str(sandbox["endpoint_url"]),
        }


@contextmanager
def hand(machine: Machine) -> Iterator[Hand]:
    """A server that only answers: the work is stopped."""
    code, told = machine.run("token", "create", "engineer", "--role", "admin", "-o", "json")
    assert code == 0, told
    token = str(json.loads(told[told.index("{") : told.rindex("}") + 1])["secret"])
    server = machine.start("serve", "--no-worker", "--port", "0")
    try:
        yield Hand(machine, _address(server), token)
    finally:
        server.send(signal.SIGTERM)
        server.wait(60)


def _address(server: Running) -> str:
    server.wait_for(LISTENING, 60)
    return server.text.split(LISTENING, 1)[1].split()[0]
