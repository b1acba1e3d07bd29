"""What the advisor works with and what it says. AWS's spelling where AWS has a word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from controlplane.domain.plan.forecast import Outage
from controlplane.domain.rightsizing.series import Series
from controlplane.domain.tenant import Size, Stage

GIGABYTE = 1024**3


class Finding(StrEnum):
    OPTIMIZED = "Optimized"
    UNDERPROVISIONED = "Underprovisioned"
    OVERPROVISIONED = "Overprovisioned"


class Reason(StrEnum):
    CPU_OVER = "CPUOverprovisioned"
    CPU_UNDER = "CPUUnderprovisioned"
    MEMORY_OVER = "MemoryOverprovisioned"  # ours: AWS has none for databases
    MEMORY_UNDER = "MemoryUnderprovisioned"
    IOPS_UNDER = "EBSIOPSUnderprovisioned"
    STORAGE_UNDER = "EBSVolumeAllocatedStorageUnderprovisioned"
    CONNECTION_CEILING = "ConnectionCeiling"  # ours
    CREDITS = "CPUCreditsShort"  # ours: a lower burstable class would not earn enough
    FLOOR = "SizeFloor"  # ours: stage and customer class
    LADDER = "LadderEnd"  # ours: there is no further step
    LATENCY = "LatencyHigh"  # ours
    COOL_DOWN = "CoolDown"  # ours
    UNKNOWN = "NotEnoughData"  # ours


@dataclass(frozen=True)
class Signal:
    """One reason, with the figures that it rests on."""

    code: Reason
    words: str

    def as_json(self) -> dict[str, str]:
        return {"code": self.code.value, "words": self.words}


@dataclass(frozen=True)
class Burst:
    """CPU credits of a burstable class; a credit is one vCPU for one minute."""

    credits_per_hour: float
    most_credits: float


@dataclass(frozen=True)
class Step:
    """One class of the ladder."""

    size: Size
    instance_class: str
    vcpu: int
    memory_bytes: int
    max_connections: int
    burst: Burst | None = None

    @property
    def baseline_percent(self) -> float:
        """The CPU that the class can hold for ever."""
        return 100.0 if self.burst is None else self.burst.credits_per_hour / 60 / self.vcpu * 100


@dataclass(frozen=True)
class Subject:
    """A tenant's database and what may be done with it."""

    slug: str
    identifier: str
    stage: Stage
    size: Size
    floor: Size  # no step goes below it
    floor_words: str
    storage_gb: int
    max_storage_gb: int
    last_change_at: int | None = None  # of its class, seconds since 1970
    stepped_down: bool = False  # by that change
    monthly_usd: Mapping[Size, Decimal | None] = field(default_factory=dict)  # with each class
    outage: Outage = field(default_factory=Outage)  # of a change of class
    credit_usd: Decimal | None = None  # a surplus vCPU-hour


@dataclass(frozen=True)
class Thresholds:
    """Percent unless the name says otherwise. The catalog has them as data."""

    look_back_days: int = 14
    period_seconds: int = 7200
    down: int = 20
    up: int = 70
    urgent: int = 80
    urgent_minutes: int = 10
    coverage: int = 80  # of the look-back's periods, to go down
    up_hours: int = 24  # measured, to go up
    memory_margin: int = 25
    memory_up: int = 90  # above what a step down may fill the lower class to: no flapping
    swap_up: int = 5  # of the class's memory
    connections_fit: int = 80
    connections_up: int = 85
    credits_low: int = 5  # of the most that the class can save up
    credits_share: int = 5  # of the time
    cool_down_days: int = 7
    latency_high_ms: int = 20
    storage_warn_days: int = 30
    storage_target_days: int = 90
    baseline_iops: int = 3000  # gp3 below 400 GB
    after_hours: int = 24  # until a change is looked at again
    suppress_days: int = 30  # after the first dismissal; each further one doubles


# Metric names as collected; what a metric cannot exceed is decided by class and storage.
CPU, CPU_MEAN, CPU_RECENT = "cpu", "cpu_mean", "cpu_recent"
MEMORY, SWAP, CONNECTIONS = "freeable_memory", "swap", "connections"
STORAGE, CREDITS, SURPLUS, CHARGED = "free_storage", "credits", "surplus_credits", "charged_credits"
READ_IOPS, WRITE_IOPS = "read_iops", "write_iops"
READ_LATENCY, WRITE_LATENCY = "read_latency", "write_latency"

Measured = Mapping[str, Series]


@dataclass(frozen=True)
class Storage:
    """How the storage goes on."""

    free_gb: float
    growth_gb_a_day: float
    days_until_full: int | None  # of what is allocated; None: it does not grow
    days_until_ceiling: int | None  # of what autoscaling may reach
    target_gb: int | None  # what to raise it to; None: nothing to do
    words: str


@dataclass(frozen=True)
class Advice:
    slug: str
    identifier: str
    finding: Finding | None  # None: it is not known
    current: Size
    target: Size | None = None  # None: stay
    reasons: tuple[Signal, ...] = ()
    blocked: tuple[Signal, ...] = ()  # what keeps a step from being taken
    remarks: tuple[str, ...] = ()
    urgent: bool = False
    held_until: int | None = None
    monthly_before: Decimal | None = None
    monthly_after: Decimal | None = None
    surplus_usd: Decimal | None = None  # what surplus credits cost a month on the class of today
    risk: str = "none"
    risk_words: str = ""
    outage: str = ""
    revert: str = ""
    storage: Storage | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def target_storage_gb(self) -> int | None:
        return self.storage.target_gb if self.storage else None

    @property
    def target_now(self) -> Size | None:
        """The class that may be proposed now: none during a cool-down."""
        return self.target if self.held_until is None else None

    @property
    def proposes(self) -> bool:
        """Whether there is something to decide now."""
        return self.target_now is not None or self.target_storage_gb is not None

    @property
    def delta_usd(self) -> Decimal | None:
        """A month more than today; negative saves. Surplus credits count as saved by a step up."""
        if self.monthly_before is None or self.monthly_after is None:
            return None
        saved = self.surplus_usd if self.finding is Finding.UNDERPROVISIONED else None
        return self.monthly_after - self.monthly_before - (saved or Decimal(0))

    @property
    def signature(self) -> str:
        """Two findings of one signature are the same proposal."""
        parts = [self.finding.value if self.finding else "", self.current.value]
        parts.append(self.target_now.value if self.target_now else "")
        return ":".join([*parts, "storage" if self.target_storage_gb else ""])
