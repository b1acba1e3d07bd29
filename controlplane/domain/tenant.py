"""A tenant: what is wanted (spec, generation), what is observed (phase), and which change is legal."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from controlplane.domain.errors import FieldError, IllegalTransition, Invalid

LARGEST_SMALL_LOCATIONS, LARGEST_MEDIUM_LOCATIONS = 3, 10
FEWEST_MEDIUM_USERS, LARGEST_MEDIUM_USERS = 10, 30


class Stage(StrEnum):
    POC = "poc"
    PRODUCTION = "production"


class Size(StrEnum):
    """Steps of the ladder, in order."""

    MICRO = "micro"
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


class CustomerClass(StrEnum):
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


class Environment(StrEnum):
    DEVELOPMENT = "development"
    STAGING = "staging"
    PRODUCTION = "production"

    @property
    def stage(self) -> Stage:
        """Whose tenants live there."""
        return Stage.PRODUCTION if self is Environment.PRODUCTION else Stage.POC


class Phase(StrEnum):
    REQUESTED = "requested"
    PROVISIONING = "provisioning"
    READY = "ready"
    UPDATING = "updating"
    CONVERGING = "converging"
    MIGRATING = "migrating"
    SUSPENDED = "suspended"
    TEARING_DOWN = "tearing_down"
    TORN_DOWN = "torn_down"
    FAILED = "failed"
    NEEDS_OPERATOR = "needs_operator"


class MigrationState(StrEnum):
    NONE = "none"
    PREFLIGHT = "preflight"
    PREPARING = "preparing"
    SEEDING = "seeding"
    CATCHING_UP = "catching_up"
    FENCED = "fenced"
    VERIFIED = "verified"
    SOAKING = "soaking"
    ROLLED_BACK = "rolled_back"
    COMPLETE = "complete"
    NEEDS_OPERATOR = "needs_operator"


_P = Phase
# Each row: from -> the phases that may follow. What stands in no row is refused.
PHASE_TRANSITIONS: dict[Phase, frozenset[Phase]] = {
    _P.REQUESTED: frozenset({_P.PROVISIONING, _P.FAILED, _P.TEARING_DOWN, _P.TORN_DOWN, _P.NEEDS_OPERATOR}),
    # A drill's copy is never ready: it is looked at and goes.
    _P.PROVISIONING: frozenset(
        {_P.READY, _P.CONVERGING, _P.FAILED, _P.TEARING_DOWN, _P.TORN_DOWN, _P.NEEDS_OPERATOR}
    ),
    _P.READY: frozenset(
        {_P.UPDATING, _P.CONVERGING, _P.MIGRATING, _P.SUSPENDED, _P.TEARING_DOWN, _P.NEEDS_OPERATOR}
    ),
    _P.UPDATING: frozenset({_P.READY, _P.CONVERGING, _P.SUSPENDED, _P.FAILED, _P.NEEDS_OPERATOR}),
    _P.CONVERGING: frozenset({_P.READY, _P.UPDATING, _P.FAILED, _P.TEARING_DOWN, _P.NEEDS_OPERATOR}),
    _P.MIGRATING: frozenset({_P.READY, _P.FAILED, _P.NEEDS_OPERATOR}),
    _P.SUSPENDED: frozenset({_P.UPDATING, _P.READY, _P.TEARING_DOWN, _P.NEEDS_OPERATOR}),
    _P.TEARING_DOWN: frozenset({_P.TORN_DOWN, _P.READY, _P.SUSPENDED, _P.FAILED, _P.NEEDS_OPERATOR}),
    _P.TORN_DOWN: frozenset({_P.REQUESTED, _P.PROVISIONING}),
    _P.FAILED: frozenset(
        {_P.PROVISIONING, _P.UPDATING, _P.READY, _P.TEARING_DOWN, _P.TORN_DOWN, _P.NEEDS_OPERATOR}
    ),
    _P.NEEDS_OPERATOR: frozenset(
        {
            _P.PROVISIONING,
            _P.UPDATING,
            _P.MIGRATING,
            _P.READY,
            _P.CONVERGING,
            _P.FAILED,
            _P.SUSPENDED,
            _P.TEARING_DOWN,
            _P.TORN_DOWN,
        }
    ),
}


def check_phase(current: Phase, following: Phase) -> None:
    """Raise unless a tenant may go from one phase to the other; staying is always legal."""
    if following != current and following not in PHASE_TRANSITIONS[current]:
        legal = ", ".join(sorted(PHASE_TRANSITIONS[current])) or "none"
        raise IllegalTransition(
            f"a tenant that is {current} cannot become {following}; from here only: {legal}",
            details={"from": current.value, "to": following.value},
        )


def customer_class(locations: int, users: int) -> CustomerClass:
    """The higher of what locations and users say; exactly 30 users is medium."""
    if locations > LARGEST_MEDIUM_LOCATIONS or users > LARGEST_MEDIUM_USERS:
        return CustomerClass.LARGE
    if locations > LARGEST_SMALL_LOCATIONS or users >= FEWEST_MEDIUM_USERS:
        return CustomerClass.MEDIUM
    return CustomerClass.SMALL


_SIZE_BY_CLASS = {
    CustomerClass.SMALL: Size.MICRO,
    CustomerClass.MEDIUM: Size.SMALL,
    CustomerClass.LARGE: Size.MEDIUM,
}
LADDER = tuple(Size)


def is_down(old: str, new: str) -> bool:
    """Whether that is a step to a smaller size."""
    return LADDER.index(Size(new)) < LADDER.index(Size(old))


def default_size(stage: Stage, locations: int, users: int) -> Size:
    """PoC: micro. Production: what the customer's class maps to, never below small."""
    if stage is Stage.POC:
        return Size.MICRO
    mapped = _SIZE_BY_CLASS[customer_class(locations, users)]
    return max(mapped, Size.SMALL, key=LADDER.index)


def cost_tier(stage: Stage, size: Size) -> str:
    return f"{stage.value}-{size.value}"


@dataclass(frozen=True)
class TenantSpec:
    """What the tenant's owner wants. Every change of it raises the generation."""

    stage: Stage = Stage.POC
    size: Size = Size.MICRO
    region: str = "us-east-1"
    cell: str = "default"
    blueprint: str = "fargate_db_per_tenant"
    environment: Environment = Environment.DEVELOPMENT
    storage_gb: int = 20
    locations: int = 1
    users: int = 1
    paying: bool = False
    sla: bool = False
    sensitive: bool = False
    display_name: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    rightsizing_decision: str = ""  # names who allowed micro in production, and why


def check_spec(spec: TenantSpec) -> None:
    """Rules between fields of one spec; each field's own range belongs to the request models."""
    errors = []
    if spec.stage is Stage.POC and (spec.paying or spec.sla or spec.sensitive):
        errors.append(
            FieldError(
                "stage", "a paying tenant, one with an SLA or with sensitive data must be in production"
            )
        )
    if spec.stage is Stage.PRODUCTION and spec.size is Size.MICRO and not spec.rightsizing_decision:
        errors.append(
            FieldError("size", "micro in production needs a recorded right-sizing decision; use small")
        )
    if (spec.stage is Stage.PRODUCTION) != (spec.environment is Environment.PRODUCTION):
        errors.append(
            FieldError(
                "environment", "production tenants live in production, PoC tenants in development or staging"
            )
        )
    if errors:
        raise Invalid(
            "the tenant as requested breaks a rule: " + "; ".join(e.message for e in errors), errors=errors
        )
