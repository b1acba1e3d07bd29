"""`controlplane webhook …`"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from controlplane.terminal import verbs
from controlplane.terminal.options import Here, argument, command, option
from controlplane.terminal.output import Column

group = typer.Typer(help="Who is told of events: signed, retried, replayed.", no_args_is_help=True)
Id = Annotated[str, typer.Argument(show_default=False, metavar="ID")]
_WEBHOOKS = (
    Column("id", "id"),
    Column("form", "form"),
    Column("host", "host"),
    Column("events", lambda w: ", ".join(w["events"])),
    Column("tenants", lambda w: ", ".join(w["tenants"])),
    Column("waiting", lambda w: w["deliveries"]["waiting"], right=True),
    Column("failed", lambda w: w["deliveries"]["failed"], right=True),
    Column("last answer", lambda w: w["gone"] or w["last_answer"]),
)
_ADD = [
    argument("url", help="https://…, or the ARN of an SNS topic or of an event bus."),
    option("form", str | None, "--form", help="standard, slack, sns or eventbridge.", default=None),
    option("events", list[str], "--event", help="As operation.failed or tenant.*; repeat it.", default=[]),
    option("tenants", list[str], "--tenant", help="Slug or pattern; may be repeated.", default=[]),
    option("note", str, "--note", help="For people.", default=""),
]
_REPLAY = [
    option("event", str, "--event", help="This one, by its id.", default=""),
    option("since", str, "--since", help="All since 2026-01-31T12:00:00+00:00.", default=""),
    option("test", bool, "--test", help="A test event.", default=False),
]


@command(group, "list")
def list_(here: Here) -> None:
    """List webhooks, and how their deliveries fare."""
    here.out.page(here.client.webhooks(), _WEBHOOKS, "id")


@command(group, "add", changes=True, parameters=_ADD)
def add(here: Here, **values: Any) -> None:
    """Add one; what it verifies signatures with is shown this once."""
    made = here.client.add_webhook(verbs.body(values), here.manner)
    here.out.one(made, "secret" if made.get("secret") else "id")
    if made.get("secret"):
        here.out.note("keep the secret now: it is shown once")


@command(group, "remove", changes=True)
def remove(here: Here, id_: Id) -> None:
    """Send nothing there any more."""
    here.out.one(here.client.remove_webhook(id_, here.manner), "id")


@command(group, "replay", changes=True, parameters=[argument("id_", metavar="ID"), *_REPLAY])
def replay(here: Here, id_: str, **values: Any) -> None:
    """Send again what failed; or one event, everything since a time, or a test."""
    here.out.one(here.client.replay_webhook(id_, verbs.body(values), here.manner), "id")
