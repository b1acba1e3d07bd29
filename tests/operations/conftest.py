from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.operations.house import House, build


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = build(tmp_path / "house")
    yield built
    built.db.close()


@pytest.fixture
def run(house: House) -> Iterator[Callable[[], None]]:
    """Run a worker of this process until nothing is left to do."""
    worker = house.worker()
    yield lambda: worker.run(until_idle=True)
    worker.engine.stop()
