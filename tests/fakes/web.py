"""A `Web` in memory or in a file: what each URL answers, and who asked."""

from __future__ import annotations

from pathlib import Path

from controlplane.domain.migration.evidence import Page
from tests.fakes.world import World


class FakeWeb:
    """Every URL answers 200, until it is told to answer something else."""

    def __init__(self, path: Path | None = None) -> None:
        self.world = World(path, lambda: {"answers": []})

    def answer(self, *statuses: int) -> None:
        """One after the other, and the last one from then on."""
        with self.world.open() as state:
            state["answers"] = list(statuses)

    def get(self, url: str, seconds: float) -> Page:
        with self.world.call("get", url, changes=True) as state:
            waiting = state["answers"]
            status = (waiting.pop(0) if len(waiting) > 1 else waiting[0]) if waiting else 200
            return Page(status, "all is well" if status == 200 else "")
