"""`PlanSource` with real Terraform: each workspace in a folder of its own, with a copy of its state."""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from controlplane.adapters.terraform.command import Commands
from controlplane.adapters.terraform.files import make_folder, write_whole
from controlplane.adapters.terraform.looks.bench import Bench
from controlplane.adapters.terraform.looks.hands import Hand, Order
from controlplane.adapters.terraform.place import RunnerPlace
from controlplane.adapters.terraform.placing import place_files, place_state
from controlplane.adapters.terraform.prepare import Preparation, child_environment
from controlplane.adapters.terraform.records import StateRecords
from controlplane.adapters.terraform.runner import empty_plan
from controlplane.domain.errors import ControlPlaneError, Missing, TerraformFailed, Unavailable
from controlplane.domain.redaction import Redactor
from controlplane.ports import PlanFound, PlanWanted
from controlplane.supervisor.locks import Slots

SECONDS = 600.0
_AFTER_ALL_CHANGES = 100  # a change is not kept waiting by somebody who only looks
_CHANGES = 2
_TAIL = 12


class TerraformPlans:
    def __init__(self, place: RunnerPlace, states: StateRecords, bench: Callable[[], Bench]) -> None:
        self._place = place
        self._states = states
        self._bench = bench

    def plans(self, wanted: Iterable[PlanWanted]) -> Iterator[PlanFound]:
        """In their order, as many at a time as Terraform has seats on this host."""
        bench, hands = self._bench(), SimpleQueue[Hand]()
        commands = Commands(bench.installation.terraform.command, self._place.data / "terraform" / "empty")
        look = _Look(self._place, self._states, bench, commands)
        made = [bench.hand() for _ in range(self._place.slots)]
        for hand in made:
            hands.put(hand)

        def one(of: PlanWanted) -> PlanFound:
            hand = hands.get()
            try:
                return look.at(of, hand)
            finally:
                hands.put(hand)

        try:
            with ThreadPoolExecutor(self._place.slots, thread_name_prefix="look") as pool:
                yield from pool.map(one, wanted)
        finally:
            for hand in made:
                hand.rest()


@dataclass(frozen=True)
class _Look:
    place: RunnerPlace
    states: StateRecords
    bench: Bench
    commands: Commands

    def at(self, wanted: PlanWanted, hand: Hand) -> PlanFound:
        try:
            with self._folder() as folder, self._seat():
                return PlanFound(wanted.workspace, self._document(wanted, folder, hand))
        except ControlPlaneError as error:
            return PlanFound(wanted.workspace, problem=error.message)

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        """Private, and gone with everything in clear that was in it."""
        folder = Path(tempfile.mkdtemp(prefix="look-", dir=make_folder(self.place.data / "looks")))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def _seat(self) -> Iterator[None]:
        """Operations' runs and looks share the host's seats."""
        ticket = self.place.ticket(f"look-{secrets.token_hex(4)}", _AFTER_ALL_CHANGES)
        slots, until = Slots(self.place.seats(), ticket), time.monotonic() + SECONDS
        try:
            while not slots.take():
                if time.monotonic() > until:
                    raise Unavailable("no seat for another Terraform on this host came free")
                time.sleep(0.2)
            yield
        finally:
            slots.leave_all()

    def _document(self, wanted: PlanWanted, folder: Path, hand: Hand) -> Mapping[str, Any]:
        workspace, plan = make_folder(folder / "workspace"), folder / "plan"
        for name, text in wanted.files.items():
            write_whole(workspace / name, text.encode())
        placed = place_state(self.states, wanted.workspace, workspace)
        if not (placed.lineage or wanted.may_be_new):
            raise Missing("there is no state of it: nothing was ever applied")
        order = self._order(folder, workspace)
        code = self._run(hand, order, self.commands.plan(plan, destroy=wanted.destroy), "planning")
        if code != _CHANGES:
            return empty_plan(self.bench.installation.terraform.version)
        order.output.unlink()
        self._run(hand, order, self.commands.show(plan), "showing the plan")
        document: dict[str, Any] = json.loads(order.output.read_bytes())
        return document

    def _order(self, folder: Path, workspace: Path) -> Order:
        terraform, root = self.bench.installation, self.place.data
        prepared = Preparation(root, terraform, self.commands).of(workspace)
        place_files(workspace, prepared)
        environment = {
            **child_environment(terraform, root / "terraform" / "home"),
            **self.bench.environment(),
            "TF_DATA_DIR": str(prepared.data),
        }
        return Order(workspace, (), environment, folder / "output", folder / "errors")

    def _run(self, hand: Hand, order: Order, command: list[str], doing: str) -> int:
        arguments = command[len(self.bench.installation.terraform.command) :]
        asked = Order(order.folder, arguments, order.environment, order.output, order.errors)
        code = hand.run(asked, SECONDS)
        if code is None:
            raise TerraformFailed(f"{doing}: no answer within {SECONDS:.0f} s")
        if code not in (0, _CHANGES):
            raise TerraformFailed(f"{doing}: terraform exited {code}: {_last_words(order)}")
        return code


def _last_words(order: Order) -> str:
    """Errors of `plan -json` are lines of its output."""
    said = [file.read_text(errors="replace") for file in (order.output, order.errors) if file.is_file()]
    lines = [
        line for text in said for line in text.splitlines() if '"@level":"error"' in line or "Error" in line
    ]
    return Redactor().text(" ".join(_message(line) for line in lines[-_TAIL:]))[:1000] or "without a word"


def _message(line: str) -> str:
    try:
        said = json.loads(line)
    except ValueError:
        return line
    detail = (said.get("diagnostic") or {}).get("detail", "")
    return (
        f"{said.get('@message', line)}: {' '.join(detail.split())}" if detail else str(said.get("@message"))
    )
