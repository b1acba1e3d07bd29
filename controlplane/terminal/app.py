"""The program: every command."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from copy import copy
from functools import partial
from typing import Any

import typer

from controlplane.terminal import background
from controlplane.terminal.commands import (
    cost,
    drift,
    fleet,
    machine,
    migration,
    operations,
    review,
    rightsize,
    schedule,
    tenants,
)
from controlplane.terminal.commands import telling as webhook
from controlplane.terminal.commands.keeping import state
from controlplane.terminal.commands.shapes import blueprint, template
from controlplane.terminal.exits import ExitCode
from controlplane.terminal.outermost import caught
from controlplane.terminal.output import Printer

app = typer.Typer(
    name="controlplane",
    help="A PostgreSQL of its own for every tenant, on AWS, through Terraform.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(tenants.group, name="tenant")
app.add_typer(operations.group, name="operation")
app.add_typer(migration.group, name="migration")
app.add_typer(cost.group, name="cost")
app.add_typer(review.group, name="review")
app.add_typer(rightsize.group, name="rightsize")
app.add_typer(drift.group, name="drift")
app.add_typer(drift.catalog, name="catalog")
app.add_typer(schedule.group, name="schedule")
app.add_typer(schedule.drills, name="drill")
app.add_typer(schedule.quota, name="quota")
app.add_typer(schedule.cells, name="cell")
app.add_typer(blueprint.group, name="blueprint")
app.add_typer(template.group, name="template")
for name in ("wave", "audit", "token", "user", "window"):
    app.add_typer(getattr(fleet, name), name=name)
app.add_typer(webhook.group, name="webhook")
app.add_typer(state.group, name="state")
app.add_typer(machine.db, name="db")
app.add_typer(machine.key, name="key")
app.add_typer(machine.sandbox, name="sandbox")
machine.register(app)


def main() -> None:
    # What a command imports stays; to look through it for garbage again and again took a sixth of its start.
    gc.set_threshold(100_000, 20, 100)
    background.process.is_one_command = True
    code = run(sys.argv[1:])
    gc.freeze()  # the end of the process frees everything; looking for garbage first took a third of a second
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code."""
    return caught(Printer(), partial(_obey, arguments))


def _obey(arguments: Sequence[str]) -> int:
    try:
        answer = typer.main.get_command(_narrowed(arguments)).main(
            list(arguments), prog_name="controlplane", standalone_mode=False
        )
        sys.stdout.flush()
        return int(answer or ExitCode.DONE)
    except typer.TyperException as error:  # whatever cannot be parsed
        _usage(error)
        return ExitCode.USAGE
    except typer.Abort:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        _leave_quietly()
        return ExitCode.DONE


def _narrowed(arguments: Sequence[str]) -> typer.Typer:
    """With only the group that is asked for: to build all commands takes a quarter of what a list takes."""
    groups = [group for group in app.registered_groups if group.name in arguments[:1]]
    if not groups:
        return app
    narrow = copy(app)
    narrow.registered_groups, narrow.registered_commands = groups, []
    return narrow


def _usage(error: Any) -> None:
    context = getattr(error, "ctx", None)
    if not error.format_message() and context is not None:
        sys.stderr.write(context.get_help() + "\n")
        return
    if context is not None:
        sys.stderr.write(context.get_usage() + "\n")
    hint = f"{context.command_path} --help" if context is not None else "controlplane --help"
    Printer().error(error.format_message(), hint)


def _leave_quietly() -> None:
    """Who read us stopped reading: nothing more is written, not even at the interpreter's end."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
