"""The catalog as frozen values. They are compared by identity: one catalog is loaded, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from controlplane.catalog.wires import Wire
from controlplane.domain.errors import FieldError, Invalid
from controlplane.domain.launch import LaunchItem
from controlplane.domain.operation import Kind
from controlplane.domain.tenant import Environment, Size, Stage
from controlplane.domain.workspace import StateHome

T = TypeVar("T")
CONNECTION_BYTES, MOST_CONNECTIONS = 9_531_392, 5_000  # AWS: LEAST(DBInstanceClassMemory/9531392, 5000)


@dataclass(frozen=True)
class DatabaseSize:
    """One step of the ladder: an RDS class and what it can do."""

    size: Size
    instance_class: str
    vcpu: int
    memory_mb: int
    engine_majors: tuple[str, ...]

    @property
    def memory_bytes(self) -> int:
        return self.memory_mb * 1024 * 1024

    @property
    def max_connections(self) -> int:
        return min(self.memory_bytes // CONNECTION_BYTES, MOST_CONNECTIONS)


@dataclass(frozen=True)
class StageTier:
    """How a database of one stage is kept."""

    stage: Stage
    multi_az: bool
    backup_days: int
    least_backup_days: int
    most_backup_days: int
    storage_ceiling_gb: int
    log_days: int


@dataclass(frozen=True)
class AlarmRule:
    """One alarm of a database, as a share of something that the class or the slot decides."""

    name: str
    metric: str
    side: str  # above, below
    of: str  # percent, max_connections, memory, storage
    share: int
    minutes: int

    def threshold(self, size: DatabaseSize, storage_gb: int) -> int:
        """Rounded down: connections come in whole numbers, and above 78.4 is above 78 for them."""
        whole = {
            "percent": 100,
            "max_connections": size.max_connections,
            "memory": size.memory_bytes,
            "storage": storage_gb * 1024**3,
        }
        return whole[self.of] * self.share // 100


@dataclass(frozen=True)
class Engine:
    name: str
    default_major: str
    port: int
    versions: Mapping[str, tuple[str, ...]]  # by major


@dataclass(frozen=True)
class StorageLimits:
    least_gb: int
    most_gb: int


@dataclass(frozen=True)
class Quota:
    """What AWS grants by default."""

    name: str
    service: str
    limit: int
    per: str
    meaning: str
    counted: str = ""  # what of ours uses it: databases, tenants, rules, …; "": only AWS knows
    each: int = 1  # how much one of them uses
    reserve: int = 0  # kept free for running migrations
    aws: str = ""  # where AWS answers it: rds:<account quota>, or <service>:<quota code>


@dataclass(frozen=True)
class Region:
    name: str
    zones: tuple[str, ...]


@dataclass(frozen=True)
class CostLine:
    """What a module's use costs: a component, how much of it, and which of its prices."""

    component: str
    fixed: int | None = None  # so many,
    value_of: str = ""  # or the number at this path of the module's inputs,
    count_of: str = ""  # or the length of what stands there
    times: str = ""  # what stands here multiplies it: a number, or the length of a list
    select: Mapping[str, str] = field(default_factory=dict)  # dimension of the price -> path of an input
    when: Mapping[str, Any] = field(default_factory=dict)  # input -> value that it must have to cost anything


@dataclass(frozen=True)
class ModuleFacts:
    """What can be wired into a module and out of it, read from its own files."""

    name: str
    version: str
    summary: str
    required_inputs: tuple[str, ...]
    optional_inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    costs: tuple[CostLine, ...]
    defaults: Mapping[str, Any] = field(default_factory=dict)  # of inputs whose default is a plain value
    late_inputs: frozenset[str] = frozenset()  # what is put in when the module's things are there already,
    early_outputs: frozenset[str] = frozenset()  # and what it gives before that: so two may name each other


@dataclass(frozen=True)
class Band:
    """A value that follows from a number among the options, in steps."""

    name: str
    description: str
    by: str  # the option
    steps: tuple[tuple[int, int], ...]  # up to this number: so much

    def value(self, number: int) -> int:
        """Between two steps the higher one counts; beyond the last one, the last."""
        return next((value for end, value in self.steps if number <= end), self.steps[-1][1])


@dataclass(frozen=True)
class Refusal:
    """Options that do not go together, and why."""

    options: Mapping[str, Any]
    reason: str

    def meets(self, values: Mapping[str, Any]) -> bool:
        return all(values[name] == value for name, value in self.options.items())


