"""How many Terraform processes work at a time, where nobody says it."""

from __future__ import annotations

import pytest

from controlplane.settings import Settings, slots_of


@pytest.mark.parametrize(
    ("cores", "memory_gb", "slots"),
    [(2, 8, 2), (2, 24, 2), (16, 8, 5), (16, 64, 16), (8, 2, 1), (1, 0.5, 1)],
)
def test_cores_and_half_of_the_memory_bound_terraform(cores: int, memory_gb: float, slots: int) -> None:
    assert slots_of(cores, memory_gb) == slots


def test_who_says_how_many_is_taken_at_their_word() -> None:
    assert Settings(terraform_slots=7).slots == 7
    assert Settings().slots >= 1
