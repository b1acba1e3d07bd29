from __future__ import annotations

import pytest

from tests.doors.care.neighbourhood import Neighbourhood, open_neighbourhood
from tests.doors.premises import Premises


@pytest.fixture
def here(premises: Premises) -> Neighbourhood:
    return open_neighbourhood(premises)
