from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from controlplane.steps import world
from tests.doors.premises import Premises, make_template, open_premises


@pytest.fixture(autouse=True)
def without_a_world() -> None:
    """A door has none, whoever had one in this process before: no answer may need what steps work with."""
    world._installed.clear()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("catalog"))


@pytest.fixture
def premises(template: Path, tmp_path: Path) -> Iterator[Premises]:
    opened = open_premises(template, tmp_path / "premises")
    yield opened
    opened.close()


@pytest.fixture
def http(premises: Premises) -> httpx.Client:
    """As an admin who sees everything."""
    return premises.client()
