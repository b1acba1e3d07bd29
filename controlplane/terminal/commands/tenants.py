"""`controlplane tenant …`"""

from __future__ import annotations

import csv
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from controlplane.domain.errors import FieldError, Invalid, Missing
from controlplane.domain.operation import Kind
from controlplane.domain.tenant import Phase, Size, Stage
from controlplane.terminal import follow, layouts, verbs
from controlplane.terminal.completion import slugs
from controlplane.terminal.exits import ExitCode
from controlplane.terminal.options import Here, alone, argument, command, option, paging
from controlplane.terminal.output import Column

Slug = Annotated[str, typer.Argument(show_default=False, autocompletion=slugs)]
_BATCH = (
    Column("slug", "slug"),
    Column("accepted", "accepted"),
    Column("operation", "operation"),
    Column("problem", lambda row: (row["problem"] or {}).get("detail")),
)


class Group(TyperGroup):
    """What changes a tenant is made from its request model, and only when it is called."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name == "create":
            return _create_command()
        if cmd_name in verbs.TENANT_VERBS:
            return _verb_command(cmd_name)
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: Any) -> list[str]:
        return ["create", *super().list_commands(ctx), *(v for v in verbs.TENANT_VERBS if v in _offered())]


group = typer.Typer(cls=Group, help="Tenants, each with a database of its own.", no_args_is_help=True)


def _offered() -> set[str]:
    # Imports every operation: never on the way to a command that only reads.
    from controlplane.operations import offered  # noqa: PLC0415

    return {of.kind.value for of in offered()}


def _create_command() -> Any:
    from controlplane.operations import Create  # noqa: PLC0415

    file = option("source", Path | None, "--from", help="Many tenants: FILE.csv or FILE.jsonl.", default=None)
    own = verbs.options(Create, without=frozenset({"slug"}))
    return alone("create", create, [argument("slug", default=""), *own, file])


def _verb_command(kind: str) -> Any:
    from controlplane.operations import operation_type  # noqa: PLC0415

    if kind not in _offered():
        return None
    of = operation_type(Kind(kind))

    def change(here: Here, slug: str, **values: Any) -> int:
        if values.pop("discover", False):
            return _discover(here)
        bulk = {name: values.pop(name) for name in ("selector", "wave", "canary", "abort_after")}
        body = verbs.body(values)
        if "blueprint" in of.request.model_fields:
            body = _on_a_blueprint(here, body)
        if bulk["selector"]:
            return _change_many(here, of, slug, body, bulk)
        if not slug:
            raise Invalid(f"{kind}: say which tenant, or -l SELECTOR", errors=[FieldError("slug", "missing")])
        return follow.finish(here, here.client.change(kind, slug, body, here.manner))

    change.__doc__ = verbs.TENANT_VERBS[kind]
    own = [_optional(p) for p in verbs.options(of.request)]
    own += [_DISCOVER] if of.kind is Kind.ADOPT else []
    return alone(kind, change, [argument("slug", default="", autocompletion=slugs), *own, *_BULK])


_DISCOVER = option(
    "discover", bool, "--discover", help="Only list the databases that nobody manages.", default=False
)
_UNMANAGED = (
    Column("identifier", "identifier"),
    Column("class", "class"),
    Column("gb", "storage_gb"),
    Column("engine", "engine_version"),
    Column("slug", "proposed_slug"),
    Column("stage", "proposed_stage"),
    Column("size", "proposed_size"),
    Column("in the way", lambda row: "; ".join(row["obstacles"])),
    Column("next", "next_command"),
)


def _discover(here: Here) -> int:
    here.out.page(here.client.care("catalog/unmanaged", {}), _UNMANAGED, "identifier")
    return ExitCode.DONE


_BULK = [
    option("selector", str, "--selector", "-l", help="All tenants that match, in waves.", default=""),
    option("wave", int, "--wave", help="So many at a time.", default=5),
    option("canary", int, "--canary", help="So many first, alone.", default=0),
    option(
        "abort_after", float | None, "--abort-after", help="End it when so many percent fail.", default=None
    ),
]


def _optional(parameter: inspect.Parameter) -> inspect.Parameter:
    """What one tenant's request needs may come from the wave; the service says what is missing."""
    if parameter.default is inspect.Parameter.empty:
        return parameter.replace(default="")
    return parameter


def _change_many(here: Here, of: Any, slug: str, body: dict[str, Any], bulk: dict[str, Any]) -> int:
    selector = bulk["selector"]
    if slug:
        raise Invalid(f"{of.kind}: a slug or -l SELECTOR, not both")
    confirmed = body.pop("confirm", None)
    if of.destructive and confirmed != selector:
        raise Invalid(f"{of.kind} of many: repeat the selector to be sure: --confirm {selector!r}")
    wanted = {"kind": of.kind.value, "selector": selector, "body": body, "size": bulk["wave"]}
    wanted |= {"canary": bulk["canary"], "abort_after_percent": bulk["abort_after"]}
    made = here.client.start_wave(wanted, here.manner)
    here.out.one(made, "id", layouts.wave)
    if not here.manner.dry_run:
        if here.waiting.wait:
            follow.see_to_worker(here)
        here.out.note(f"follow it: controlplane wave show {made['id']}")
    return ExitCode.DONE


