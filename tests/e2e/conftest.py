from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.machine import Machine


@pytest.fixture
def machine() -> Iterator[Machine]:
    """Below a short path that every account may pass: sockets and PostgreSQL's own account need it."""
    folder = Path(tempfile.mkdtemp(prefix="cp-e2e-")).resolve()
    folder.chmod(0o711)
    yield Machine(folder)
    shutil.rmtree(folder, ignore_errors=True)
