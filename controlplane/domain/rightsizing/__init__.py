"""Right-sizing: from what was measured to a finding, without a clock, a network or an opinion of its own."""

from controlplane.domain.rightsizing.advise import advise
from controlplane.domain.rightsizing.series import Series, Window, clean
from controlplane.domain.rightsizing.values import (
    Advice,
    Burst,
    Finding,
    Measured,
    Reason,
    Signal,
    Step,
    Subject,
    Thresholds,
)

__all__ = [
    "Advice",
    "Burst",
    "Finding",
    "Measured",
    "Reason",
    "Series",
    "Signal",
    "Step",
    "Subject",
    "Thresholds",
    "Window",
    "advise",
    "clean",
]
