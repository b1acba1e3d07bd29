"""Options that every command has, and those of every changing one, added to a command's own."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated, Any, get_type_hints

import typer

from controlplane.domain.errors import FieldError, Invalid
from controlplane.settings import Settings, load, wants_plain_text
from controlplane.terminal.client import Client, Manner
from controlplane.terminal.output import Form, Printer
from controlplane.terminal.reach import connect

_EVERYWHERE = "Everywhere"
_CHANGES = "How the change is made"

# Name, annotation, default. Names start with an underscore so that no command's own option meets them.
_COMMON: tuple[tuple[str, Any, Any], ...] = (
    (
        "_form",
        Annotated[
            Form, typer.Option("--output", "-o", help="How data is written.", rich_help_panel=_EVERYWHERE)
        ],
        Form.TABLE,
    ),
    (
        "_quiet",
        Annotated[
            bool, typer.Option("--quiet", "-q", help="No progress, no remarks.", rich_help_panel=_EVERYWHERE)
        ],
        False,
    ),
    (
        "_no_color",
        Annotated[
            bool,
            typer.Option("--no-color", help="Plain text; NO_COLOR too.", rich_help_panel=_EVERYWHERE),
        ],
        False,
    ),
    (
        "_server",
        Annotated[
            str, typer.Option("--server", help="Work through the API there.", rich_help_panel=_EVERYWHERE)
        ],
        "",
    ),
    (
        "_token",
        Annotated[str, typer.Option("--token", help="For the server.", rich_help_panel=_EVERYWHERE)],
        "",
    ),
)
_CHANGING: tuple[tuple[str, Any, Any], ...] = (
    (
        "_wait",
        Annotated[
            bool,
            typer.Option("--wait/--no-wait", help="Follow the change to its end.", rich_help_panel=_CHANGES),
        ],
        True,
    ),
    (
        "_timeout",
        Annotated[
            str, typer.Option("--timeout", help="Wait so long, as 90s, 10m, 2h.", rich_help_panel=_CHANGES)
        ],
        "",
    ),
    (
        "_dry_run",
        Annotated[
            bool,
            typer.Option(
                "--dry-run", help="Say what would be done; nothing changes.", rich_help_panel=_CHANGES
            ),
        ],
        False,
    ),
    (
        "_auto_approve",
        Annotated[
            bool, typer.Option("--auto-approve", help="Where policy lets you.", rich_help_panel=_CHANGES)
        ],
        False,
    ),
    (
        "_reason",
        Annotated[str, typer.Option("--reason", help="Why; kept in the audit.", rich_help_panel=_CHANGES)],
        "",
    ),
    (
        "_if_match",
        Annotated[
            int | None,
            typer.Option(
                "--if-match", help="Only if the tenant has this revision.", rich_help_panel=_CHANGES
            ),
        ],
        None,
    ),
    (
        "_idempotency_key",
        Annotated[
            str, typer.Option("--idempotency-key", help="Asked twice, done once.", rich_help_panel=_CHANGES)
        ],
        "",
    ),
)


@dataclass(frozen=True)
class Waiting:
    """Whether a command follows what it started, and for how long."""

    wait: bool = False
    timeout_seconds: float | None = None
    second_chance_seconds: float = 3.0  # in which another Ctrl-C cancels the operation


@dataclass
class Here:
    """One call of the program: its settings, where its data goes, and whom it asks."""

    settings: Settings
    out: Printer
    manner: Manner = field(default_factory=Manner)
    waiting: Waiting = field(default_factory=Waiting)

    @cached_property
    def client(self) -> Client:
        if self.settings.is_sandbox and not self.settings.server:
            self.out.note("SANDBOX: an emulator on this machine, nothing here is AWS")
        return connect(self.settings, works=self.waiting.wait and not self.manner.dry_run)

    def close(self) -> None:
        if "client" in self.__dict__:
            self.client.close()


Body = Callable[..., Any]


def command(
    group: typer.Typer, name: str, *, changes: bool = False, parameters: Sequence[inspect.Parameter] = ()
) -> Callable[[Body], Body]:
    """Register `function(here, …)` under this name, with the options that every command has.

    `parameters` are more of its own, which it takes as `**values`.
    """

    def register(function: Body) -> Body:
        group.command(name)(dressed(function, changes=changes, more=parameters))
        return function

    return register


def option(
    name: str, hint: Any, *flags: str, help: str = "", default: Any = inspect.Parameter.empty
) -> inspect.Parameter:
    """One option; without a default it has to be given."""
    annotation = Annotated[hint, typer.Option(*flags, help=help)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def argument(name: str, *, default: Any = inspect.Parameter.empty, **details: Any) -> inspect.Parameter:
    annotation = Annotated[str, typer.Argument(show_default=False, **details)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def paging() -> list[inspect.Parameter]:
    return [
        option("page_size", int, "--page-size", help="1 to 200.", default=50),
        option("page_token", str, "--page-token", default=""),
    ]


def alone(name: str, function: Body, parameters: Sequence[inspect.Parameter]) -> Any:
    """A changing command outside of any group, for a group that makes its commands when they are called."""
    holder = typer.Typer(add_completion=False)
    holder.command(name)(dressed(function, changes=True, more=parameters))
    return typer.main.get_command(holder)


def dressed(function: Body, *, changes: bool, more: Sequence[inspect.Parameter] = ()) -> Body:
    """The function as Typer sees it: without `here`, with the common options behind its own."""
    own = inspect.signature(function)
    hints = get_type_hints(function, include_extras=True)
    extra = _COMMON + (_CHANGING if changes else ())
    parameters = [
        p.replace(annotation=hints.get(p.name, p.annotation), kind=inspect.Parameter.KEYWORD_ONLY)
        for p in own.parameters.values()
        if p.name not in {"here", *(m.name for m in more)} and p.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    parameters = [*more, *parameters]
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, annotation, default in extra
    ]

    def call(**values: Any) -> Any:
        here = _here({name: values.pop(name) for name, _, _ in extra})
        try:
            return function(here, **values)
        finally:
            here.close()

    call.__doc__ = function.__doc__
    call.__name__ = function.__name__
    call.__signature__ = inspect.Signature([*parameters, *added])  # type: ignore[attr-defined]
    call.__annotations__ = {p.name: p.annotation for p in [*parameters, *added]}
    return call


def _here(common: dict[str, Any]) -> Here:
    try:
        settings = load()
    except ValueError as error:
        raise Invalid(str(error)) from error
    settings = replace(
        settings, server=common["_server"] or settings.server, token=common["_token"] or settings.token
    )
    colored = not (common["_no_color"] or wants_plain_text()) and sys.stdout.isatty()
    out = Printer(common["_form"], common["_quiet"], colored)
    if "_wait" not in common:
        return Here(settings, out)
    manner = Manner(
        reason=common["_reason"],
        auto_approve=common["_auto_approve"],
        dry_run=common["_dry_run"],
        if_match=common["_if_match"],
        idempotency_key=common["_idempotency_key"],
    )
    return Here(settings, out, manner, Waiting(common["_wait"], seconds(common["_timeout"])))


_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(text: str, option: str = "--timeout") -> float | None:
    """`90`, `90s`, `10m`, `2h` or `1d`; None for nothing."""
    if not text:
        return None
    found = re.fullmatch(r"(\d{1,9})([smhd]?)", text)
    if not found:
        message = f"{option} is {text!r}: say a number with s, m, h or d, such as 10m"
        raise Invalid(message, errors=[FieldError(option.lstrip("-"), message)])
    return float(found[1]) * _UNITS[found[2]]
