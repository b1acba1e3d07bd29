"""Blueprints of the catalog, and the platforms that stand for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from controlplane.catalog.values import Blueprint, Catalog
from controlplane.domain.errors import FieldError, Invalid, Missing
from controlplane.domain.names import platform_workspace
from controlplane.domain.review.layout import platform_folder, tenant_folder
from controlplane.domain.tenant import Environment
from controlplane.domain.workspace import PlatformWorkspace
from controlplane.rendering import Pipeline, render_pipeline, render_platform
from controlplane.services import platforms
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Control


def page(control: Control, actor: Actor) -> dict[str, Any]:
    actor.require(Action.READ_FLEET)
    standing = platforms.every(control, actor)
    found = [_view(b, standing) for _, b in sorted(control.catalog.blueprints.items())]
    return {"items": found, "next_page_token": None}


def show(control: Control, actor: Actor, name: str) -> dict[str, Any]:
    actor.require(Action.READ_FLEET)
    found = control.catalog.blueprints.get(name)
    if found is None:
        known = ", ".join(sorted(control.catalog.blueprints))
        raise Missing(f"there is no blueprint {name!r}; known: {known}", hint="controlplane blueprint list")
    options = {
        o.name: {"type": o.type, "default": o.default, "range": o.range(), "description": o.description}
        for o in found.options.values()
    }
    return {**_view(found, platforms.every(control, actor)), "options": options}


def render(
    catalog: Catalog,
    name: str,
    environment: Environment,
    *,
    region: str,
    cell: str,
    options: Mapping[str, Any],
) -> dict[str, Any]:
    """A platform's workspace as text, without anything being asked or changed."""
    found = render_platform(
        PlatformWorkspace(
            workspace=platform_workspace(name, environment.value, cell),
            blueprint=name,
            environment=environment,
            region=region,
            cell=cell,
            options=options,
        ),
        catalog,
    )
    return {"files": dict(found.files), "digest": found.digest, "template_version": found.template_version}


def pipeline(of: str, standing: Iterable[tuple[str, str]], slugs: Iterable[str]) -> str:
    """A pipeline over the repository of reviews. `standing`: blueprint and environment of each platform."""
    if of not in tuple(Pipeline):
        message = f"{of!r} is none of {', '.join(Pipeline)}"
        raise Invalid(message, errors=[FieldError("for", message)])
    folders = [*(platform_folder(*one) for one in standing), *(tenant_folder(slug) for slug in slugs)]
    return render_pipeline(Pipeline(of), folders)


def _view(blueprint: Blueprint, standing: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": blueprint.name,
        "title": blueprint.title,
        "template_version": blueprint.template_version,
        "tenancy": blueprint.tenancy,
        "verbs": sorted(blueprint.verbs),
        "environments": sorted(blueprint.environments),
        "platforms": [p for p in standing if p["blueprint"] == blueprint.name],
    }
