"""What AWS has against what is recorded, attribute by attribute, and how bad each difference is.

benign      RDS did it by itself, and it does no harm: storage that autoscaling grew (written back as the new
            floor), a minor version, what waits for the maintenance window
real        somebody changed it: `drift accept` records it, `drift reconcile` takes it back
dangerous   data, or who may reach it, is at risk
"""

from controlplane.domain.drift.compare import compare
from controlplane.domain.drift.planned import BY_PLAN
from controlplane.domain.drift.values import Actual, Difference, Expected, Severity

__all__ = ["BY_PLAN", "Actual", "Difference", "Expected", "Severity", "compare"]
