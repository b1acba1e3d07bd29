"""The schema by file: dumped whole, loaded in one transaction, checked by fingerprint.

Never through a pipe, which hides that the dump failed. The password travels in a private file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from controlplane.adapters.postgres import picture
from controlplane.adapters.postgres.connection import Connector
from controlplane.adapters.postgres.picture import Picture
from controlplane.domain.errors import Broken, Conflict, Unavailable
from controlplane.ports import Login

TIMEOUT_SECONDS = 1800
_PLAIN = {"PATH": os.defpath, "LC_ALL": "C"}
PROGRAMS_HINT = "install PostgreSQL's client programs of at least the server's major version"


class SchemaFiles:
    def __init__(self, connector: Connector, programs: Path | None = None) -> None:
        self._connector = connector
        self._programs = programs  # folder of pg_dump and psql; None: PATH

    def dump(self, control: Login, file: Path) -> None:
        """Written under another name first: a file of this name is a whole dump."""
        unfinished = file.with_name(file.name + ".unfinished")
        unfinished.unlink(missing_ok=True)
        os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        parts = ("--no-publications", "--no-subscriptions", "--no-tablespaces", "--no-security-labels")
        words = ["--schema-only", "--no-password", *parts, "--exclude-schema=controlplane"]
        self._run("pg_dump", [*words, f"--file={unfinished}"], control, "dumping the schema")
        unfinished.rename(file)

    def dump_rows(self, login: Login, schema: str, file: Path) -> None:
        """One schema with its rows, compressed, as pg_restore reads it."""
        words = ["--format=custom", "--no-password", "--strict-names", f"--schema={schema}"]
        self._run("pg_dump", [*words, f"--file={file}"], login, f"dumping the schema {schema}")

    def tables_with_rows(self, file: Path) -> int:
        """Of how many tables a dump holds the rows; raises where it cannot be read."""
        listed = self._run("pg_restore", ["--list", str(file)], None, "reading the dump")
        return sum(" TABLE DATA " in line for line in listed.splitlines())

    def load(self, source: Login, target_master: Login, file: Path) -> None:
        wanted = self._shape(source)
        there = self._shape(target_master)
        if not differences(wanted, there):
            return
        if any(line.startswith("relation ") for line in there.schema):
            raise Conflict(
                "loading the schema: the target holds another schema already",
                hint="use an empty database",
                details={"differences": differences(wanted, there)[:20]},
            )
        words = [
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "--single-transaction",
            "--no-password",
            "-f",
            str(file),
        ]
        self._run("psql", words, target_master, "loading the schema")
        left = differences(wanted, self._shape(target_master))
        if left:
            raise Broken(
                "loading the schema: the target's differs from the source's afterwards",
                hint="nobody may change the schema during a migration; begin with a new target",
                details={"differences": left[:20]},
            )

    def _shape(self, login: Login) -> Picture:
        return picture.take(self._connector, login, rows=False, seconds=120)

    def _run(self, name: str, words: Sequence[str], login: Login | None, doing: str) -> str:
        password = login.password if login else ""
        with tempfile.TemporaryDirectory(prefix="controlplane-") as folder:
            passfile = Path(folder) / "pgpass"
            passfile.touch(mode=0o600)
            passfile.write_text(f"*:*:*:*:{_escaped(password)}\n")
            try:
                done = subprocess.run(
                    [self._program(name), *words],
                    env=self._environment(login, passfile) if login else _PLAIN,
                    capture_output=True,
                    text=True,
                    stdin=subprocess.DEVNULL,
                    timeout=TIMEOUT_SECONDS,
                    check=False,
                )
            except subprocess.TimeoutExpired as error:
                raise Unavailable(f"{doing}: {name} did not end in {TIMEOUT_SECONDS} s") from error
        if done.returncode:
            said = " | ".join(done.stderr.strip().splitlines()[-3:]).replace(password or "\0", "***")
            hint = PROGRAMS_HINT if "server version" in said else ""
            raise Broken(f"{doing}: {name} exited {done.returncode}: {said[:600]}", hint=hint)
        return done.stdout

    def _program(self, name: str) -> str:
        found = str(self._programs / name) if self._programs else shutil.which(name)
        if not found or not Path(found).is_file():
            raise Unavailable(f"looking for {name}: it is not there", hint=PROGRAMS_HINT)
        return found

    def _environment(self, login: Login, passfile: Path) -> dict[str, str]:
        """From nothing: no PG* variable of ours reaches them."""
        roots = self._connector.root_certificates
        return {
            **_PLAIN,
            "PGHOST": login.host,
            "PGPORT": str(login.port),
            "PGUSER": login.username,
            "PGDATABASE": login.database,
            "PGSSLMODE": login.tls,
            "PGPASSFILE": str(passfile),
            "PGCONNECT_TIMEOUT": str(self._connector.connect_seconds),
            "PGOPTIONS": "-c lock_timeout=30s -c default_transaction_read_only=off",
            **({"PGSSLROOTCERT": str(roots)} if roots else {}),
        }


def differences(one: Picture, other: Picture) -> list[str]:
    """Lines of schema and rules that stand on one side only, `-` missing there, `+` only there."""
    parts = ["schema", "rules"] + (["views"] if one.server_major == other.server_major else [])
    found: list[str] = []
    for part in parts:
        ours, theirs = set(getattr(one, part)), set(getattr(other, part))
        found += [f"- {line}" for line in ours - theirs] + [f"+ {line}" for line in theirs - ours]
    return sorted(found, key=lambda line: line[2:])


def _escaped(password: str) -> str:
    return password.replace("\\", "\\\\").replace(":", "\\:")
