"""Terraform's argument lists, made by python-terraform's command builder (docs/adr/0002).

No secret ever stands here: credentials travel in the child's environment, tenants' values in tfvars.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from python_terraform import IsFlagged
from python_terraform import Terraform as Builder

from controlplane.adapters.terraform.files import make_folder


class Commands:
    def __init__(self, command: Sequence[str], empty_folder: Path) -> None:
        """`empty_folder`: the builder looks for a state where it is made, and shall find none."""
        self._command = list(command)
        self._builder = Builder(working_dir=str(make_folder(empty_folder)), terraform_bin_path=command[0])

    def init(self, *, keep_lock_file: bool) -> list[str]:
        mode = "readonly" if keep_lock_file else None
        return self._build("init", input=False, no_color=IsFlagged, lockfile=mode)

    def plan(self, out: Path, *, destroy: bool) -> list[str]:
        """Exit code 0: empty, 2: changes."""
        return self._build(
            "plan",
            input=False,
            json=IsFlagged,
            detailed_exitcode=IsFlagged,
            destroy=IsFlagged if destroy else None,
            out=str(out),
        )

    def show(self, plan: Path) -> list[str]:
        return self._build("show", str(plan), json=IsFlagged)

    def apply(self, plan: Path) -> list[str]:
        """Of a saved plan. Without a backup: every state is kept elsewhere, encrypted."""
        return self._build("apply", str(plan), input=False, json=IsFlagged, backup="-")

    def _build(self, verb: str, *arguments: str, **options: Any) -> list[str]:
        built: list[str] = self._builder.generate_cmd_string(verb, *arguments, **options)
        return [*self._command, *built[1:]]
