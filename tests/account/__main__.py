"""`make aws-smoke`: says what it costs, asks, lives one life in the account that was named, and cleans up.

Catalog and states stay in the folder that it names until the account is clean: without them nobody could tell
what is there. Run it where the platform's network is reached, or the tenant's logins cannot be made.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from controlplane import wiring
from controlplane.adapters.aws.clients import Clients
from controlplane.adapters.aws.cloud import Aws
from controlplane.settings import Settings, environment_of
from tests.account.life import PRICED, live
from tests.account.permission import NotHere, require, require_word

_FOLDER = Path(".controlplane-smoke")
_BROKEN, _REFUSED = 1, 64


def main() -> int:
    asked = wiring.load_settings()
    try:
        account = require(asked, os.environ, lambda: _cloud(asked).identity())
        settings = _own(asked)
        for command in PRICED:
            _run(settings, command)
        _say("The above is a month; a life takes an hour or two. Its final snapshot goes at the end.")
        _say(f"Everything stands in account {account}, {settings.region}. Type its number to begin:")
        require_word(account, sys.stdin.readline())
    except NotHere as why:
        _say(str(why))
        return _REFUSED
    return _live(settings, f"smoke-{int(time.time())}")


def _own(asked: Settings) -> Settings:
    """A catalog of its own: this is nobody's fleet."""
    _FOLDER.mkdir(mode=0o700, exist_ok=True)
    return replace(
        asked,
        database_url=f"sqlite:///{(_FOLDER / 'tenants.db').absolute()}",
        data_dir=_FOLDER.absolute(),
        two_person=False,
        changes_through="direct",
        server="",
    )


def _live(settings: Settings, slug: str) -> int:
    outcome = live(lambda command: _run(settings, command), slug)
    _forget_snapshots(settings, slug)
    if outcome.broken:
        _say(f"broke at: controlplane {outcome.broken}")
    for command in outcome.left:
        _say(f"did not work, do it by hand with the catalog in {_FOLDER}: controlplane {' '.join(command)}")
    _say(f"what else is there: controlplane catalog orphans; {_FOLDER} stays until you remove it")
    return 0 if outcome.is_good else _BROKEN


def _forget_snapshots(settings: Settings, slug: str) -> None:
    """A destroyed tenant's final snapshot is kept on purpose; this one nobody wants back."""
    cloud = _cloud(settings)
    for snapshot in cloud.snapshots():
        if snapshot.tags.get("tenant") == slug:
            _say(f"removing the snapshot {snapshot.identifier}")
            cloud.delete_snapshot(snapshot.identifier)


def _cloud(settings: Settings) -> Aws:
    account = wiring.aws_account(settings)
    return Aws(account, Clients(account))


def _run(settings: Settings, command: Sequence[str]) -> int:
    _say(f"\n$ controlplane {' '.join(command)}")
    words = [sys.executable, "-P", "-m", "cli", *command]
    return subprocess.run(words, env=environment_of(settings), check=False).returncode


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
