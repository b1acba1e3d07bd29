"""pg_dump, for backups of a catalog on PostgreSQL."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from controlplane.domain.errors import Unavailable

_SECONDS = 3600
_HINT = "install PostgreSQL's client programs, not older than the server, or use the server's own backups"


def pg_dump(connection: Mapping[str, str], target: Path, search: str | None = None) -> None:
    """A dump in pg_restore's format. `connection` holds libpq's variables: a password is no argument.

    `search` is where the program is looked for, written as PATH is; PATH itself unless given.
    """
    program = shutil.which("pg_dump", path=search)
    if program is None:
        raise Unavailable("backing up the catalog: there is no pg_dump on PATH", hint=_HINT)
    argv = [program, "--format=custom", "--no-password", f"--file={target}"]
    target.touch(mode=0o600)
    try:
        done = subprocess.run(
            argv,
            env={"PATH": os.defpath, "LC_ALL": "C", "PGCONNECT_TIMEOUT": "10", **connection},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"backing up the catalog: pg_dump took over {_SECONDS} s") from error
    if done.returncode:
        said = " | ".join(done.stderr.strip().splitlines()[-3:])
        raise Unavailable(f"backing up the catalog: pg_dump exited {done.returncode}: {said}", hint=_HINT)
