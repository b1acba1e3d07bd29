"""The look after a change: better, worse, or not to be said yet."""

from __future__ import annotations

from controlplane.domain.rightsizing import Measured, Reason
from controlplane.domain.rightsizing.aftercare import Outcome, look_back
from controlplane.domain.tenant import Size
from tests.unit.rightsizing.traces import DAY, NOW, Load, T, flat, measure, step_of, window


def since(load: Load, size: Size, days: float) -> Measured:
    w = window()
    return {name: s.since(w.end - days * DAY) for name, s in measure(load, size, w).items()}


def verdict(before: Load, after: Load, days: float = 2) -> tuple[Outcome, set[Reason]]:
    found = look_back(
        step_of(Size.MICRO), measure(before, Size.SMALL), since(after, Size.MICRO, days), T, NOW
    )
    return found.outcome, {signal.code for signal in found.signals}


def test_a_change_that_did_no_harm_is_good() -> None:
    assert verdict(Load(flat(3)), Load(flat(3))) == (Outcome.GOOD, set())


def test_a_few_hours_say_nothing_yet() -> None:
    assert verdict(Load(flat(3)), Load(flat(3)), days=0.5) == (Outcome.UNKNOWN, set())


def test_a_class_that_turned_out_too_small_is_worse() -> None:
    assert verdict(Load(flat(3)), Load(flat(60))) == (Outcome.WORSE, {Reason.CPU_UNDER})
    assert verdict(Load(flat(3)), Load(flat(3), 2000))[0] is Outcome.WORSE


def test_slower_is_worse_only_where_it_can_be_noticed() -> None:
    slow = verdict(Load(flat(3), latency_ms=4), Load(flat(3), latency_ms=12))
    assert slow == (Outcome.WORSE, {Reason.LATENCY})
    assert verdict(Load(flat(3), latency_ms=1), Load(flat(3), latency_ms=3))[0] is Outcome.GOOD
    assert verdict(Load(flat(3), latency_ms=9), Load(flat(3), latency_ms=12))[0] is Outcome.GOOD
