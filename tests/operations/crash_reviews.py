"""Workers whose reviews live on a host, killed when the host changes something for them."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from multiprocessing.process import BaseProcess
from pathlib import Path

from controlplane.domain.review.verbs import HostRules
from controlplane.services.control import Control
from controlplane.services.reviews.hosting import Hosting
from controlplane.services.reviews.keeper import Keeper
from controlplane.store import reviews
from tests.contract.github.double import GITHUB
from tests.contract.gitlab.double import GITLAB
from tests.contract.hosts.bare import Bare
from tests.contract.hosts.server import Host
from tests.operations.crash_worker import SECONDS, warm
from tests.operations.hosted import PEOPLE
from tests.operations.house import House, build

KINDS = {kind.name: kind for kind in (GITHUB, GITLAB)}
BY = "bob-hub"  # who says `apply` as soon as the page can be read


@dataclass
class Killer:
    """Kills the worker when the host is at a point, `WHERE WHAT COUNT`; notes all that it passes."""

    host: Host
    point: str = ""
    worker: BaseProcess | None = None
    passed: list[str] = field(default_factory=list)
    _counts: Counter[str] = field(default_factory=Counter)

    def __call__(self, where: str, what: str) -> bool:
        if where == "after" and what.endswith(("/notes", "/comments")) and not self._said():
            self.host.double.say(max(self.host.double.pulls), BY, "controlplane apply")
        self._counts[f"{where} {what}"] += 1
        here = f"{where} {what} {self._counts[f'{where} {what}']}"
        self.passed.append(here)
        if here != self.point or self.worker is None or self.worker.pid is None:
            return False
        os.kill(self.worker.pid, signal.SIGKILL)
        self.worker.join(SECONDS)
        return True

    def _said(self) -> bool:
        texts = (text for number in self.host.double.pulls for text in self.host.double.texts(number))
        return any(text == "controlplane apply" for text in texts)


def work(folder: Path, host: Host, killer: Killer, *, apply_first: bool) -> int:
    """A worker's whole life: until its reviews are over, or until it is killed."""
    bare = str(host.double.bare.folder)
    process = warm.Process(target=_work, args=(str(folder), host.kind.name, host.url, bare, apply_first))
    killer.worker = process
    host.on_change = killer
    process.start()
    process.join(SECONDS)
    if process.is_alive():
        process.kill()
        raise AssertionError(f"the worker did not end within {SECONDS} s")
    return process.exitcode or 0


def controlled(house: House, host: Host, *, apply_first: bool) -> Control:
    forge = host.forge()
    rules = HostRules(host.kind.name.lower(), people=PEOPLE)
    return replace(
        house.control,
        changes_through="review",
        forge=lambda: forge,
        host=rules,
        apply_before_merge=apply_first,
    )


def _work(folder: str, kind: str, url: str, bare: str, apply_first: bool) -> None:
    house = build(Path(folder))
    host = Host(KINDS[kind], KINDS[kind].double(Bare(Path(bare))), url)
    control = controlled(house, host, apply_first=apply_first)
    worker = house.worker()
    worker.hooks = (Keeper(control, look_seconds=0), Hosting(control, look_seconds=0))
    until = time.monotonic() + SECONDS / 2
    while time.monotonic() < until:
        worker.run(until_idle=True)
        Hosting(control)()
        with house.db.read() as session:
            if not reviews.unfinished(session):
                break
        time.sleep(0.05)
    worker.run(until_idle=True)
    Hosting(control)()
    os._exit(0)
