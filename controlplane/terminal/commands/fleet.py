"""`controlplane wave …`, `audit …`, `token …`, `user …` and `window …`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from controlplane.terminal import layouts, verbs
from controlplane.terminal.exits import ExitCode
from controlplane.terminal.options import Here, argument, command, option, paging
from controlplane.terminal.output import Form

wave = typer.Typer(help="Bulk changes; begin one with -l SELECTOR on a tenant's verb.", no_args_is_help=True)
audit = typer.Typer(help="Who did what, when and why; append-only.", no_args_is_help=True)
token = typer.Typer(help="API tokens: hashed, scoped, expiring, revocable.", no_args_is_help=True)
user = typer.Typer(help="People who may come in.", no_args_is_help=True)
window = typer.Typer(help="When changes are allowed or denied; deny wins.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(show_default=False, metavar="ID")]

# --- waves ------------------------------------------------------------------------------------------


@command(wave, "list")
def waves(here: Here) -> None:
    """List bulk changes."""
    here.out.page(here.client.waves(), layouts.WAVES, "id")


@command(wave, "show")
def show_wave(here: Here, id_: Id) -> None:
    """Show one, with a result for each tenant; `-o csv` gives these alone."""
    view = here.client.wave(id_)
    if here.out.form is Form.CSV:
        rows = [[row.get(name) for name in layouts.WAVE_RESULT] for row in view["items"]]
        here.out.csv(layouts.WAVE_RESULT, rows)
    else:
        here.out.one(view, "id", layouts.wave)


def _offer(verb: str, summary: str) -> None:
    def steer(here: Here, id_: Id) -> None:
        here.out.one(here.client.steer_wave(verb, id_, here.manner), "id", layouts.wave)

    steer.__doc__ = summary
    command(wave, verb, changes=True)(steer)


_offer("pause", "Start nothing more for now.")
_offer("continue", "Go on.")
_offer("abort", "End it; what was started goes to its end.")


# --- audit ------------------------------------------------------------------------------------------

_AUDIT = [
    option("actor", str, "--actor", default=""),
    option("action", str, "--action", default=""),
    option("subject", str, "--subject", help="As tenant/acme.", default=""),
    option("since", str, "--since", help="As 2026-01-31T12:00:00+00:00.", default=""),
    *paging(),
]


@command(audit, "list", parameters=_AUDIT)
def entries(here: Here, **query: Any) -> None:
    """List entries, the newest first."""
    here.out.page(here.client.audit(verbs.body(query)), layouts.AUDIT, "seq")


@command(audit, "verify")
def verify(
    here: Here, head: Annotated[str, typer.Option(help="NUMBER:DIGEST of an earlier verdict.")] = ""
) -> int:
    """Read the whole chain; name the first entry that is not as it was written."""
    found = here.client.verify_audit(head)
    here.out.one(found, "head")
    if found["good"]:
        return ExitCode.DONE
    here.out.error(
        f"entry {found['broken_seq']} of the audit: {found['why']}", "compare with an export or a backup"
    )
    return ExitCode.FAILED


@command(audit, "export")
def export(
    here: Here, out: Annotated[Path | None, typer.Option(help="A file instead of stdout.")] = None
) -> None:
    """Every entry as a JSON line, with what verifies it."""
    if out is None:
        for line in here.client.export_audit():
            sys.stdout.write(line + "\n")
        return
    partial = out.with_name(f".{out.name}.partial")
    with partial.open("w", encoding="utf-8") as written:
        written.writelines(line + "\n" for line in here.client.export_audit())
    partial.replace(out)


# --- tokens and people ------------------------------------------------------------------------------

_SCOPED = [
    option("role", str | None, "--role", help="viewer (unless said), operator or admin.", default=None),
    option(
        "tenants", list[str], "--tenant", help="Slug or pattern such as acme-*; may be repeated.", default=[]
    ),
]
_TOKEN = [
    argument("name"),
    *_SCOPED,
    option("days", int | None, "--days", help="Until it expires; 90 unless said.", default=None),
]


@command(token, "create", changes=True, parameters=_TOKEN)
def create_token(here: Here, **values: Any) -> None:
    """Create a token; its secret is shown this once and not kept."""
    made = here.client.create_token(verbs.body(values), here.manner)
    here.out.one(made, "secret" if "secret" in made else "id")
    here.out.note("keep the secret now: it is shown once")


@command(token, "list")
def tokens(here: Here) -> None:
    """List tokens, the revoked and expired too."""
    here.out.page(here.client.tokens(), layouts.TOKENS, "id")


@command(token, "revoke", changes=True)
def revoke(here: Here, id_: Id) -> None:
    """Refuse it from now on."""
    here.out.one(here.client.revoke_token(id_, here.manner), "id")


@command(user, "add", changes=True, parameters=[argument("name"), *_SCOPED])
def add_user(here: Here, **values: Any) -> None:
    """Add a person."""
    here.out.one(here.client.add_user(verbs.body(values), here.manner), "id")


@command(user, "list")
def users(here: Here) -> None:
    """List people."""
    here.out.page(here.client.users(), layouts.USERS, "id")


@command(user, "remove", changes=True)
def remove_user(here: Here, id_: Id) -> None:
    """Remove a person."""
    here.out.one(here.client.remove_user(id_, here.manner), "id")


# --- windows ----------------------------------------------------------------------------------------

_WINDOW = [
    argument("name"),
    option("effect", str, "--effect", help="allow or deny changes, or sleep: suspended meanwhile."),
    option("cron", str, "--cron", help="When it opens, as `0 2 * * 6`."),
    option("minutes", int, "--minutes", help="How long it stays open."),
    option("zone", str | None, "--zone", help="UTC unless said.", default=None),
    option(
        "selector", str | None, "--selector", "-l", help="For which tenants; all unless said.", default=None
    ),
]


@command(window, "add", changes=True, parameters=_WINDOW)
def add_window(here: Here, **values: Any) -> None:
    """Add a window."""
    here.out.one(here.client.add_window(verbs.body(values), here.manner), "id")


@command(window, "list")
def windows(here: Here) -> None:
    """List windows."""
    here.out.page(here.client.windows(), layouts.WINDOWS, "id")


@command(window, "remove", changes=True)
def remove_window(here: Here, id_: Id) -> None:
    """Remove a window."""
    here.out.one(here.client.remove_window(id_, here.manner), "id")
