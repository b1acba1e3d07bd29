"""What a scene works with: commands that are typed and run, SQL as the application, words between them."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, LiteralString

from controlplane import wiring
from controlplane.domain.errors import Broken, ControlPlaneError, Unavailable
from controlplane.settings import Settings, environment_of
from controlplane.terminal.demo import leftovers
from controlplane.terminal.output import Printer
from controlplane.terminal.tables import plain_table

_COMMAND_SECONDS = 1800
_FROM_OUTSIDE = ("terraform", "provider_mirror", "terraform_slots", "region", "poll_seconds")


# Five minutes each, for 31 days.
_QUIET = {
    name: {"period": 300, "values": [value] * 288 * 31}
    for name, value in {
        "CPUUtilization": 2.0,
        "DatabaseConnections": 3.0,
        "FreeableMemory": 1.5e9,
        "FreeStorageSpace": 1.9e10,
        "SwapUsage": 0.0,
        "ReadIOPS": 1.0,
        "WriteIOPS": 1.0,
        "ReadLatency": 0.001,
        "WriteLatency": 0.001,
        "DiskQueueDepth": 0.0,
        "CPUCreditBalance": 576.0,
        "CPUCreditUsage": 0.05,
        "CPUSurplusCreditBalance": 0.0,
    }.items()
}


@dataclass
class Play:
    """One demo: its private folder, its settings, and when something happened."""

    folder: Path
    settings: Settings
    out: Printer
    moments: dict[str, float] = field(default_factory=dict)

    def title(self, text: str) -> None:
        self.out.text(f"\n\n{'━' * 3} {text} {'━' * max(3, 92 - len(text))}")

    def say(self, text: str) -> None:
        self.out.text(text)
        self.out.out.flush()

    def note(self, moment: str) -> None:
        self.moments[moment] = time.monotonic()

    def seconds(self, since: str, until: str) -> float:
        return self.moments[until] - self.moments[since]

    def type(self, *words: str) -> None:
        """A command as a person types it, and everything that it says."""
        self.say(f"\n$ controlplane {shlex.join(words)}")
        code, _ = self._run(words, None)
        if code:
            raise Broken(f"`controlplane {' '.join(words)}` ended with {code}", hint=_HINT)

    def ask(self, *words: str) -> dict[str, Any]:
        """A command's answer for the scene itself, without showing it."""
        code, answer = self._run([*words, "-o", "json", "-q"], subprocess.PIPE)
        if code:
            raise Broken(f"`controlplane {' '.join(words)}` ended with {code}", hint=_HINT)
        found: dict[str, Any] = json.loads(answer)
        return found

    def sql(self, slug: str, *statements: LiteralString) -> None:
        """As the tenant's application: what Secrets Manager says is all that it knows."""
        uid = self.ask("tenant", "show", slug)["uid"]
        answers = wiring.run_as_application(self.settings, slug, uid, statements)
        for statement, rows in zip(statements, answers, strict=True):
            self.say(f"\n{slug}=> {statement};")
            if rows:
                cells = [[str(value) for value in row] for row in rows]
                self.say(plain_table([""] * len(cells[0]), cells, [False] * len(cells[0])).lstrip("\n"))

    def by_hand(self, slug: str, **facts: Any) -> None:
        """What an engineer does in AWS's console."""
        wiring.change_by_hand(self.settings, self._database(slug), facts)

    def wait_for(self, slug: str) -> None:
        """Until a tenant that is made behind the scenes is there."""
        deadline = time.monotonic() + _COMMAND_SECONDS
        while (tenant := self.ask("tenant", "show", slug))["phase"] != "ready":
            if tenant["open_operation"] is None or time.monotonic() > deadline:
                raise Broken(f"{slug} is {tenant['phase']}", hint=_HINT)
            time.sleep(2)

    def quiet_month(self, slug: str) -> None:
        """CloudWatch remembers a month in which next to nothing happened."""
        file = self.folder / "quiet.json"
        file.write_text(json.dumps({self._database(slug): _QUIET}))
        wiring.load_metrics(self.settings, file)

    def _database(self, slug: str) -> str:
        tenant = self.ask("tenant", "show", slug)
        return str(next(s["identifier"] for s in tenant["slots"] if s["epoch"] == tenant["epoch"]))

    def _run(self, words: Sequence[str], out: int | None) -> tuple[int, str]:
        """A process of its own session: Ctrl-C reaches the demo alone, which then ends everybody."""
        process = subprocess.Popen(
            # -P: a cli.py that happens to lie in the working folder is not ours
            [sys.executable, "-P", "-m", "cli", *words],
            stdin=subprocess.DEVNULL,
            stdout=out,
            env=environment_of(self.settings),
            cwd=self.folder,  # so that it is found by who cleans up, however early it is interrupted
            start_new_session=True,
        )
        with process:
            try:
                answer, _ = process.communicate(timeout=_COMMAND_SECONDS)
            except subprocess.TimeoutExpired as error:
                raise Unavailable(f"`controlplane {' '.join(words)}` takes too long", hint=_HINT) from error
            finally:
                if process.poll() is None:
                    process.kill()
        return process.returncode, (answer or b"").decode()


_HINT = "run it once more with --keep and look around; `controlplane doctor` says what is missing here"


def open_play(settings: Settings, out: Printer) -> Play:
    """A folder of its own, so that two demos never meet; what says how this machine is stays."""
    # As root, PostgreSQL's account has to pass through; what is inside is private by itself.
    folder = Path(tempfile.mkdtemp(prefix="controlplane-demo-")).resolve()
    folder.chmod(0o711)
    kept = {name: getattr(settings, name) for name in _FROM_OUTSIDE}
    ours = replace(
        Settings(**kept),
        database_url=f"sqlite:///{folder / 'tenants.db'}",
        data_dir=folder / "data",
        two_person=False,  # a team of one
    )
    return Play(folder, ours, out)


def clear(play: Play) -> None:
    """End everybody who works in the folder, and remove it. Says so when something is left."""
    sandbox = wiring.sandbox_folder(play.settings)
    leftovers.end(play.folder, but=sandbox)
    with suppress(ControlPlaneError):
        wiring.reset_sandbox(play.settings)
    left = leftovers.end(play.folder)
    shutil.rmtree(play.folder, ignore_errors=True)
    if left or play.folder.exists():
        play.out.warn(f"could not be cleaned up: {play.folder}, processes {left or 'none'}")
