"""One way into every change, whichever door it comes through: rehearsed, done once, or simply done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from controlplane.services.access import AlreadyIssued
from controlplane.services.actor import Actor
from controlplane.services.control import Ask, Control
from controlplane.services.once import Done, Request, once
from controlplane.services.rehearsal import dry_run

Change = Callable[[Control, Ask], dict[str, Any]]


@dataclass(frozen=True)
class Way:
    """How a change is sent: `request` where an idempotency key came with it."""

    ask: Ask
    dry_run: bool = False
    request: Request | None = None


def do(control: Control, actor: Actor, way: Way, change: Change, status_code: int = 202) -> Done:
    if way.dry_run:
        return Done(200, dry_run(control, lambda within: change(within, way.ask)))
    if way.request is None:
        return Done(status_code, change(control, way.ask))
    return once(control, actor, way.request, lambda within: change(within, way.ask), status_code)


def do_secretly(control: Control, actor: Actor, way: Way, change: Change) -> dict[str, Any]:
    """For an answer that holds a secret: the key remembers that it was given, never what."""
    secret: dict[str, Any] = {}

    def kept(within: Control, ask: Ask) -> dict[str, Any]:
        secret.update(change(within, ask))
        return {name: value for name, value in secret.items() if name != "secret"}

    done = do(control, actor, way, kept, 201)
    if done.repeated:
        raise AlreadyIssued(
            f"this token was issued before, as {done.body['id']}; its secret is not kept",
            hint="create another token, and revoke this one if its secret is lost",
        )
    return {**done.body, "secret": secret["secret"]} if not way.dry_run else dict(done.body)
