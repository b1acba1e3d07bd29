"""The thresholds of right-sizing, and the ladder of classes as the advisor sees it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

from controlplane.catalog.loading import load
from controlplane.catalog.toml_files import read
from controlplane.domain.rightsizing import Burst, Step, Thresholds
from controlplane.domain.tenant import LADDER, Size

FILE = Path(__file__).parent / "facts" / "rightsizing.toml"
_LARGEST = 1_000_000


@dataclass(frozen=True)
class RightSizing:
    thresholds: Thresholds
    ladder: tuple[Step, ...]

    def step(self, size: Size) -> Step:
        return self.ladder[LADDER.index(size)]


@cache
def load_rightsizing(file: Path = FILE) -> RightSizing:
    """Read once and checked: a threshold that is missing or unknown is refused with its name."""
    table = read(file)
    given = table.table("thresholds")
    thresholds = Thresholds(**{f.name: given.number(f.name, 1, _LARGEST) for f in fields(Thresholds)})
    given.done()
    if thresholds.memory_up * (100 + thresholds.memory_margin) <= 100 * 100:
        given.fail("memory_up", "a step down with this margin would be called too small at once")
    bursts = {}
    for name, row in table.table("burst").children(tuple(Size)):
        earned, most = row.number("credits_per_hour", 1, 10_000), row.number("most_credits", 1, _LARGEST)
        bursts[Size(name)] = Burst(earned, most)
        row.done()
    table.done()
    return RightSizing(thresholds, _ladder(bursts))


def _ladder(bursts: dict[Size, Burst]) -> tuple[Step, ...]:
    sizes = load().sizes
    return tuple(
        Step(
            size=size,
            instance_class=sizes[size].instance_class,
            vcpu=sizes[size].vcpu,
            memory_bytes=sizes[size].memory_bytes,
            max_connections=sizes[size].max_connections,
            burst=bursts.get(size),
        )
        for size in LADDER
    )
