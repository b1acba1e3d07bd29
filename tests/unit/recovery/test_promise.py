"""What is promised of a restore, and where a drill falls short of it."""

from __future__ import annotations

from typing import Any

import pytest

from controlplane.domain.recovery import shortfalls

GOOD: dict[str, Any] = {
    "rto_seconds": 3600,
    "rpo_seconds": 300,
    "checks": [{"id": "V1", "name": "rows", "passed": True, "detail": ""}],
}


def test_what_is_just_in_time_is_kept() -> None:
    assert shortfalls(GOOD) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rto_seconds": 3601}, "it answered after 3601 s, promised are 3600 s"),
        ({"rpo_seconds": 301}, "the newest backup lay behind by 301 s, promised are 300 s"),
        ({"rto_seconds": None}, "rto_seconds was not measured"),
        ({"rpo_seconds": None}, "rpo_seconds was not measured"),
        ({"checks": []}, "nothing was verified"),
        ({"checks": [{"id": "V3", "name": "sequences", "passed": False, "detail": "s"}]}, "V3 sequences: s"),
    ],
)
def test_each_shortfall_is_named(change: dict[str, Any], words: str) -> None:
    assert shortfalls({**GOOD, **change}) == [words]
