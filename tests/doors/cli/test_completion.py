"""What a shell gets behind Tab, asked as bash asks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.doors.premises import Premises

ROOT = Path(__file__).parents[3]


def offered(premises: Premises, line: str, **more: str) -> list[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "CONTROLPLANE_DATABASE_URL": premises.url,
        "CONTROLPLANE_DATA_DIR": str(premises.folder / "data"),
        "_CONTROLPLANE_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split()) - 1),
        **more,
    }
    words = [sys.executable, "-P", "-m", "cli"]
    done = subprocess.run(
        words, env=environment, cwd=premises.folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_slugs_ids_and_commands_are_offered(premises: Premises) -> None:
    one = premises.tenant("acme")
    premises.tenant("acme-two")
    two = premises.tenant("other")
    assert offered(premises, "controlplane tenant show ac") == ["acme", "acme-two"]
    assert offered(premises, "controlplane tenant resize oth") == ["other"]
    assert {one, two} <= set(offered(premises, "controlplane operation show op-"))
    assert offered(premises, "controlplane ten") == ["tenant"]


def test_through_a_server_the_same_is_offered(premises: Premises) -> None:
    premises.tenant("acme")
    server = {"CONTROLPLANE_SERVER": premises.serve().url, "CONTROLPLANE_TOKEN": premises.token()}
    assert offered(premises, "controlplane tenant show ac", **server) == ["acme"]


@pytest.mark.parametrize("server", ["http://127.0.0.1:9", "nonsense"])
def test_who_cannot_be_asked_offers_nothing_and_says_nothing(premises: Premises, server: str) -> None:
    more = {"CONTROLPLANE_SERVER": server, "CONTROLPLANE_TOKEN": "none"}
    assert offered(premises, "controlplane tenant show ac", **more) == []
