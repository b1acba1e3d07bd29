"""What an installation needs of its machine beside Terraform and the cloud.

Each function says what it found, or raises with the way to get it, as `services.doctor` asks of a check.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from pathlib import Path

from controlplane.domain.errors import Unavailable
from controlplane.domain.quotas.cells import Cell

LEAST_FREE_GB = 2.0  # a provider, some workspaces and the catalog
OLDEST_GIT = (2, 28)  # `init --initial-branch`
_PLAIN = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
BUNDLE = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"


def look_for_disk(folder: Path, least_gb: float = LEAST_FREE_GB) -> str:
    """Of the folder, or of the nearest one above it that is there already."""
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    free = shutil.disk_usage(there).free / 2**30
    if free < least_gb:
        raise Unavailable(
            f"{free:.1f} GB free at {there}, {least_gb:.0f} GB are needed",
            hint="free some space, or set CONTROLPLANE_DATA_DIR to another disk",
        )
    return f"{free:.1f} GB free at {there}"


def look_for_git() -> str:
    version = _version("git", "install git to work with reviews")
    if _numbers(version) < OLDEST_GIT:
        raise Unavailable(f"git {version} is older than 2.28", hint="install a newer git")
    return f"git {version}"


def look_for_postgres_clients(folder: Path | None = None, server_major: int = 0) -> str:
    """`pg_dump` and `psql`, which move a schema by file; at least as new as the servers."""
    hint = "install PostgreSQL's client programs; only logical replication needs them"
    names = ("pg_dump", "psql")
    versions = [_version(str(folder / name) if folder else name, hint) for name in names]
    oldest = min(versions, key=_numbers)
    if _numbers(oldest)[0] < server_major:
        raise Unavailable(f"pg_dump and psql {oldest} are older than servers of {server_major}", hint=hint)
    return f"pg_dump and psql {oldest}"


def look_for_certificates(bundle: Path | None) -> str:
    """The CA bundle that `verify-full` needs to know RDS by."""
    hint = f"download {BUNDLE} and name it in CONTROLPLANE_DATABASE_CERTIFICATES"
    if bundle is None:
        raise Unavailable("no CA bundle for databases is set", hint=hint)
    try:
        count = bundle.read_text().count("-----BEGIN CERTIFICATE-----")
    except OSError as error:
        raise Unavailable(f"{bundle} cannot be read", hint=hint) from error
    if not count:
        raise Unavailable(f"{bundle} holds no certificate", hint=hint)
    return f"{count} certificates in {bundle}"


def look_for_home(own: Cell, account: str, database: tuple[str, int] | None) -> str:
    """Whether this process is in its cell: in the account that is named for it, and near its databases."""
    if own.account and own.account != account:
        raise Unavailable(
            f"the cell {own.name} is account {own.account}, and this process is in {account}",
            hint="look at the roles of that cell in CONTROLPLANE_CELLS_FILE",
        )
    reached = look_for_reach(*database) if database else "no database to reach yet"
    return f"{own.name}: account {account}, {own.region}; {reached}"


def look_for_reach(host: str, port: int, seconds: float = 5) -> str:
    """Whether this machine stands where it can reach a tenant's database at all."""
    hint = "run the worker inside the cell, in the security group `controlplane`"
    try:
        socket.create_connection((host, port), timeout=seconds).close()
    except socket.gaierror as error:
        raise Unavailable(f"{host} has no address here", hint=hint) from error
    except OSError as error:
        raise Unavailable(f"{host}:{port} does not answer from here", hint=hint) from error
    return f"{host}:{port} answers"


def _version(program: str, hint: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise Unavailable(f"{Path(program).name} is not there", hint=hint)
    try:
        said = subprocess.run(
            [found, "--version"],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
            env={"PATH": "/usr/bin:/bin"},
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise Unavailable(f"{found} does not say its version", hint=hint) from error
    number = re.search(r"\d+(\.\d+)*", said)
    if number is None:
        raise Unavailable(f"{found} says no version", hint=hint)
    return number.group()


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
