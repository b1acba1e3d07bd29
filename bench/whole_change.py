"""A whole `tenant create` on the sandbox against a script of bare Terraform on the same kind of workspace:
init, plan, show -json, apply. Whatever ours adds (worker, rules, roles, probe, records) is in its time. The
first tenant of an installation pays for an init of its own, like the script; those that follow do not."""

from __future__ import annotations

import ctypes
import os
import resource
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from bench.rendering import workspace
from bench.rows import Row
from controlplane import wiring
from controlplane.adapters.aws.clients import Clients
from controlplane.adapters.aws.cloud import Aws
from controlplane.adapters.terraform.discovery import install
from controlplane.catalog import load
from controlplane.domain import names
from controlplane.domain.operation import Kind
from controlplane.domain.tenant import TenantSpec
from controlplane.operations import offered
from controlplane.rendering import OVERRIDE_FILE, render_tenant, runner_override
from controlplane.settings import Settings
from controlplane.steps.workspace import write_files
from controlplane.store import platforms
from controlplane.store.database import open_database
from controlplane.terminal.demo.leftovers import working_in
from controlplane.terminal.demo.play import Play, clear, open_play
from controlplane.terminal.demo.scenes import BLUEPRINT
from controlplane.terminal.output import Printer

_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER: orphans of our commands become ours, and their time countable
_ENDING_SECONDS = 60.0
OURS = ("ours", "ours-too")  # in turns with the others: a machine is not as fast at all times
BARE = {
    names.Slug("bare"): names.TenantUid("b1234567"),
    names.Slug("bare-too"): names.TenantUid("b1234568"),
}
Times = tuple[float, float]  # wall, CPU


def rows() -> list[Row]:
    is_counting = _adopt_orphans()
    play = open_play(Settings(), Printer(out=sys.stderr))
    try:
        play.ask("sandbox", "start")
        play.ask("blueprint", "apply", BLUEPRINT, "--environment", "development", "--auto-approve")
        _reap(play)
        first = _measured(play, lambda: _create(play, "first"))
        folders = {slug: _bare_workspace(play, slug, uid) for slug, uid in BARE.items()}
        rounds = [
            (_measured(play, partial(_create, play, slug)), _by_hand(play, folders[other]))
            for slug, other in zip(OURS, BARE, strict=True)
        ]
        ours, bare = (_least(times) for times in zip(*rounds, strict=True))
        found = _compared("`tenant create`", "init, plan, show, apply", ours, bare, (1.05, 1.0))
        found += _compared("`tenant create`, the first of all", "the same", first, bare, (None, None))
        if Kind.RECONCILE in {of.kind for of in offered()}:
            ours = _measured(play, lambda: play.ask("tenant", "reconcile", OURS[0]))
            bare = _measured(play, lambda: _bare(play, next(iter(folders.values())), ("plan",)))
            found += _compared("`tenant reconcile` of nothing", "one plan", ours, bare, (None, None))
        return found if is_counting else [row for row in found if row.unit != "CPU s"]
    finally:
        clear(play)


def _create(play: Play, slug: str) -> None:
    play.ask("tenant", "create", slug, "--blueprint", BLUEPRINT)


def _by_hand(play: Play, folder: Path) -> Times:
    return _measured(play, lambda: _bare(play, folder, ("init", "plan", "show", "apply")))


def _least(times: Iterable[Times]) -> Times:
    """What else the machine does only adds to it."""
    walls, cpus = zip(*times, strict=True)
    return min(walls), min(cpus)


def _compared(
    what: str,
    beside: str,
    ours: Times,
    bare: Times,
    goals: tuple[float | None, float | None],
) -> list[Row]:
    return [
        Row(f"{what}; beside: bare {beside}", ours[0], "s", bare[0], goal_ratio=goals[0]),
        Row(f"{what}, every process; beside: the same", ours[1], "CPU s", bare[1], goal_ratio=goals[1]),
    ]


def _measured(play: Play, work: Callable[[], object]) -> Times:
    """Wall time until it is done, CPU time of everything that it started."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    work()
    wall = time.perf_counter() - began
    _reap(play)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _reap(play: Play) -> None:
    """Wait for the worker and the supervisors; the sandbox goes on, and is not counted."""
    deadline = time.monotonic() + _ENDING_SECONDS
    while working_in(play.folder, wiring.sandbox_folder(play.settings)) and time.monotonic() < deadline:
        _reap_ended()
        time.sleep(0.1)
    _reap_ended()


def _reap_ended() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _adopt_orphans() -> bool:
    """False where a kernel cannot: then only wall times are compared."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    return prctl is not None and prctl(_SUBREAPER, 1, 0, 0, 0) == 0


# --- by hand -----------------------------------------------------------------------------------------


def _bare_workspace(play: Play, slug: names.Slug, uid: names.TenantUid) -> Path:
    """Rendered for another tenant on the same platform, with its master secret: as an operation leaves it."""
    db, catalog = open_database(play.settings.database_url), load()
    with db.read() as session:
        platform = platforms.find(session, BLUEPRINT, "development", play.settings.cell)
    db.close()
    outputs = platform.outputs if platform else {}
    account = wiring.aws_account(play.settings)
    secret = names.secret_name(slug, uid, 1, "master")
    Aws(account, Clients(account)).ensure_secret(
        secret, secrets.token_urlsafe(24), {"tenant": slug}, f"{uid}-1"
    )
    folder = play.folder / slug
    write_files(
        folder,
        render_tenant(workspace(slug, uid, TenantSpec(blueprint=BLUEPRINT), catalog, outputs), catalog).files,
    )
    (folder / OVERRIDE_FILE).write_text(runner_override())
    (folder / ".run").mkdir()
    return folder


_WORDS: Mapping[str, tuple[str, ...]] = {
    "init": ("init", "-input=false"),
    "plan": ("plan", "-input=false", "-out=bare.plan"),
    "show": ("show", "-json", "bare.plan"),
    "apply": ("apply", "-input=false", "bare.plan"),
}


def _bare(play: Play, folder: Path, verbs: tuple[str, ...]) -> None:
    found = install(play.settings.terraform, play.settings.provider_mirror, play.folder / "bare-home")
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(play.folder / "bare-home"),
        "TF_CLI_CONFIG_FILE": str(found.cli_config),
        "TF_IN_AUTOMATION": "1",
        "CHECKPOINT_DISABLE": "1",
        **wiring.sandbox(play.settings).environment(),
    }
    for verb in verbs:
        with (play.folder / f"bare-{verb}.txt").open("wb") as said:
            command = [*found.terraform.command, *_WORDS[verb]]
            subprocess.run(
                command, cwd=folder, env=environment, stdout=said, stderr=subprocess.STDOUT, check=True
            )
