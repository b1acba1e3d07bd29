"""What is done on this machine: `doctor`, `db …`, `sandbox …`, `serve`, `worker`, `watchdog`, `demo`, …"""

from __future__ import annotations

import importlib
import signal
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer

from controlplane.domain.errors import Invalid, Refused
from controlplane.terminal import layouts
from controlplane.terminal.exits import ExitCode
from controlplane.terminal.options import Here, command
from controlplane.terminal.output import Column

db = typer.Typer(help="The catalog's database.", no_args_is_help=True)
sandbox = typer.Typer(help="The embedded sandbox: an AWS emulator and a PostgreSQL.", no_args_is_help=True)
key = typer.Typer(help="The key that states and plans are sealed under.", no_args_is_help=True)
_FINDINGS = (Column("code", "code"), Column("message", "message"), Column("next", "hint"))


def _wiring(here: Here) -> ModuleType:
    """These work on this machine only; what they need is imported when one of them is called."""
    if here.settings.server:
        raise Invalid("this is done on the machine of the control plane, not through a server")
    return importlib.import_module("controlplane.wiring")


# --- everywhere -------------------------------------------------------------------------------------


def doctor(here: Here) -> int:
    """Say what was found, what is missing, and how to get it."""
    found = here.client.doctor()
    here.out.page(found, layouts.CHECKS, "name")
    return ExitCode.DONE if found["good"] else ExitCode.FAILED


def version(here: Here) -> None:
    """Say which program this is."""
    here.out.one(here.client.version(), "version")


def worker(
    here: Here,
    until_idle: Annotated[
        bool, typer.Option("--until-idle", help="End when all that is left waits.")
    ] = False,
) -> int:
    """Do the work: run a worker in this process."""
    _wiring(here)
    labour = importlib.import_module("controlplane.terminal.labour")
    return int(labour.labour(here.settings, here.out, until_idle=until_idle))


def watchdog(
    here: Here,
    until_open: Annotated[bool, typer.Option("--until-open", help="End when no fence stands.")] = False,
) -> int:
    """Lift fences at their deadline, whatever becomes of the worker that raised them."""
    _wiring(here)
    running: list[Any] = []
    signal.signal(signal.SIGTERM, lambda _number, _frame: [one.stop() for one in running])
    guarding = importlib.import_module("controlplane.guarding")
    guarding.run_watchdog(here.settings, until_open=until_open, started=running.append)
    return ExitCode.DONE


def serve(
    here: Here,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: a free one.")] = 8080,
    without_worker: Annotated[
        bool, typer.Option("--no-worker", help="Only answer; others do the work.")
    ] = False,
) -> int:
    """Serve the API, and do the work, in this process."""
    _wiring(here)
    serving = importlib.import_module("controlplane.terminal.serving")
    return int(serving.serve(here, host, port, worker=not without_worker))


def demo(
    here: Here,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running.")] = False,
    short: Annotated[bool, typer.Option("--short", help="Its first scenes and its last.")] = False,
) -> int:
    """Show the whole story on a sandbox of its own, and clean up behind it."""
    _wiring(here)
    return int(importlib.import_module("controlplane.terminal.demo").run(here, keep=keep, short=short))


def register(app: typer.Typer) -> None:
    for function in (doctor, serve, worker, watchdog, demo):
        command(app, function.__name__)(function)
    command(app, "version")(version)


# --- the catalog ------------------------------------------------------------------------------------


@command(db, "migrate")
def migrate(here: Here) -> None:
    """Make the catalog, or bring it to this program's revision."""
    _wiring(here).migrate(here.settings)
    here.out.note(f"{here.client.version()['catalog_revision']}: the catalog has this program's revision")


@command(db, "backup")
def backup(here: Here, target: Annotated[Path, typer.Argument(show_default=False, metavar="FILE")]) -> None:
    """Copy the catalog while everybody goes on working; keys are never in it."""
    _wiring(here).backup_catalog(here.settings, target)
    here.out.text(str(target))


@command(db, "check")
def check(here: Here) -> int:
    """Look whether the catalog is whole."""
    found = _wiring(here).check_catalog(here.settings)
    here.out.page({"items": found, "next_page_token": None}, _FINDINGS, "code")
    if not found:
        here.out.note("the catalog is whole")
    return ExitCode.FAILED if found else ExitCode.DONE


@command(key, "rotate", changes=True)
def rotate(here: Here) -> None:
    """Make a new key and seal everything stored under it; safe to stop, and to repeat."""
    wiring = _wiring(here)
    keys, asking = (importlib.import_module(f"controlplane.services.{name}") for name in ("keys", "control"))
    control = wiring.control(here.settings)
    try:
        ask = asking.Ask(reason=here.manner.reason)
        ring = wiring.keyring(here.settings)
        here.out.one(keys.rotate(control, wiring.local_actor(), ring, ask), "id")
    finally:
        control.db.close()


# --- the sandbox ------------------------------------------------------------------------------------


def _sandbox(here: Here) -> ModuleType:
    if not here.settings.is_sandbox:
        raise Refused("CONTROLPLANE_CLOUD is not `sandbox`", hint="unset it to work with the sandbox")
    return _wiring(here)


@command(sandbox, "start")
def start(here: Here) -> None:
    """Start it, unless it runs."""
    info = _sandbox(here).start_sandbox(here.settings)
    here.out.one(
        {"endpoint_url": info.endpoint_url, "folder": str(info.folder), "note": info.note}, "endpoint_url"
    )


@command(sandbox, "stop")
def stop(here: Here) -> None:
    """Stop it; what is in it stays."""
    stopped = _sandbox(here).stop_sandbox(here.settings)
    here.out.note("stopped" if stopped else "it did not run")


@command(sandbox, "status")
def status(here: Here) -> int:
    """Say whether it runs, and what is in it. Exit 1: it does not run."""
    found = _sandbox(here).sandbox_status(here.settings)
    view = {
        "running": found.running,
        "endpoint_url": found.info.endpoint_url if found.info else None,
        "instances": [dict(i) for i in found.instances],
        "note": found.note,
    }
    here.out.one(view, "endpoint_url")
    return ExitCode.DONE if found.running else ExitCode.FAILED


@command(sandbox, "reset")
def reset(
    here: Here, yes: Annotated[bool, typer.Option("--yes", help="Everything in it is lost.")] = False
) -> None:
    """Stop it and forget everything that is in it."""
    if not yes:
        raise Invalid("resetting the sandbox loses everything in it", hint="say --yes")
    _sandbox(here).reset_sandbox(here.settings)
    here.out.note("the sandbox is empty")