@dataclass(frozen=True)
class Option:
    """Something that may differ between platforms of one blueprint, within its range."""

    name: str
    type: str
    description: str
    default: Any
    minimum: int | None = None  # of a list: how many it has at least, one unless it says 0
    maximum: int | None = None
    allowed: tuple[Any, ...] = ()
    pattern: str = ""

    def range(self) -> str:
        if self.allowed:
            return "one of " + ", ".join(str(value) for value in self.allowed)
        if self.pattern:
            return f"text like {self.pattern}"
        if self.minimum is not None or self.maximum is not None:
            return f"{self.minimum} to {self.maximum}"
        return self.type


@dataclass(frozen=True)
class WiredModule:
    """A module in its place: where each of its inputs comes from."""

    name: str
    module: str
    inputs: tuple[tuple[str, Wire], ...]
    each: str = ""  # the map variable that it is repeated over: slots, or access
    when: str = ""  # the option by which it is there or not
    provider: str = ""  # us_east_1: what serves the edge stands there, wherever the platform is


@dataclass(frozen=True)
class Wiring:
    """The modules and outputs of one kind of workspace."""

    modules: tuple[WiredModule, ...]
    outputs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class BlueprintEnvironment:
    name: Environment
    stages: tuple[Stage, ...]
    options: Mapping[str, Any]
    bands: Mapping[str, Band] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Blueprint:
    """A reference platform: its modules, where it may stand, and what its tenants can do."""

    name: str
    title: str
    template_version: str
    tenancy: str  # database: a workspace per tenant; schema: a schema in the shared database
    verbs: frozenset[Kind]
    environments: Mapping[Environment, BlueprintEnvironment]
    options: Mapping[str, Option]
    platform: Wiring
    tenant: Wiring
    refusals: tuple[Refusal, ...] = ()

    @property
    def is_shared(self) -> bool:
        """Its tenants are schemas in one database, which is the platform's."""
        return self.tenancy == "schema"

    @property
    def has_access(self) -> bool:
        """Its tenants are reached through their platform's load balancer."""
        return any(module.each == "access" for module in self.tenant.modules)

    def option_values(self, environment: Environment, given: Mapping[str, Any]) -> dict[str, Any]:
        """Every option's value: what was given, else what the environment says, else its default."""
        unknown = sorted(set(given) - set(self.options))
        if unknown:
            allowed = ", ".join(sorted(self.options))
            raise Invalid(
                f"blueprint {self.name} has no option {unknown[0]!r}; it has: {allowed}",
                errors=[FieldError(f"options.{unknown[0]}", f"one of: {allowed}")],
            )
        defaults = {name: option.default for name, option in self.options.items()}
        return {**defaults, **self.in_environment(environment).options, **given}

    def band_values(self, environment: Environment, options: Mapping[str, Any]) -> dict[str, int]:
        """What follows from these options, such as the number of tasks from that of tenants."""
        bands = self.in_environment(environment).bands
        return {name: band.value(options[band.by]) for name, band in bands.items()}

    def in_environment(self, environment: Environment) -> BlueprintEnvironment:
        found = self.environments.get(environment)
        if found is None:
            allowed = ", ".join(sorted(self.environments))
            raise Invalid(
                f"blueprint {self.name} does not stand in {environment}; only in: {allowed}",
                errors=[FieldError("environment", f"one of: {allowed}")],
            )
        return found


@dataclass(frozen=True, eq=False)
class Catalog:
    """All facts, read once and checked as a whole."""

    engine: Engine
    storage: StorageLimits
    sizes: Mapping[Size, DatabaseSize]
    stages: Mapping[Stage, StageTier]
    alarms: tuple[AlarmRule, ...]
    quotas: Mapping[str, Quota]
    regions: Mapping[str, Region]
    launch: tuple[LaunchItem, ...]
    modules: Mapping[str, ModuleFacts]
    blueprints: Mapping[str, Blueprint]
    # What an installation adds: where states are, or None for our own http backend, and by cell the policy
    # that bounds the roles which Terraform makes there.
    state_home: StateHome | None = None
    role_boundaries: Mapping[str, str] = field(default_factory=dict)

    def blueprint(self, name: str) -> Blueprint:
        return _named("blueprint", name, self.blueprints)

    def region(self, name: str) -> Region:
        return _named("region", name, self.regions)


def _named(what: str, name: str, known: Mapping[str, T]) -> T:
    if name not in known:
        allowed = ", ".join(sorted(known))
        raise Invalid(f"there is no {what} {name!r}; known: {allowed}", errors=[FieldError(what, allowed)])
    return known[name]
