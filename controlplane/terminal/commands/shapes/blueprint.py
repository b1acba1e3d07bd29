"""`controlplane blueprint …`: the catalog's blueprints, and the platforms that stand for them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from controlplane.domain.errors import Conflict, Invalid
from controlplane.domain.tenant import Environment
from controlplane.terminal import follow, layouts, verbs
from controlplane.terminal.commands import cost
from controlplane.terminal.options import Here, argument, command, option
from controlplane.terminal.output import Column

group = typer.Typer(help="Blueprints, and the platforms that stand for them.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(show_default=False)]
_NAME = argument("name")
_WHERE = [
    option("environment", Environment | None, "--environment", help="development unless said.", default=None),
    option("region", str | None, "--region", default=None),
]
_OPTIONS = option("options", list[str], "--option", help="As name=value; may be repeated.", default=[])
_CHECKLIST = [Column(name, name) for name in ("item", "met", "by", "at", "evidence", "needs", "words")]


@command(group, "list")
def listing(here: Here) -> None:
    """List the blueprints of the catalog."""
    here.out.page(here.client.blueprints(), layouts.BLUEPRINTS, "name")


@command(group, "show")
def show(here: Here, name: Name) -> None:
    """Show one: its options and its platforms."""
    here.out.one(here.client.blueprint(name), "name")


_RENDER = [
    _NAME,
    *_WHERE,
    _OPTIONS,
    option("out", Path, "--out", help="A folder that is not there yet, or is empty."),
]


@command(group, "render", parameters=_RENDER)
def render(here: Here, name: str, out: Path, options: list[str], **where: Any) -> None:
    """Write its platform's Terraform into a folder; nothing is asked and nothing is changed."""
    from controlplane.catalog import load  # noqa: PLC0415 - operations and tables come with it
    from controlplane.services import blueprints  # noqa: PLC0415
    from controlplane.services.costs.budgets import allowance  # noqa: PLC0415

    given = _given(options)
    rendered = blueprints.render(
        load(),
        name,
        where["environment"] or Environment.DEVELOPMENT,
        region=where["region"] or here.settings.region,
        cell=here.settings.cell,
        options=given,
    )
    _write(out, rendered["files"])
    here.out.one({"folder": str(out), **{k: rendered[k] for k in ("digest", "template_version")}}, "folder")
    if allowance.OPTION not in given:
        here.out.note(
            f"{allowance.OPTION} is its default: only a plan or an apply reckons it from what is known"
        )


def _write(folder: Path, files: dict[str, str]) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict(f"rendering into {folder}: something is there", hint="name a folder that is empty")
    try:
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Invalid(f"rendering into {folder}: {error.strerror}", hint="name another folder") from error


_PIPELINE = [option("for_", str, "--for", help="atlantis, github or gitlab.")]


@command(group, "pipeline", parameters=_PIPELINE)
def pipeline(here: Here, for_: str) -> None:
    """Print a pipeline for the workspaces' repository: plan, review, apply, test, without us."""
    from controlplane.services import blueprints  # noqa: PLC0415

    standing = {
        (one["blueprint"], one["environment"])
        for blueprint in here.client.blueprints()["items"]
        for one in blueprint["platforms"]
    }
    sys.stdout.write(blueprints.pipeline(for_, standing, _slugs(here)))


def _slugs(here: Here) -> Iterator[str]:
    """Of everybody who has a workspace."""
    token: str | None = ""
    while token is not None:
        page = here.client.tenants({"page_size": 200, "page_token": token})
        yield from (
            one["slug"] for one in page["items"] if one["template_version"] and not one["torn_down_at"]
        )
        token = page["next_page_token"]


@command(group, "plan", changes=True, parameters=[_NAME, *_WHERE, _OPTIONS])
def plan(here: Here, name: str, options: list[str], **values: Any) -> int:
    """Say what an apply of its platform would do; nothing is applied."""
    return _change(here, "plan", name, verbs.body(values) | _options(options))


_ANSWERS = option(
    "acknowledge",
    list[str],
    "--acknowledge",
    help="An item that you answer for.",
    default=[],
)


@command(group, "apply", changes=True, parameters=[_NAME, *_WHERE, _OPTIONS, _ANSWERS])
def apply(here: Here, name: str, options: list[str], acknowledge: list[str], **values: Any) -> int:
    """Apply its shared platform in one environment."""
    answered = {"acknowledge": acknowledge} if acknowledge else {}
    return _change(here, "apply", name, verbs.body(values) | _options(options) | answered)


_DESTROY = [
    _NAME,
    _WHERE[0],
    option("confirm", str, "--confirm", help="The blueprint's name once more."),
]


@command(group, "destroy", changes=True, parameters=_DESTROY)
def destroy(here: Here, name: str, **values: Any) -> int:
    """Destroy its shared platform in one environment; refused while a tenant lives there."""
    return _change(here, "destroy", name, verbs.body(values))


def _change(here: Here, verb: str, name: str, body: dict[str, Any]) -> int:
    return follow.finish(here, here.client.change_platform(verb, name, body, here.manner))


_COST = [
    _NAME,
    _WHERE[0],
    option("tenants", int | None, "--tenants", help="So many live there.", default=None),
    _OPTIONS,
]


@command(group, "cost", parameters=_COST)
def price(here: Here, name: str, **values: Any) -> None:
    """Estimate it at a scale; nothing is changed."""
    cost.say_estimate(here, {"blueprint": name, **verbs.body(values)})


@command(group, "checklist", parameters=[_NAME, _WHERE[0]])
def checklist(here: Here, name: str, environment: Environment | None) -> None:
    """What a launch still needs: proven by the rendering, answered for by a person, or open."""
    view = here.client.checklist(name, environment or Environment.PRODUCTION)
    here.out.page(view | {"next_page_token": None}, _CHECKLIST, "item")
    if view["open"]:
        here.out.note(
            f"{view['open']} items are open: controlplane blueprint apply {name} --acknowledge ITEM …"
        )


def _options(given: list[str]) -> dict[str, Any]:
    return {"options": _given(given)} if given else {}


def _given(options: list[str]) -> dict[str, Any]:
    return {key: _typed(text) for key, text in verbs.pairs(options).items()}


def _typed(text: str) -> Any:
    """Numbers, truth and lists as in JSON; everything else is text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
