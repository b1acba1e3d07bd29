"""Blueprints: read, and checked so that no Terraform call finds what a look at the files could have found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from controlplane.catalog.blueprints.options import check_bands, read_environment, read_option, read_refusals
from controlplane.catalog.toml_files import Table, read
from controlplane.catalog.values import Blueprint, ModuleFacts, WiredModule, Wiring
from controlplane.catalog.wires import MODULE_SOURCE, Wire, read_wire
from controlplane.domain.errors import Invalid
from controlplane.domain.operation import Kind
from controlplane.domain.tenant import Environment

# What a root module of each kind declares by itself, beside the blueprint's options.
PLATFORM_SOURCES = ("var.name", "var.short_name", "var.region", "var.zones", "var.tags", "var.role_boundary")
SHARED_SOURCES = ("local.master_password", "local.application_secret_arn")
_EARLY = " (early)"
TENANT_SOURCES = ("var.slots", "var.platform", "var.route_parameter", "var.tags", "var.region")
# What a module may be repeated over, and what it is then given of each.
EACH_SOURCES = {
    "slots": ("each.key", "each.value", "each.value.platform", "local.master_passwords[each.key]"),
    "access": ("each.key", "each.value.name", "each.value.priority", "each.value.platform"),
}


def read_blueprints(folder: Path, modules: Mapping[str, ModuleFacts]) -> dict[str, Blueprint]:
    return {file.stem: _read_blueprint(file, modules) for file in sorted(folder.glob("*.toml"))}


def _read_blueprint(file: Path, modules: Mapping[str, ModuleFacts]) -> Blueprint:
    table = read(file)
    options = {name: read_option(name, child) for name, child in table.table("options").children()}
    environments = {
        Environment(name): read_environment(name, child, options)
        for name, child in table.table("environments").children(tuple(Environment))
    }
    bands = check_bands(table.table("environments"), environments.values())
    tenancy = table.text("tenancy", ("database", "schema"))
    shared = SHARED_SOURCES if tenancy == "schema" else ()
    platform_sources = (*PLATFORM_SOURCES, *shared, *(f"var.{name}" for name in (*options, *bands)))
    blueprint = Blueprint(
        name=file.stem,
        title=table.text("title"),
        template_version=table.text("template_version"),
        tenancy=tenancy,
        verbs=frozenset(Kind(verb) for verb in table.texts("verbs", tuple(Kind))),
        environments=environments,
        options=options,
        platform=_read_wiring(table.table("platform"), modules, platform_sources),
        tenant=_read_wiring(table.table("tenant"), modules, TENANT_SOURCES),
        refusals=read_refusals(table.tables("refusals"), options),
    )
    table.done()
    return blueprint


def _read_wiring(table: Table, modules: Mapping[str, ModuleFacts], sources: tuple[str, ...]) -> Wiring:
    placed = table.tables("modules")
    wired = [_read_module(child, modules) for child in placed]
    repeated = [w.name for w in wired if [v.name for v in wired].count(w.name) > 1]
    if repeated:
        table.fail("modules", f"two modules are named {repeated[0]!r}; each name stands once")
    outputs_of = {w.name: modules[w.module].outputs for w in wired}
    for child, module in zip(placed, wired, strict=True):
        inputs = child.table("inputs")
        _check_inputs(inputs, module, modules[module.module])
        own = (*sources, *EACH_SOURCES.get(module.each, ()))
        for key, wire in module.inputs:
            for source in wire.sources:
                _check_source(inputs, key, source, outputs_of, own)
        if module.when:
            _check_source(child, "when", module.when, {}, sources)
    outputs = table.table("outputs")
    for key in outputs.values:
        _check_source(outputs, key, outputs.text(key), outputs_of, ())
    _check_cycles(table, wired, modules)
    table.done()
    return Wiring(tuple(wired), tuple((key, outputs.text(key)) for key in outputs.values))


def _read_module(table: Table, modules: Mapping[str, ModuleFacts]) -> WiredModule:
    inputs = table.table("inputs")
    module = WiredModule(
        name=table.text("name"),
        module=table.text("module", sorted(modules)),
        inputs=tuple((key, read_wire(inputs, key)) for key in inputs.values),
        each=table.text("each", (*EACH_SOURCES, ""), default=""),
        when=table.text("when", default=""),
        provider=table.text("provider", ("us_east_1", ""), default=""),
    )
    table.done()
    return module


def _check_inputs(table: Table, module: WiredModule, facts: ModuleFacts) -> None:
    allowed = facts.required_inputs + facts.optional_inputs
    given = dict(module.inputs)
    for key in given:
        if key not in allowed:
            table.fail(key, f"module {facts.name} has no such input; allowed: {', '.join(sorted(allowed))}")
    for key in facts.required_inputs:
        if key not in given:
            table.fail(key, f"module {facts.name} needs this input and nothing is wired to it")


def _check_source(
    table: Table, key: str, source: str, outputs_of: Mapping[str, tuple[str, ...]], sources: tuple[str, ...]
) -> None:
    match = MODULE_SOURCE.fullmatch(source)
    if match is None:
        if source not in sources:
            names = ", ".join(sources) or "none"
            table.fail(key, f"is wired to {source!r}; allowed: {names}, or module.NAME.OUTPUT")
        return
    name, output = match[1], match[2]
    if name not in outputs_of:
        table.fail(key, f"is wired to module {name!r}; allowed: {', '.join(sorted(outputs_of))}")
    if output not in outputs_of[name]:
        table.fail(
            key, f"is wired to {output!r} of module {name}; it gives: {', '.join(sorted(outputs_of[name]))}"
        )


def _check_cycles(table: Table, wired: list[WiredModule], modules: Mapping[str, ModuleFacts]) -> None:
    facts = {w.name: modules[w.module] for w in wired}
    graph: dict[str, set[str]] = {}
    for w in wired:
        late = facts[w.name].late_inputs
        graph[w.name] = {node for _, wire in w.inputs for node in _waits_for(wire, facts)}
        graph[_early(w.name)] = {
            n for key, wire in w.inputs if key not in late for n in _waits_for(wire, facts)
        }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = " -> ".join(node.removesuffix(_EARLY) for node in error.args[1])
        raise Invalid(
            f"{table.file}: {table.path}.modules: the wires form a circle: {circle}",
            hint="take one of these wires out: a module cannot wait for itself",
        ) from error


def _waits_for(wire: Wire, facts: Mapping[str, ModuleFacts]) -> Iterator[str]:
    """The modules that have to be there first, some of them only as far as their early outputs go."""
    for source in wire.sources:
        match = MODULE_SOURCE.fullmatch(source)
        if match:
            name, output = match[1], match[2]
            yield _early(name) if output in facts[name].early_outputs else name


def _early(name: str) -> str:
    return f"{name}{_EARLY}"
