"""One supervisor stands beside every Terraform: it stays small by importing next to nothing."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {
    *("sqlalchemy", "sqlmodel", "pydantic", "boto3", "botocore", "psycopg", "dbos", "fastapi", "jinja2"),
    *("asyncio", "dataclasses", "http.client", "inspect", "logging", "python_terraform", "subprocess"),
}


def test_a_supervisor_imports_next_to_nothing() -> None:
    program = "import sys, controlplane.supervisor.__main__; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(done.stdout.split())
    assert "controlplane.supervisor.ledger" in loaded
    assert loaded & HEAVY == set()
    ours = {name for name in loaded if name.startswith("controlplane.")}
    allowed = ("controlplane.supervisor", "controlplane.domain")
    assert {name for name in ours if not name.startswith(allowed)} == set()
