"""A command that reads starts fast: it never imports what it does not need."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.doors.premises import Premises

ROOT = Path(__file__).parents[3]
HEAVY = (
    "dbos",
    "fastapi",
    "boto3",
    "botocore",
    "moto",
    "uvicorn",
    "alembic",
    "psycopg",
    "sqlmodel",
    "sqlalchemy",
    "opentelemetry",
)
SCRIPT = """
import json, sys
from controlplane.terminal.app import run
code = run(json.loads(sys.argv[1]))
print("LOADED", json.dumps([code, sorted(sys.modules)]))
"""


def loaded(premises: Premises, *words: str) -> tuple[int, set[str]]:
    environment = {
        **os.environ,
        "CONTROLPLANE_DATABASE_URL": premises.url,
        "CONTROLPLANE_DATA_DIR": str(premises.folder / "data"),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(words)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    line = next(line for line in done.stdout.splitlines() if line.startswith("LOADED "))
    code, modules = json.loads(line.removeprefix("LOADED "))
    return code, {name.partition(".")[0] for name in modules}


@pytest.mark.parametrize(
    "words",
    [("tenant", "list"), ("tenant", "list", "--stage", "poc", "-o", "json"), ("tenant", "show", "acme")],
)
def test_the_commonest_reads_import_neither_engine_nor_orm(
    premises: Premises, words: tuple[str, ...]
) -> None:
    premises.tenant("acme")
    code, modules = loaded(premises, *words)
    assert code == 0
    assert not modules & set(HEAVY)


def test_help_imports_next_to_nothing(premises: Premises) -> None:
    code, modules = loaded(premises, "--help")
    assert code == 0
    assert not modules & {*HEAVY, "httpx", "yaml"}


@pytest.mark.parametrize(
    "words",
    [("tenant", "explain", "acme"), ("operation", "list"), ("tenant", "create", "b-c-d", "--no-wait")],
)
def test_no_command_that_is_a_client_launches_the_engine(premises: Premises, words: tuple[str, ...]) -> None:
    premises.tenant("acme")
    code, modules = loaded(premises, *words)
    assert code == 0
    assert not modules & {"dbos", "fastapi", "boto3", "botocore", "moto"}


def test_through_a_server_nothing_of_the_catalog_is_imported(premises: Premises) -> None:
    url, token = premises.serve().url, premises.token()
    code, modules = loaded(premises, "tenant", "list", "--server", url, "--token", token)
    assert code == 0
    assert not modules & set(HEAVY)
