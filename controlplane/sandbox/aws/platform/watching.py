"""GuardDuty, whose features are turned on one by one. Nothing is found."""

from __future__ import annotations

from typing import Any

from moto.guardduty import models
from moto.guardduty.models import Detector


class SandboxDetector(Detector):  # type: ignore[misc]
    """moto takes the features of a change for all that there are."""

    def update(
        self,
        enable: bool,
        finding_publishing_frequency: str,
        data_sources: dict[str, Any],
        features: list[dict[str, Any]] | None,
    ) -> None:
        known = {one["name"]: one for one in self.features} | {one["name"]: one for one in features or []}
        super().update(enable, finding_publishing_frequency, data_sources, list(known.values()))


def mend_detectors() -> None:
    """moto makes its detectors by this name."""
    models.Detector = SandboxDetector
