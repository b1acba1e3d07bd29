"""`controlplane migration …`: a tenant on its way from one database to another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from controlplane.terminal import follow
from controlplane.terminal.completion import slugs
from controlplane.terminal.layouts import moment
from controlplane.terminal.options import Here, command
from controlplane.terminal.tables import fields, plain_table

group = typer.Typer(help="Migrations: where a tenant is on its way, and the ways back.", no_args_is_help=True)
Slug = Annotated[str, typer.Argument(show_default=False, autocompletion=slugs)]
View = Mapping[str, Any]
_HEAD = ("tenant", "strategy", "state", "source", "target", "truth", "leftover", "started_at", "opened_at")


@command(group, "show")
def show(here: Here, slug: Slug) -> None:
    """States with their times, the fence, what was verified, what a way back would lose, and what is next."""
    here.out.one(here.client.migration(slug), "id", picture)


def picture(view: View) -> str:
    fence, fallback = view["fence"], view["fallback"]
    closed = f"{fence['closed']} since {moment(fence['since'])}" if fence["closed"] else "none"
    lapse = f", lapses in {fence['seconds_left']} s" if fence["seconds_left"] is not None else ""
    window = f"until {moment(fallback['until'])}" if fallback["until"] else "none"
    left = f", {fallback['seconds_left']} s left" if fallback["until"] else ""
    head = {
        **{name: view[name] for name in _HEAD},
        "fence": closed + lapse,
        "fallback window": window + left,
        "way back": _way_back(view["way_back"]),
        "a rollback loses": view["rollback_loses"],
        "given up": view["loss"] or "",
        "note": view["note"],
        "next": view["next_command"],
    }
    parts = [fields({name: value for name, value in head.items() if value not in (None, "", [])})]
    parts.append(plain_table(("state", "at", "seconds"), _states(view), [False, False, True]))
    if view["verification"]:
        parts.append(plain_table(("check", "name", "passed", "detail"), _checks(view), [False] * 4))
    return "\n\n".join(parts)


def _way_back(seen: View) -> str:
    if seen["gone_since"]:
        kept = "" if seen["slot_dropped"] else "; its slot is not dropped yet"
        return f"rows came back until {moment(seen['gone_since'])}: {seen['why']}{kept}"
    if not seen["armed"]:
        return ""
    if seen["looked_at"] is None:
        return "rows are sent back; nobody looked at them yet"
    kept = f"{seen['retained_bytes']} of {seen['limit_bytes']} bytes kept, {seen['lag_bytes']} behind"
    return f"{seen['level']} at {moment(seen['looked_at'])}: {seen['why'] or kept}"


def _states(view: View) -> list[list[str]]:
    return [
        [s["state"], moment(s["at"]), "" if s["seconds"] is None else f"{s['seconds']:.1f}"]
        for s in view["states"]
    ]


def _checks(view: View) -> list[list[str]]:
    return [
        [c["id"], c["name"], "yes" if c["passed"] else "NO", c["detail"]]
        for c in view["verification"]["checks"]
    ]


@command(group, "advance", changes=True)
def advance(here: Here, slug: Slug) -> int:
    """Take the next legal step: settle what is held, or finalize what has soaked."""
    return follow.finish(here, here.client.steer_migration("advance", slug, {}, here.manner))


@command(group, "rollback", changes=True)
def rollback(
    here: Here,
    slug: Slug,
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="Give up what was written since the switch.")
    ] = False,
) -> int:
    """Before the switch: call it off. After it: back to the old database."""
    body = {"accept_loss": accept_loss}
    return follow.finish(here, here.client.steer_migration("rollback", slug, body, here.manner))


@command(group, "finalize", changes=True)
def finalize(
    here: Here,
    slug: Slug,
    override: Annotated[
        bool, typer.Option("--override", help="Before a day has passed; needs --reason.")
    ] = False,
) -> int:
    """End the fallback window: prove a last snapshot of the old database, and remove it."""
    body = {"override": override}
    return follow.finish(here, here.client.steer_migration("finalize", slug, body, here.manner))
