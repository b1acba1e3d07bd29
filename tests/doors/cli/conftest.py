from __future__ import annotations

import pytest

from tests.doors.cli.terminal import Terminal
from tests.doors.premises import Premises


@pytest.fixture
def terminal(
    premises: Premises, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Terminal:
    """Local, as a person at the machine of the catalog."""
    monkeypatch.setenv("CONTROLPLANE_DATABASE_URL", premises.url)
    monkeypatch.setenv("CONTROLPLANE_DATA_DIR", str(premises.folder / "data"))
    monkeypatch.setenv("CONTROLPLANE_POLL_SECONDS", "0.05")
    monkeypatch.delenv("CONTROLPLANE_SERVER", raising=False)
    return Terminal(capsys)


@pytest.fixture
def through_server(premises: Premises, terminal: Terminal) -> Terminal:
    """The same, through the API."""
    url = premises.serve().url
    return Terminal(terminal.capture, ("--server", url, "--token", premises.token()))
