"""What RDS asks of a database before a switchover, and the names that it makes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from controlplane.domain.migration.bluegreen import Source, is_side_of, objections

FIT = Source("acme-e1", 1, "16.8", 20, 20, "db.t4g.small", frozenset({"db.t4g.small"}))


def test_nothing_is_said_against_what_is_fit() -> None:
    assert objections(FIT) == []


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"backup_days": 0}, "no automated backups"),
        ({"encrypted": False}, "not encrypted"),
        ({"pending": ("class",)}, "holds back class"),
        ({"replicas": ("reader",)}, "read replicas: reader"),
        ({"orderable": frozenset()}, "db.t4g.small is not sold"),
        ({"storage_gb": 21}, "has grown to 21 GB"),
    ],
)
def test_whatever_rds_would_refuse_is_said_with_a_way_on(facts: dict[str, Any], said: str) -> None:
    [one] = objections(replace(FIT, **facts))
    assert said in one.why
    assert one.hint


def test_everything_is_said_at_once() -> None:
    assert len(objections(replace(FIT, backup_days=0, replicas=("reader",), encrypted=False))) == 3


@pytest.mark.parametrize(
    ("identifier", "is_one"),
    [
        ("acme-e1-old1", True),
        ("acme-e1-old12", True),
        ("acme-e1-green-x1y2z3", True),
        ("acme-e1-old1-old1", True),
        ("acme-e1", False),
        ("acme-e1-older", False),
        ("acme-e12-old1", False),
    ],
)
def test_the_names_that_rds_makes_are_known(identifier: str, is_one: bool) -> None:
    assert is_side_of(identifier, {"acme-e1", "acme-e1-old1"}) is is_one
