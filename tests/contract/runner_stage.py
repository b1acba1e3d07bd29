"""Two stages on which the Runner's promises are played: the fake, and real Terraform on `terraform_data`."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from controlplane.adapters.keyring import FileKeyring
from controlplane.adapters.terraform.command import Commands
from controlplane.adapters.terraform.discovery import Installation, install
from controlplane.adapters.terraform.place import RunnerPlace
from controlplane.adapters.terraform.prepare import Preparation
from controlplane.adapters.terraform.runner import TerraformRunner
from controlplane.domain.names import OperationId, RunId, WorkspaceId
from controlplane.ports import Keyring, Runner, RunOrder, RunReport, RunStatus, RunVerb, StateBucket
from controlplane.store.database import Database, connect, open_database
from controlplane.store.migrate import migrate
from controlplane.store.runs import Runs
from controlplane.store.states import States
from controlplane.store.states.bucket import PublishedStates
from controlplane.supervisor.task import RunFolder
from tests.catalogs import make_catalog
from tests.fakes.runner import FakeRunner, create, plan_of

WORKSPACE = WorkspaceId("tenant-abc")
PATIENCE_SECONDS = 60


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait for something that must happen; a test that waits in vain fails."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"never happened: {what}")
        time.sleep(0.03)


def order(verb: RunVerb, run_id: str, folder: Path, **fields: Any) -> RunOrder:
    made = RunOrder(RunId(run_id), WORKSPACE, OperationId("op"), verb, str(folder), timeout_seconds=120)
    return replace(made, **fields)


class Stage:
    """What a test may arrange, whatever stands behind the port."""

    folder: Path

    def runner(self) -> Runner:
        """A worker's runner; asked again, that of its successor."""
        raise NotImplementedError

    def configure(self, *, resources: int = 1, seconds: int = 0, says: str = "", hangs: bool = False) -> None:
        """What the workspace contains, how long applying takes and what it says; or a plan that hangs."""
        raise NotImplementedError

    def finish(self, run_id: str) -> RunReport:
        """Follow a run to its end."""
        runner = self.runner()
        found: list[RunReport] = []

        def over() -> bool:
            found[:] = [runner.look(RunId(run_id))]
            return found[0].status in (RunStatus.ENDED, RunStatus.LOST)

        until(over, f"the end of {run_id}")
        return found[0]

    def plan(self, run_id: str = "p1", **fields: Any) -> RunReport:
        self.runner().start(order(RunVerb.PLAN, run_id, self.folder, **fields))
        return self.finish(run_id)

    def begin_apply(self, run_id: str = "a1", plan_run: str = "p1", **fields: Any) -> RunReport:
        wanted = order(RunVerb.APPLY, run_id, self.folder, plan_run=RunId(plan_run), **fields)
        return self.runner().start(wanted)

    def apply(self, run_id: str = "a1", plan_run: str = "p1", **fields: Any) -> RunReport:
        self.begin_apply(run_id, plan_run, **fields)
        return self.finish(run_id)


class FakeStage(Stage):
    def __init__(self, tmp: Path) -> None:
        self._file = tmp / "world.json"
        self.folder = tmp

    def runner(self) -> FakeRunner:
        return FakeRunner(self._file)

    def configure(self, *, resources: int = 1, seconds: int = 0, says: str = "", hangs: bool = False) -> None:
        changes = [create(f"terraform_data.r{n}") for n in range(resources)]
        runner = self.runner()
        runner.expect(WORKSPACE, RunVerb.PLAN, plan=plan_of(*changes), seconds=1000 if hangs else 0)
        runner.expect(WORKSPACE, RunVerb.APPLY, seconds=seconds, lines=[says] if says else [])


