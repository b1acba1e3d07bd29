"""`controlplane webhook`, on the local catalog and through the server."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from controlplane import wiring
from tests.doors.cli.terminal import Terminal
from tests.doors.premises import Premises


@pytest.mark.parametrize("way", ["terminal", "through_server"])
def test_add_list_replay_and_remove(
    premises: Premises, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    request.getfixturevalue("terminal")  # sets the environment
    made = wiring.control_of(wiring.load_settings(), premises.control.db)
    premises.control = replace(premises.control, courier=made.courier, keyring=made.keyring)
    ask: Terminal = request.getfixturevalue(way)
    added = ask("webhook", "add", "https://hooks.example.com/x", "--event", "tenant.*", "-o", "json")
    assert added.code == 0, added.err
    webhook = json.loads(added.out)
    assert webhook["secret"].startswith("whsec_")
    assert "shown once" in added.err
    listed = ask("webhook", "list")
    assert "hooks.example.com" in listed.out
    assert webhook["secret"] not in listed.out
    assert ask("webhook", "replay", webhook["id"], "--test", "-o", "json").json()["events"] == 1
    assert ask("webhook", "remove", webhook["id"]).code == 0
    assert ask("webhook", "replay", webhook["id"]).code == 5
    assert ask("webhook", "add", "ftp://x.example.com/").code == 64
