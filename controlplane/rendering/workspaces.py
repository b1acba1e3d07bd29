"""Rendering: a workspace's values and a blueprint in, files and a digest out. Pure; nothing is written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from controlplane.catalog import Blueprint, Catalog
from controlplane.catalog.blueprints.options import option_problem
from controlplane.domain.errors import FieldError, Invalid, Refused
from controlplane.domain.names import platform_secret, route_parameter, short_name, slot_key
from controlplane.domain.workspace import (
    Import,
    PlatformWorkspace,
    Rendering,
    SlotSpec,
    Template,
    TenantWorkspace,
    tenant_tags,
)
from controlplane.rendering.facts import ACCESS, HOME_SHAPE, access_values, home_facts
from controlplane.rendering.labels import label_tags
from controlplane.rendering.provenance import as_json, seal
from controlplane.rendering.shapes import ListOf, MapOf, Maybe, Variable, checked
from controlplane.rendering.slots import SLOT_SHAPE, slot_values
from controlplane.rendering.structure import (
    BACKEND_FILE,
    render_backend,
    render_imports,
    template_of,
)

TENANT_VARIABLES = (
    Variable("region", "Region that the tenant lives in.", str),
    Variable("tags", "Tags of everything here.", MapOf(str)),
    Variable("platform", "What the platform gives, as it was recorded.", HOME_SHAPE),
    Variable("route_parameter", "Parameter that the application reads its route from.", str),
    Variable(
        "slots",
        "The tenant's databases by slot (e1 for epoch 1, and so on), each with what its own platform gives.",
        MapOf({**SLOT_SHAPE, "platform": HOME_SHAPE}),
    ),
)
_ACCESS_VARIABLES = (*TENANT_VARIABLES, ACCESS)
_PLATFORM_VARIABLES = (
    Variable("name", "Prefix of the platform's names.", str),
    Variable("short_name", "The same where AWS takes few characters; it ends in a digest of the whole.", str),
    Variable("region", "Region that the platform lies in.", str),
    Variable("zones", "Availability zones that it is spread over, in order.", ListOf(str)),
    Variable("tags", "Tags of everything here.", MapOf(str)),
    Variable("role_boundary", "Policy that bounds the roles made here; null: none does.", Maybe(str)),
)
# Of a platform whose tenants are schemas: how its database gets its master's password.
_SHARED_VARIABLES = (
    Variable("master_secret", "Secret of the shared database's master.", str),
    Variable("application_secret", "Secret by which the application logs in to the shared database.", str),
    Variable("credential_write", "Whether this plan reads the master's secret.", bool),
)
_OPTION_SHAPES = {"string": str, "number": int, "bool": bool, "list(string)": ListOf(str)}
_KEY = r'(?:\[(?:"[A-Za-z0-9_./:-]+"|\d+)\])?'
_ADDRESS = re.compile(rf"module\.[a-z_]+{_KEY}\.[a-z0-9_]+\.[a-z0-9_]+{_KEY}")


def render_tenant(workspace: TenantWorkspace, catalog: Catalog) -> Rendering:
    """The files of one tenant's workspace."""
    blueprint = catalog.blueprint(workspace.blueprint)
    if not blueprint.tenant.modules:
        raise Refused(f"a tenant of {blueprint.name} has no workspace: it is a schema in the shared database")
    template = workspace.template or tenant_template(blueprint.name, catalog)
    # A tenant that is pinned to an older template is given what that one knows.
    has_access = f'variable "{ACCESS.name}"' in template.files["variables.tf"]
    values = checked(
        f"the workspace of {workspace.slug}",
        _ACCESS_VARIABLES if has_access else TENANT_VARIABLES,
        {
            "region": catalog.region(workspace.region).name,
            "tags": {
                **label_tags(workspace.labels),
                **tenant_tags(workspace.slug, workspace.uid, blueprint.name),
            },
            "platform": home_facts(workspace, workspace.environment),
            "route_parameter": route_parameter(workspace.slug, workspace.uid),
            "slots": {slot_key(s.epoch): _slot(s, workspace, catalog) for s in workspace.slots},
            **({"access": access_values(workspace)} if has_access else {}),
        },
    )
    if len(values["slots"]) != len(workspace.slots):
        raise Invalid(f"rendering the workspace of {workspace.slug}: two slots have the same epoch")
    return _rendering(workspace, template, {"tenant.auto.tfvars.json": as_json(values)}, catalog)


def tenant_template(name: str, catalog: Catalog) -> Template:
    """What tenants of a blueprint are made from in this release."""
    blueprint = catalog.blueprint(name)
    variables = _ACCESS_VARIABLES if blueprint.has_access else TENANT_VARIABLES
    return template_of(catalog, blueprint, "tenant", variables)


