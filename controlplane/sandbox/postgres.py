"""One PostgreSQL cluster on this machine: loopback only, SCRAM only, no sockets, never as root."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from controlplane.domain.errors import Conflict, Unavailable
from controlplane.sandbox.binaries import (
    Identity,
    PostgresBinaries,
    discover,
    identity,
    open_folder,
)

__all__ = ["DEFAULTS", "Cluster", "PostgresBinaries", "discover", "free_port"]

# Many clusters share one small machine. fsync=off loses nothing when a process is killed, only when the
# machine itself goes down: pass {"fsync": "on"} where that matters.
DEFAULTS: Mapping[str, str] = MappingProxyType(
    {
        "max_connections": "60",
        "shared_buffers": "16MB",
        "fsync": "off",
        "jit": "off",
        "max_wal_size": "64MB",
        "min_wal_size": "8MB",
        "max_worker_processes": "12",
        "unix_socket_directories": "''",
        "password_encryption": "scram-sha-256",
        "logging_collector": "off",
        "log_line_prefix": "'%m [%p] %q%u@%d '",
    }
)
BELONGS_TO = "belongs-to"  # in a home outside its folder: which folder that is
_STOP = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT, "kill": signal.SIGKILL}
_PRELOAD = {"LC_ALL": "C", "PATH": "/usr/bin:/bin"}


def free_port(host: str = "127.0.0.1") -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Address:
    host: str
    port: int


@dataclass(frozen=True)
class Cluster:
    """A cluster in `folder`. Under root its files move to a folder that the other account can reach."""

    folder: Path
    binaries: PostgresBinaries
    settings: Mapping[str, str] = field(default_factory=dict)
    runner: Identity = field(default_factory=identity)

    # --- where things are ---------------------------------------------------------------------------

    @property
    def home(self) -> Path:
        """The folder itself, unless PostgreSQL's account cannot get there (a private folder of root)."""
        folder = self.folder.resolve()
        if not self.runner.is_other or self.runner.may_enter(folder.parent):
            return folder
        mark = hashlib.sha256(str(folder).encode()).hexdigest()[:20]
        return open_folder(self.runner) / f"controlplane-cluster-{mark}"

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "postgres.log"

    @property
    def exists(self) -> bool:
        return (self.data / "PG_VERSION").is_file()

    # --- making and removing ------------------------------------------------------------------------

    def init(self, superuser: str, password: str) -> None:
        """initdb; the password travels through a private file, never through an argument."""
        if self.exists:
            raise Conflict(f"making a PostgreSQL cluster in {self.folder}: there is one already")
        self.prepare()
        secret = self.home / "password"
        self.write(secret, password + "\n")
        try:
            how = ("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--wal-segsize=1")
            command: list[str | Path] = [
                self.binaries.initdb,
                "-D",
                self.data,
                "-U",
                superuser,
                f"--pwfile={secret}",
                *how,
            ]
            self.run(command, timeout=120)
        finally:
            secret.unlink(missing_ok=True)
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.write("\ninclude_if_exists 'controlplane.conf'\n")
        self.write(self.data / "pg_hba.conf", hba(superuser))

    def prepare(self) -> None:
        """The home folder, private to PostgreSQL's account."""
        home = self.home
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        if home.is_symlink() or home.stat().st_uid not in (os.geteuid(), self.runner.uid):
            raise Unavailable(f"using {home} for PostgreSQL: it belongs to somebody else")
        home.chmod(0o700)
        self._give(home)
        if home != self.folder.resolve():
            self.folder.mkdir(parents=True, exist_ok=True)  # while it is there, nobody sweeps its home
            sweep()
            (home / BELONGS_TO).write_text(str(self.folder.resolve()))

    def copy_from(self, other: Cluster) -> None:
        """Take the files of a cluster that is cleanly stopped."""
        if other.is_running():
            raise Conflict(f"copying the PostgreSQL cluster in {other.folder}: it is running")
        self.prepare()
        subprocess.run(["cp", "-a", other.data, self.data], check=True, timeout=300, capture_output=True)
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def back_up_from(self, address: Address, superuser: str, password: str) -> None:
        """Take a consistent copy of a running cluster, which goes on answering."""
        self.prepare()
        passfile = self.home / "pgpass"
        self.write(passfile, f"{address.host}:{address.port}:*:{superuser}:{password}\n")
        try:
            source = ("-h", address.host, "-p", str(address.port), "-U", superuser, "-w")
            how = ("-X", "stream", "-c", "fast", "--no-sync", "--no-slot")
            command: list[str | Path] = [self.binaries.pg_basebackup, *source, "-D", self.data, *how]
            self.run(command, timeout=300, env={"PGPASSFILE": str(passfile)})
        finally:
            passfile.unlink(missing_ok=True)

    def remove(self) -> None:
        """Stop it and delete its files; gone already is fine."""
        self.stop(mode="immediate")
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- running ------------------------------------------------------------------------------------

    def start(self, host: str = "127.0.0.1", port: int = 0, *, timeout: int = 60) -> Address:
        """Start and wait until it answers. Port 0: a free one, chosen again when somebody takes it."""
        running = self.address()
        if running:
            return running
        self._clear_after_crash()
        for _ in range(20):
            place = Address(host, port or free_port(host))
            try:
                self._start(place, timeout)
            except Unavailable as error:
                if not self._may_go_on(error, place, fixed=bool(port)):
                    raise
                time.sleep(0.1)
                continue
            return place
        raise Unavailable(f"starting PostgreSQL in {self.folder}: tried 20 times", hint=f"see {self.log}")

    def stop(self, mode: str = "fast", *, timeout: float = 30) -> None:
        """`fast` ends sessions cleanly, `immediate` leaves recovery to the next start, `kill` is a crash."""
        pid = self.pid()
        if pid is None:
            return
        os.kill(pid, _STOP[mode])
        deadline = time.monotonic() + timeout
        while _alive(pid, self.data):
            if time.monotonic() > deadline:
                if mode == "kill":
                    raise Unavailable(f"stopping PostgreSQL in {self.folder}: process {pid} does not end")
                self.stop("kill")  # its children notice and leave
                return
            time.sleep(0.02)

    def restart(self) -> Address:
        address = self.address()
        self.stop()
        return self.start(address.host, address.port) if address else self.start()

    def pid(self) -> int | None:
        """The postmaster's, only while it lives and is the one of this folder."""
        lines = self._pid_lines()
        if not lines or not lines[0].strip().isdigit():
            return None
        pid = int(lines[0])
        return pid if _alive(pid, self.data) else None

    def is_running(self) -> bool:
        return self.pid() is not None

    def address(self) -> Address | None:
        """Where the running cluster listens; None when it does not run."""
        lines = self._pid_lines()
        if self.pid() is None or len(lines) < 6 or not lines[5].strip():
            return None
        return Address(lines[5].strip(), int(lines[3]))

    def run(
        self, argv: Sequence[str | Path], *, timeout: float, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """A PostgreSQL program, under PostgreSQL's account and an environment made from nothing."""
        name = Path(argv[0]).name
        account: dict[str, int | list[int]] = {}
        if self.runner.is_other:
            account = {"user": self.runner.uid, "group": self.runner.gid, "extra_groups": []}
        try:
            done = subprocess.run(
                [str(word) for word in argv],
                capture_output=True,
                text=True,
                timeout=timeout,
                cwd=self.home,
                env={**_PRELOAD, **(env or {})},
                umask=0o077,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                check=False,
                **account,  # type: ignore[call-overload]
            )
        except subprocess.TimeoutExpired as error:
            raise Unavailable(f"running {name} for {self.folder}: no end after {timeout:.0f} s") from error
        if done.returncode:
            raise Unavailable(
                f"running {name} for {self.folder}: exit code {done.returncode}: {_tail(done.stderr)}",
                hint=f"see {self.log}",
                details={"log": _tail(self.log.read_text(errors="replace"), 15) if self.log.exists() else ""},
            )
        return done  # type: ignore[no-any-return]

    # --- inner --------------------------------------------------------------------------------------

    def _start(self, place: Address, timeout: int) -> None:
        self._configure(place)
        self.log.unlink(missing_ok=True)
        words: list[str | Path] = [self.binaries.pg_ctl, "start", "-D", self.data, "-l", self.log]
        self.run([*words, "-w", "-t", str(timeout), "-s"], timeout=timeout + 10)

    def _clear_after_crash(self) -> None:
        """A dead postmaster that nobody reaped still looks alive to PostgreSQL: take its mark away, but
        only when its last child has left the data folder."""
        if not self._pid_lines() or not Path("/proc/self").exists():
            return
        deadline = time.monotonic() + 20
        while _inside(self.data):
            if time.monotonic() > deadline:
                raise Unavailable(f"starting PostgreSQL in {self.folder}: processes of its last run linger")
            time.sleep(0.05)
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _may_go_on(self, error: Unavailable, place: Address, *, fixed: bool) -> bool:
        """After a crash the old children need a moment to leave; a chosen port may have been taken."""
        if "pre-existing shared memory block" in error.details.get("log", ""):
            return True
        return not fixed and _taken(place)

    def _configure(self, place: Address) -> None:
        values = {**DEFAULTS, **self.settings}
        values |= {"listen_addresses": f"'{place.host}'", "port": str(place.port)}
        lines = [f"{name} = {value}" for name, value in values.items()]
        self.write(self.data / "controlplane.conf", "\n".join(lines) + "\n")

    def _pid_lines(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except (FileNotFoundError, NotADirectoryError):
            return []

    def write(self, path: Path, text: str) -> None:
        path.unlink(missing_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123
            file.write(text)
        self._give(path)

    def _give(self, path: Path) -> None:
        if self.runner.is_other:
            os.chown(path, self.runner.uid, self.runner.gid)


def hba(superuser: str, *, others: bool = True) -> str:
    """Loopback and SCRAM for everybody, or for the superuser alone; physical copies for that one only."""
    places = ("127.0.0.0/8", "::1/128")
    who = "all" if others else f'"{superuser}"'
    rows = [f"host all {who} {place} scram-sha-256" for place in places]
    rows += [f'host replication "{superuser}" {place} scram-sha-256' for place in places]
    return "\n".join(rows) + "\n"


def _alive(pid: int, data: Path) -> bool:
    """A zombie, or another program that got the number again, is not our server."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return False
    process = Path(f"/proc/{pid}")
    if not process.exists():
        return not Path("/proc/self").exists()
    try:
        state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z" and os.fsencode(data) in (process / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False


def sweep() -> None:
    """End and remove what folders that are gone by now left in the open folder."""
    runner = identity()
    if not runner.is_other:
        return
    for home in open_folder(runner).glob("controlplane-*"):
        with contextlib.suppress(FileNotFoundError):  # somebody else sweeps too, or its owner ends
            if _is_left_behind(home, runner):
                _remove(home)


def _is_left_behind(home: Path, runner: Identity) -> bool:
    mark = home / BELONGS_TO
    ours = not home.is_symlink() and home.stat().st_uid in (os.geteuid(), runner.uid)
    if not ours or not mark.is_file() or mark.stat().st_uid != os.geteuid():
        return False
    owner = mark.read_text()  # empty while it is being written
    return bool(owner) and not Path(owner).exists()


def _remove(home: Path) -> None:
    for data in (home / "data", *home.glob("*/data"), *home.glob("*/*/data")):
        for pid in _inside(data):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGQUIT)
    shutil.rmtree(home, ignore_errors=True)


def _inside(data: Path) -> list[int]:
    """Processes that work in this data folder; every process of PostgreSQL does."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink() == data:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def _taken(place: Address) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((place.host, place.port))
        except OSError:
            return True
    return False


def _tail(text: str, lines: int = 3) -> str:
    return " | ".join(text.strip().splitlines()[-lines:])
