from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.machine import Machine, borrowed


@pytest.fixture
def machine() -> Iterator[Machine]:
    with borrowed() as fresh:
        yield fresh
