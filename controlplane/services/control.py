"""What services work with, and what every request carries."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from controlplane.catalog import Catalog
from controlplane.domain.review.verbs import HostRules
from controlplane.domain.tracing import traceparent
from controlplane.store.database import Database

if TYPE_CHECKING:
    from controlplane.domain.events.courier import Courier
    from controlplane.domain.quotas.cells import Cell
    from controlplane.domain.review.forge import Forge
    from controlplane.domain.rightsizing.opinions import OpinionSource
    from controlplane.ports import (
        AlarmSource,
        BillSource,
        FleetSource,
        Keyring,
        MetricSource,
        PlanSource,
        PriceSource,
        QuotaSource,
        TopicSource,
    )
    from controlplane.steps.world import World
    from controlplane.store.states import States

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


def utc_now() -> datetime:
    return datetime.now(UTC)


class AwsCalls(Protocol):
    """What this process asked of AWS, attempt by attempt."""

    def calls(self) -> Mapping[tuple[str, str, str], int]:
        """By service, operation and outcome."""
        ...

    def throttles(self) -> Mapping[str, int]: ...


@dataclass(frozen=True)
class Control:
    """Made once by the composition root."""

    db: Database
    catalog: Catalog
    region: str = "us-east-1"
    cell: str = "default"
    cells: Mapping[str, Cell] = field(default_factory=dict)  # beside our own; empty: there is no other
    two_person: bool = True
    budget_headroom_percent: int = 25
    worker_lives: Callable[[str], bool] = lambda _: True  # in one of several; "": in any
    now: Callable[[], datetime] = utc_now
    prices: Path | None = None  # where taken price books are kept
    price_source: Callable[[], PriceSource] | None = None
    bill_source: Callable[[], BillSource] | None = None
    changes_through: str = "direct"  # or `review`
    apply_before_merge: bool = False  # a review's change; else after it
    forge: Callable[[], Forge] | None = None  # where reviews live
    host: HostRules = HostRules()  # what is allowed there, and to whom
    metric_source: Callable[[], MetricSource] | None = None
    fleet_source: Callable[[], FleetSource] | None = None
    opinion_source: Callable[[], OpinionSource] | None = None  # where Compute Optimizer is enabled
    alarm_topics: frozenset[str] = frozenset()  # whose messages are taken at our address
    topic_source: Callable[[], TopicSource] | None = None
    alarm_source: Callable[[], AlarmSource] | None = None
    quota_source: Callable[[], QuotaSource] | None = None
    plan_source: Callable[[], PlanSource] | None = None  # only where a process may run Terraform
    rehearsing: Callable[[], tuple[World, PlanSource]] | None = None  # for dry runs, likewise
    workspaces: Path | None = None  # the rendered folders of this host
    states: Callable[[], States] | None = None  # Terraform's, of every workspace
    retention_days: int = 90  # plans, lines of Terraform and older states stay that long; 0: for ever
    retention_states: int = 50  # the newest of each workspace stay, however old
    audit_days: int = 0  # entries of the audit stay that long in the catalog; 0: for ever
    audit_exports: Path | None = None  # the folder that they leave for
    aws_calls: Callable[[], AwsCalls] | None = None  # how often this process asked
    courier: Callable[[], Courier] | None = None  # takes events to webhooks
    keyring: Callable[[], Keyring] | None = None  # for what is kept sealed
    machine_reviews: str = ""  # for whom right-sizing and drift open reviews by themselves; a selector
    rightsizing_alone: str = ""  # whose steps down need nobody, in an allow window; a selector

    @property
    def cell_of_many(self) -> str:
        """Our own where there are others; empty where everything is in it."""
        return self.cell if len(self.cells) > 1 else ""


@dataclass(frozen=True)
class Ask:
    """How a change is asked for, whatever the change."""

    reason: str = ""
    request_id: str = ""
    traceparent: str = ""  # the span in which it was asked for
    auto_approve: bool = False
    if_match: int | None = None  # the tenant's revision that the caller saw
    priority: int = 10
    wave_id: str | None = None
    review: Mapping[str, Any] = field(default_factory=dict)  # what a person's own branch says of its review
    machine: Mapping[str, Any] = field(default_factory=dict)  # on what grounds a machine asks
    is_decided: bool = False  # a person did so when they made the window, or suspended: no review of its own


def _base32(number: int, digits: int) -> str:
    return "".join(_CROCKFORD[(number >> (5 * i)) & 31] for i in reversed(range(digits)))


def new_id(prefix: str) -> str:
    """Sorts by time, tells nothing else: 9 digits of milliseconds, 7 random ones."""
    return f"{prefix}-{_base32(int(time.time() * 1000), 9)}{_base32(secrets.randbits(35), 7)}"


def new_traceparent() -> str:
    """A trace that begins here: whatever follows from it stands together, also when no door has a span."""
    return traceparent(secrets.token_hex(16), secrets.token_hex(8))


def new_uid() -> str:
    """A tenant's uid: a letter and seven digits or letters, 10^11 of them."""
    return secrets.choice("abcdefghjkmnpqrstvwxyz") + _base32(secrets.randbits(35), 7)


def plain(value: Any) -> Any:
    """A time as text, a Decimal as text; everything else as it is."""
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, (str, int, bool, type(None), dict, list)) else str(value)
