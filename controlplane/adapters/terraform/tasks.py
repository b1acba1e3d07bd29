"""The task of one run's supervisor: the folder made ready, Terraform's arguments and environment, one key."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path

from controlplane.adapters.terraform.command import Commands
from controlplane.adapters.terraform.discovery import Installation
from controlplane.adapters.terraform.files import write_whole
from controlplane.adapters.terraform.place import RunnerPlace
from controlplane.adapters.terraform.placing import Placed, place_files, place_state
from controlplane.adapters.terraform.prepare import Preparation, child_environment
from controlplane.adapters.terraform.records import RunRow, StateRecords
from controlplane.ports import Keyring, RunOrder, RunVerb
from controlplane.supervisor.task import Key, Task

AwsEnvironment = Callable[[RunVerb, str], Mapping[str, str]]  # of a run of this operation

_SHORTEST_SECRET = 8  # a shorter value may be an everyday word
_SECRET_NAMES = ("SECRET", "TOKEN", "PASSWORD", "ACCESS_KEY")


class Tasks:
    def __init__(
        self,
        place: RunnerPlace,
        states: StateRecords,
        keyring: Keyring,
        install: Callable[[], Installation],
        aws_environment: AwsEnvironment,
    ) -> None:
        self._place = place
        self._states = states
        self._keyring = keyring
        self._install = install
        self._aws_environment = aws_environment

    @cached_property
    def installation(self) -> Installation:
        return self._install()

    @cached_property
    def _commands(self) -> Commands:
        return Commands(self.installation.terraform.command, self._place.data / "terraform" / "empty")

    @cached_property
    def _preparation(self) -> Preparation:
        return Preparation(self._place.data, self.installation, self._commands)

    def fresh(self, order: RunOrder, plan: bytes | None, known: frozenset[str]) -> Task:
        """Makes the workspace's folder ready, so call it with the workspace's lock in hand."""
        folder, workspace = self._place.folder(order.run_id), Path(order.folder)
        prepared = self._preparation.of(workspace)
        place_files(workspace, prepared)
        placed = place_state(self._states, order.workspace, workspace)
        if plan is None:
            commands = [
                self._commands.plan(folder.plan, destroy=order.destroy),
                self._commands.show(folder.plan),
            ]
        else:
            write_whole(folder.plan, plan)
            commands = [self._commands.apply(folder.plan)]
        aws = dict(self._aws_environment(order.verb, order.operation))
        environment = child_environment(self.installation, self._place.data / "terraform" / "home")
        task = self._bare(order.run_id, order.workspace, order.folder, placed)
        return task._replace(
            commands=commands,
            environment={**environment, **aws, "TF_DATA_DIR": str(prepared.data)},
            known=_long_enough([*known, *_secrets(aws)]),
            touches_database=order.touches_database,
            timeout_seconds=order.timeout_seconds,
            slots=self._place.seats(),
            ticket=self._place.ticket(order.run_id, order.priority),
            notes=[note for note in (order.origin, *task.notes) if note],
        )

    def attaching(self, row: RunRow) -> Task:
        """For the successor of a dead supervisor: it only waits, and stores what is left."""
        newest = self._states.head(row.workspace_id)
        placed = Placed(newest.lineage, newest.sha256) if newest else Placed()
        task = self._bare(row.id, row.workspace_id, row.details["folder"], placed)
        return task._replace(
            attach=True,
            known=_long_enough(_secrets(self._aws_environment(RunVerb(row.verb), row.operation_id))),
            touches_database=bool(row.details.get("touches_database")),
            timeout_seconds=float(row.details.get("timeout_seconds", 3600)),
        )

    def _bare(self, run_id: str, workspace_id: str, workspace: str, placed: Placed) -> Task:
        key = self._keyring.data_key()
        return Task(
            run_id=run_id,
            workspace_id=workspace_id,
            token=secrets.token_hex(8),
            host=self._place.host_identity,
            database=self._place.absolute_url,
            folder=str(Path(workspace).absolute()),
            run_folder=str(self._place.folder(run_id).path),
            commands=[],
            environment={},
            known=[],
            key=Key(key.key_id, key.plain, key.wrapped),
            touches_database=False,
            timeout_seconds=0,
            lineage=placed.lineage,
            state_sha256=placed.sha256,
            notes=list(placed.notes),
            lease_seconds=self._place.lease_seconds,
            grace_seconds=self._place.grace_seconds,
        )


def _secrets(environment: Mapping[str, str]) -> list[str]:
    return [value for name, value in environment.items() if any(word in name for word in _SECRET_NAMES)]


def _long_enough(values: list[str]) -> list[str]:
    return [value for value in values if len(value) >= _SHORTEST_SECRET]