class RealStage(Stage):
    """Terraform without any cloud: `terraform_data` that sleeps in a provisioner."""

    def __init__(
        self,
        tmp: Path,
        *,
        aws: Mapping[str, str] | None = None,
        slots: int = 2,
        url: str = "",
        bucket: StateBucket | None = None,
    ) -> None:
        self.tmp, self.folder = tmp, tmp / "workspace"
        self.url = url or f"sqlite:///{tmp}/tenants.db"
        self._aws = dict(aws or {})
        self._bucket = bucket
        if not self.folder.exists():  # else it is a successor's view of a stage that stands already
            self.folder.mkdir()
            self._make_catalog()
        self.place = RunnerPlace(tmp / "data", self.url, slots, grace_seconds=(2.0, 2.0))
        self.keyring: Keyring = FileKeyring(tmp / "keyring.json")
        self._open: list[Database] = []
        self._install: Callable[[], Installation] = lambda: install("", "", self.place.data_dir)

    def _make_catalog(self) -> None:
        db = connect(self.url)
        if db.file:
            make_catalog(db.file)
        else:
            migrate(db)
        db.close()

    def use(self, install: Callable[[], Installation]) -> None:
        self._install = install

    def apply_with(self, script: Path) -> RunReport:
        """An apply of p1 for which this script stands in for Terraform."""
        script.chmod(0o755)
        found = self._install()
        self._install = lambda: replace(found, terraform=replace(found.terraform, command=(str(script),)))
        self._prepare_for(script)
        return self.apply("a9", "p1")

    def _prepare_for(self, script: Path) -> None:
        """A preparation for the stand-in, which cannot do `init`."""
        installation = self._install()
        commands = Commands(installation.terraform.command, self.tmp / "empty")
        ready = Preparation(self.place.data, installation, commands).folder_of(self.folder)
        (ready / "data").mkdir(parents=True)
        (ready / "lock.hcl").touch()

    def database(self) -> Database:
        self._open.append(open_database(self.url))
        return self._open[-1]

    def runner(self) -> TerraformRunner:
        db = self.database()
        return TerraformRunner(
            self.place,
            Runs(db, self.keyring),
            self._states(db),
            self.keyring,
            self._install,
            lambda _verb, _operation: self._aws,
        )

    @property
    def states(self) -> States:
        return self._states(self.database())

    def _states(self, db: Database) -> States:
        return PublishedStates(db, self.keyring, self._bucket) if self._bucket else States(db, self.keyring)

    def configure(self, *, resources: int = 1, seconds: int = 0, says: str = "", hangs: bool = False) -> None:
        """One after the other; the second takes its time."""
        words = says.replace('"', '\\"').replace("$", "$$")
        text = ""
        for number in range(resources):
            command = f"echo '{words}'; sleep {seconds if number == 1 else 0}"
            text += f'resource "terraform_data" "r{number}" {{\n'
            text += f"  depends_on = [terraform_data.r{number - 1}]\n" if number else ""
            text += f'  provisioner "local-exec" {{\n    command = "{command}"\n  }}\n}}\n'
        if hangs:  # nobody ever writes into this pipe
            os.mkfifo(self.folder / "pipe")
            text += 'output "never" {\n  value = file("${path.module}/pipe")\n}\n'
        (self.folder / "main.tf").write_text(text)

    # --- killing

    def run_folder(self, run_id: str) -> RunFolder:
        return self.place.folder(run_id)

    def pid(self, file: Path) -> int:
        until(lambda: file.exists() and bool(file.read_text().strip()), f"a pid in {file.name}")
        return int(file.read_text())

    def kill_supervisor(self, run_id: str) -> None:
        self._kill(self.pid(self.run_folder(run_id).supervisor_lock))

    def kill_terraform(self, run_id: str) -> None:
        self._kill(self.pid(self.run_folder(run_id).terraform_lock))

    def _kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)

    def lives(self, group: int) -> bool:
        """Whether a process group has a member that is no zombie."""
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                letter, _, member_of = stat.read_text().rpartition(")")[2].split()[:3]
                if int(member_of) == group and letter not in "ZX":
                    return True
        return False

    def wait_for_line(self, run_id: str, part: str) -> None:
        runner = self.runner()
        until(lambda: any(part in line.text for line in runner.lines(RunId(run_id))), part)

    def close_databases(self) -> None:
        for db in self._open:
            db.close()

    def close(self) -> None:
        self.close_databases()
        for path in self.place.runs.glob("*/run.*"):
            with suppress(OSError, ValueError, ProcessLookupError):
                os.killpg(int(path.read_text()), signal.SIGKILL)


def stages(kind: str, tmp: Path) -> Iterator[Stage]:
    if kind == "fake":
        yield FakeStage(tmp)
        return
    real = RealStage(tmp)
    try:
        yield real
    finally:
        real.close()
