"""The part of a rendering that is the same for every workspace of one kind: HCL, modules, lock file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from controlplane import assets
from controlplane.catalog import Blueprint, Catalog, Wiring
from controlplane.catalog.values import WiredModule
from controlplane.catalog.wires import aligned, source_hcl
from controlplane.domain.workspace import Import, StateHome, Template
from controlplane.rendering.hcl import hcl_string
from controlplane.rendering.shapes import Variable

LOCK_FILE = ".terraform.lock.hcl"
OVERRIDE_FILE = "runner_override.tf"
BACKEND_FILE = "backend.s3.tfbackend"


def digest_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


@lru_cache(maxsize=1)
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(assets.templates()),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - this is HCL; text goes through the `hcl` filter
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["hcl"] = hcl_string
    return environment


@lru_cache(maxsize=64)
def template_of(
    catalog: Catalog, blueprint: Blueprint, kind: str, variables: tuple[Variable, ...]
) -> Template:
    """Rendered once for a blueprint: a workspace adds its values and nothing else."""
    wiring = blueprint.tenant if kind == "tenant" else blueprint.platform
    files = {
        "main.tf": _render(
            f"{kind}/main.tf.j2",
            modules=_calls(wiring),
            in_bucket=catalog.state_home is not None,  # where people find its state
            **_traits(blueprint, wiring),
        ),
        "variables.tf": _render("common/variables.tf.j2", variables=variables),
        "outputs.tf": _render("common/outputs.tf.j2", outputs=_output_values(wiring)),
        LOCK_FILE: (assets.templates() / "terraform.lock.hcl").read_text(encoding="utf-8"),
        **_further_files(kind),
        **_module_files(wiring),
    }
    versions = {one.module: catalog.modules[one.module].version for one in wiring.modules}
    return whole_template(blueprint.name, blueprint.template_version, versions, files)


def whole_template(
    blueprint: str, version: str, modules: Mapping[str, str], files: Mapping[str, str]
) -> Template:
    """A template with the digests by which it is known again."""
    digests = {path: digest_of(text) for path, text in files.items()}
    whole = digest_of(json.dumps([blueprint, version, digests], sort_keys=True))
    return Template(blueprint, version, dict(modules), dict(files), digests, whole)


def render_imports(imports: Sequence[Import]) -> str:
    return _render("common/imports.tf.j2", imports=imports)


def render_backend(home: StateHome, workspace: str) -> str:
    """What makes Terraform's partial `s3` backend whole. Beside main.tf, which so stays the same for all."""
    return _render("common/backend.s3.tfbackend.j2", home=home, key=home.key(workspace))


def runner_override() -> str:
    """The backend of the control plane's own runs; written beside a workspace, outside its digest."""
    return (assets.templates() / OVERRIDE_FILE).read_text(encoding="utf-8")


def _render(template: str, **values: Any) -> str:
    return _templates().get_template(template).render(**values)


def _calls(wiring: Wiring) -> list[tuple[WiredModule, list[str]]]:
    """Every module with the lines of its inputs."""
    counted = _counted(wiring)
    return [
        (module, aligned([(name, wire.hcl(counted)) for name, wire in module.inputs]))
        for module in wiring.modules
    ]


def _counted(wiring: Wiring) -> frozenset[str]:
    return frozenset(module.name for module in wiring.modules if module.when)


def _traits(blueprint: Blueprint, wiring: Wiring) -> dict[str, bool]:
    """What of a root module is there for some blueprints only."""
    return {"edge": any(module.provider for module in wiring.modules), "shared": blueprint.is_shared}


def _output_values(wiring: Wiring) -> list[tuple[str, str]]:
    repeated = {module.name for module in wiring.modules if module.each}
    counted = _counted(wiring)
    return [(name, _output_value(source, repeated, counted)) for name, source in wiring.outputs]


def _output_value(source: str, repeated: set[str], counted: frozenset[str]) -> str:
    _, name, output = source.split(".", 2)
    if name in repeated:
        return f"{{ for key, each in module.{name} : key => each.{output} }}"
    return source_hcl(source, counted)


def _further_files(kind: str) -> dict[str, str]:
    """Files that a template version adds as they are, such as `moved.tf`."""
    return {
        path.name: path.read_text(encoding="utf-8")
        for path in sorted((assets.templates() / kind).glob("*.tf"))
    }


def _module_files(wiring: Wiring) -> dict[str, str]:
    """The modules travel with the workspace, so that the folder is whole wherever it is copied; each as one
    file, because a fleet has ten thousand of every file."""
    return {
        f"modules/{name}/main.tf": "\n".join(
            path.read_text(encoding="utf-8") for path in sorted((assets.modules() / name).glob("*.tf"))
        )
        for name in sorted({module.module for module in wiring.modules})
    }
