"""How long a person waits for the program itself: fresh processes, ten thousand tenants in the catalog."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from bench.rows import Row, seconds
from bench.store_listing import fill
from controlplane import wiring
from controlplane.settings import Settings, environment_of
from controlplane.store.database import open_database

ROUNDS = 7
_READ_ONE = (
    "import sqlite3; sqlite3.connect('tenants.db').execute('SELECT slug FROM tenant LIMIT 50').fetchall()"
)


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        settings = replace(Settings(), database_url=f"sqlite:///{folder}/tenants.db", data_dir=Path(folder))
        wiring.migrate(settings)
        db = open_database(settings.database_url)
        fill(db)
        db.close()
        environment = environment_of(settings)
        bare = seconds(lambda: _call([sys.executable, "-c", _READ_ONE], environment, folder), ROUNDS)

        def command(*words: str) -> float:
            return seconds(
                lambda: _call([sys.executable, "-P", "-m", "cli", *words], environment, folder), ROUNDS
            )

        return [
            Row(
                "`tenant list`, fifty of 10,000; beside: bare sqlite3",
                command("tenant", "list"),
                "s",
                bare,
                goal=0.5,
            ),
            Row("`tenant show`", command("tenant", "show", "tenant-00042"), "s", bare, goal=0.5),
            Row("`--help`", command("--help"), "s", bare, goal=0.4),
        ]


def _call(words: list[str], environment: dict[str, str], folder: str) -> None:
    subprocess.run(
        words, env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True
    )