_LIST = [
    option("selector", str, "--selector", "-l", help="As in stage=poc,tier in (a,b).", default=""),
    option("stage", Stage | None, "--stage", default=None),
    option("size", Size | None, "--size", default=None),
    option("phase", Phase | None, "--phase", default=None),
    option("region", str, "--region", default=""),
    option("q", str, "--query", help="What the slug begins with.", default=""),
    option(
        "sort", str, "--sort", help="slug, created_at or monthly_usd; ` desc` turns it round.", default=""
    ),
    *paging(),
]


@command(group, "list", parameters=_LIST)
def list_(here: Here, **query: Any) -> None:
    """List tenants."""
    here.out.page(here.client.tenants(verbs.body(query)), layouts.TENANTS, "slug")


@command(group, "show")
def show(here: Here, slug: Slug) -> None:
    """Show one tenant: what is wanted, and what is there."""
    here.out.one(here.client.tenant(slug), "slug", layouts.tenant)


@command(group, "explain")
def explain(here: Here, slug: Slug) -> None:
    """Say why it is as it is, who may act, and the next command."""
    here.out.one(here.client.explain(slug), "slug", layouts.explanation)


@command(group, "workspace")
def workspace(
    here: Here,
    slug: Slug,
    diff: Annotated[bool, typer.Option("--diff", help="How the folder here differs from it.")] = False,
    detailed_exitcode: Annotated[bool, typer.Option("--detailed-exitcode", help="2: it differs.")] = False,
) -> int:
    """What Terraform reads for it, as recorded; with --diff, what somebody changed in the folder."""
    found = here.client.workspace(slug)
    if not diff:
        here.out.one(found, "workspace", layouts.workspace)
        return ExitCode.DONE
    if found["diff"] is None:
        raise Missing(
            f"the folder of {slug} is not on the machine that was asked", hint="ask where its worker runs"
        )
    here.out.one(
        {"workspace": found["workspace"], "diff": found["diff"]}, "workspace", lambda view: view["diff"]
    )
    here.out.note(_said_of(found))
    return ExitCode.CHANGES if detailed_exitcode and found["diff"] else ExitCode.DONE


def _said_of(workspace: dict[str, Any]) -> str:
    if not workspace["diff"]:
        return "it is as recorded"
    edits = len(workspace["edits"])
    return f"{edits} files were edited by hand" if edits else "the next change writes it anew"


@command(group, "history")
def history(here: Here, slug: Slug, limit: Annotated[int, typer.Option(min=1, max=1000)] = 200) -> None:
    """What was changed, when, by whom and in which operation."""
    here.out.page(here.client.history(slug, {"limit": limit}), layouts.HISTORY, "offset")


def create(here: Here, slug: str, source: Path | None, **given: Any) -> int:
    """Create a tenant with a database of its own, or many of them from a file."""
    wanted = _on_a_blueprint(here, verbs.body(given))
    if source is not None:
        return _create_many(here, source, slug, wanted)
    if not slug:
        raise Invalid(
            "creating a tenant: say its slug, or --from FILE", errors=[FieldError("slug", "missing")]
        )
    return follow.finish(here, here.client.create({"slug": slug, **wanted}, here.manner))


def _on_a_blueprint(here: Here, wanted: dict[str, Any]) -> dict[str, Any]:
    ours = here.settings.blueprint
    return {"blueprint": ours, **wanted} if ours else wanted


def _create_many(here: Here, source: Path, slug: str, wanted: dict[str, Any]) -> int:
    if slug:
        raise Invalid("creating tenants: a slug or --from FILE, not both")
    answer = here.client.create_batch([{**wanted, **row} for row in read_rows(source)], here.manner)
    here.out.page(answer, _BATCH, "slug")
    here.out.note(f"{answer['accepted']} accepted, {answer['refused']} refused")
    return ExitCode.FAILED if answer["refused"] else ExitCode.DONE


def read_rows(source: Path) -> list[dict[str, Any]]:
    """The rows of a CSV file with a head, or of JSON lines; a bad line is named."""
    try:
        text = source.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"reading {source}: {getattr(error, 'strerror', None) or 'it is not UTF-8'}") from error
    if source.suffix == ".csv":
        return [_csv_row(row) for row in csv.DictReader(text.splitlines())]
    if source.suffix in (".jsonl", ".ndjson"):
        return list(_json_rows(source, text))
    raise Invalid(f"reading {source}: only .csv and .jsonl can be read")


_NUMBERS, _CLAIMS = ("storage_gb", "locations", "users"), ("paying", "sla", "sensitive")


def _csv_row(row: dict[Any, Any]) -> dict[str, Any]:
    """Text as far as CSV knows; numbers, claims and `labels` (`a=b;c=d`) are read as what they are."""
    found: dict[str, Any] = {str(name): value for name, value in row.items() if value not in (None, "")}
    for name in _NUMBERS:
        if str(found.get(name, "")).isdigit():
            found[name] = int(found[name])
    for name in _CLAIMS & found.keys():
        found[name] = {"true": True, "yes": True, "1": True}.get(str(found[name]).lower(), found[name])
        found[name] = {"false": False, "no": False, "0": False}.get(str(found[name]).lower(), found[name])
    if "labels" in found:
        found["labels"] = verbs.pairs([p for p in found["labels"].split(";") if p])
    return found


def _json_rows(source: Path, text: str) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise Invalid(f"reading {source}: line {number} is no JSON") from error
        if not isinstance(row, dict):
            raise Invalid(f"reading {source}: line {number} is no object")
        yield row