def render_platform(workspace: PlatformWorkspace, catalog: Catalog) -> Rendering:
    """The files of one platform's workspace."""
    blueprint = catalog.blueprint(workspace.blueprint)
    options = blueprint.option_values(workspace.environment, workspace.options)
    _check_options(blueprint, options)
    derived = {**options, **blueprint.band_values(workspace.environment, options)}
    region = catalog.region(workspace.region)
    variables = _platform_variables(blueprint)
    values = checked(
        f"the platform {workspace.workspace}",
        variables,
        {
            "name": platform_name(workspace),
            "short_name": short_name(f"{platform_name(workspace)}-{region.name}"),
            "region": region.name,
            "zones": list(region.zones[: options.get("zone_count", len(region.zones))]),
            "tags": {
                "blueprint": blueprint.name,
                "environment": workspace.environment.value,
                "cell": workspace.cell,
                "managed-by": "controlplane",
            },
            "role_boundary": catalog.role_boundaries.get(workspace.cell) or None,
            **{v.name: derived[v.name] for v in variables if v.name in derived},
            **(_shared_values(workspace, options) if blueprint.is_shared else {}),
        },
    )
    template = template_of(catalog, blueprint, "platform", variables)
    return _rendering(workspace, template, {"platform.auto.tfvars.json": as_json(values)}, catalog)


def shared_secrets(workspace: PlatformWorkspace, options: Mapping[str, Any]) -> dict[str, str]:
    """The shared database's secrets by login role, `application` among them."""
    roles = ("master", "application", "cp_control", "app_a", "app_b")
    life = int(options.get("database_life", 1))
    return {role: platform_secret(platform_name(workspace), life, role) for role in roles}


def _shared_values(workspace: PlatformWorkspace, options: Mapping[str, Any]) -> dict[str, Any]:
    secrets = shared_secrets(workspace, options)
    return {
        "master_secret": secrets["master"],
        "application_secret": secrets["application"],
        "credential_write": workspace.credential_write,
    }


def platform_name(workspace: PlatformWorkspace) -> str:
    """Prefix of a platform's names: blueprint, environment and cell, in letters that every service takes."""
    return f"{workspace.blueprint.replace('_', '-')}-{workspace.environment.value}-{workspace.cell}"


def _rendering(
    workspace: TenantWorkspace | PlatformWorkspace,
    template: Template,
    own: dict[str, str],
    catalog: Catalog,
) -> Rendering:
    if workspace.imports:
        _check_imports(workspace.imports)
        own["imports.tf"] = render_imports(workspace.imports)
    if catalog.state_home is not None:
        own[BACKEND_FILE] = render_backend(catalog.state_home, workspace.workspace)
    return seal(template, own, workspace.workspace)


def _slot(slot: SlotSpec, workspace: TenantWorkspace, catalog: Catalog) -> dict[str, Any]:
    facts = home_facts(workspace, slot.environment or workspace.environment)
    return {**slot_values(slot, workspace, catalog), "platform": facts}


def _check_options(blueprint: Blueprint, options: Mapping[str, Any]) -> None:
    for name, value in options.items():
        problem = option_problem(blueprint.options[name], value)
        if problem:
            raise Invalid(
                f"blueprint {blueprint.name}: options.{name} {problem}",
                errors=[FieldError(f"options.{name}", problem)],
            )
    for refusal in blueprint.refusals:
        if refusal.meets(options):
            chosen = ", ".join(f"{name} = {json.dumps(value)}" for name, value in refusal.options.items())
            raise Invalid(
                f"blueprint {blueprint.name}: {chosen}: {refusal.reason}",
                errors=[FieldError(f"options.{name}", refusal.reason) for name in refusal.options],
            )


@lru_cache(maxsize=64)
def _platform_variables(blueprint: Blueprint) -> tuple[Variable, ...]:
    """Options that no module reads are decisions, and stand in other values."""
    modules = blueprint.platform.modules
    sources = {source for module in modules for _, wire in module.inputs for source in wire.sources}
    sources |= {module.when for module in modules}
    wired = [option for option in blueprint.options.values() if f"var.{option.name}" in sources]
    bands = next(iter(blueprint.environments.values())).bands.values()
    return (
        *_PLATFORM_VARIABLES,
        *(_SHARED_VARIABLES if blueprint.is_shared else ()),
        *(Variable(option.name, option.description, _OPTION_SHAPES[option.type]) for option in wired),
        *(Variable(band.name, band.description, int) for band in bands if f"var.{band.name}" in sources),
    )


def _check_imports(imports: Sequence[Import]) -> None:
    addresses = [item.address for item in imports]
    for address in addresses:
        if not _ADDRESS.fullmatch(address):
            raise Invalid(
                f"{address!r} is no address in a workspace",
                hint='an address is like module.database["e1"].aws_db_instance.this',
            )
    if len(set(addresses)) != len(addresses):
        raise Invalid("two imports go to one address")
