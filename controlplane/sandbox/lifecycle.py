"""Starting, stopping, asking and emptying a sandbox. Its whole life is in one folder."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import controlplane
from controlplane.domain.errors import Locked, Refused, Unavailable
from controlplane.sandbox import options as options_file
from controlplane.sandbox.binaries import PostgresBinaries, identity
from controlplane.sandbox.clusters import all_clusters, base_folder
from controlplane.sandbox.metrics import read_traces
from controlplane.sandbox.options import SandboxOptions
from controlplane.sandbox.postgres import Cluster, discover

FILE = "sandbox.json"
LOG = "sandbox.log"
NOTE = "THIS IS A SANDBOX: an AWS emulator on this machine, no AWS account, no costs, no durability."
START_SECONDS = 180.0  # a loaded machine; one that fails ends, and is seen to
STOP_SECONDS = 30.0
ACCESS_KEY = "sandbox"  # the emulator checks neither
_started: list[subprocess.Popen[bytes]] = []  # kept: a forgotten child warns, and would never be reaped


@dataclass(frozen=True)
class SandboxInfo:
    """A sandbox that runs, or how it was when it last ran."""

    endpoint_url: str
    pid: int
    folder: Path
    region: str
    account: str
    postgres_version: str
    postgres_programs: Path  # pg_dump, psql … of the version that the instances run
    postgres_folder: Path  # where the instances' files are
    faults: Path
    actions: Path
    started_at: str
    note: str = NOTE

    def environment(self) -> dict[str, str]:
        """What an AWS client or the Terraform provider needs to reach this sandbox and nothing else."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }


@dataclass(frozen=True)
class SandboxStatus:
    running: bool
    info: SandboxInfo | None = None  # None: never started here
    instances: tuple[Mapping[str, Any], ...] = ()
    not_kept: Mapping[str, str] = field(default_factory=dict)  # services that a restart would forget
    note: str = NOTE


def start(folder: Path, options: SandboxOptions | None = None, *, faults: str = "") -> SandboxInfo:
    """Start it unless it runs; the same sandbox for everybody who asks. Options hold from a start on.

    `faults` names the file of this start alone, whatever the options say.

    Databases that outlived a killed server go on running and are taken over.
    """
    folder = folder.resolve()
    # Under root PostgreSQL's account has to pass through; every file inside is private by itself.
    folder.mkdir(parents=True, exist_ok=True, mode=0o711 if identity().is_other else 0o700)
    with _locked(folder):
        running = _running(folder)
        if running:
            return running
        if options is not None:
            options_file.save(folder, options)
        process = _spawn(folder, faults)
        return _await_ready(folder, process)


def stop(folder: Path) -> bool:
    """Stop it and every PostgreSQL of it, however its server ended; False when nothing ran."""
    folder = folder.resolve()
    if not folder.is_dir():
        return False
    with _locked(folder):
        info = _running(folder)
        if info:
            os.kill(info.pid, signal.SIGTERM)
            if not _wait_until(lambda: _running(folder) is None, STOP_SECONDS):
                _kill(folder, info)
            _reap(info.pid)
        return bool(_stop_clusters(folder) or info)


def status(folder: Path) -> SandboxStatus:
    folder = folder.resolve()
    info = _running(folder)
    if info is None:
        return SandboxStatus(running=False, info=_read(folder))
    try:
        found = control(info, "status")
    except Unavailable:
        if _wait_until(lambda: _running(folder) is None, 2):  # it was just ending
            return SandboxStatus(running=False, info=info)
        raise
    return SandboxStatus(True, info, tuple(found["instances"]), found["not_kept"])


def reset(folder: Path) -> None:
    """Stop it and forget everything but its options and its port."""
    folder = folder.resolve()
    if not folder.is_dir():
        return
    if any(folder.iterdir()) and not (folder / ".lock").exists():
        raise Refused(f"emptying {folder}: it is no sandbox's folder", hint="name the folder given to start")
    with _locked(folder):
        info = _running(folder)
        if info:
            _kill(folder, info)
        _stop_clusters(folder, "immediate")  # nobody needs what they would still write
        shutil.rmtree(base_folder(folder, identity()), ignore_errors=True)
        for name in ("state", "postgres"):
            shutil.rmtree(folder / name, ignore_errors=True)
        for name in ("actions.json", "metrics.pickle", "rdsadmin", LOG):
            (folder / name).unlink(missing_ok=True)


def load_metrics(info: SandboxInfo, path: Path) -> int:
    """Synthetic values for CloudWatch from a file; how many."""
    return int(control(info, "metrics", read_traces(path))["values"])


def open_maintenance_window(info: SandboxInfo, identifier: str) -> str:
    """Carry out an instance's pending changes, as its weekly window would; its status."""
    return str(control(info, "maintenance", {"identifier": identifier})["status"])


def recorded_actions(info: SandboxInfo) -> dict[str, dict[str, int]]:
    """Every AWS action that was called, by whom, how often."""
    found: dict[str, dict[str, int]] = control(info, "actions")
    return found


def control(info: SandboxInfo, name: str, content: Mapping[str, Any] | None = None) -> Any:
    """One of the sandbox's own addresses."""
    request = urllib.request.Request(  # noqa: S310 - our own loopback address
        f"{info.endpoint_url}/_sandbox/{name}", data=json.dumps(content or {}).encode(), method="POST"
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refused:
        told = json.load(refused).get("detail", "")
        raise Refused(f"asking the sandbox for {name}: {told}") from refused
    except (OSError, ValueError) as error:
        raise Unavailable(
            f"asking the sandbox for {name}: {error}", hint="`controlplane sandbox status`"
        ) from error


# --- for the sandbox's own process --------------------------------------------------------------------


def clusters_of(folder: Path, binaries: PostgresBinaries) -> list[Cluster]:
    return all_clusters(folder, binaries)


def stop_all(clusters: list[Cluster], mode: str = "fast") -> int:
    """Side by side: each waits for its own last write; how many ran."""
    running = [cluster for cluster in clusters if cluster.is_running()]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda cluster: cluster.stop(mode), running))
    return len(running)


def programs_of(info: SandboxInfo) -> PostgresBinaries:
    return PostgresBinaries(info.postgres_programs, "sandbox")


def last_port(folder: Path) -> int:
    info = _read(folder)
    return int(info.endpoint_url.rpartition(":")[2]) if info else 0


def process_mark(pid: int) -> str:
    """Tells a process from a later one with the same number; empty when it is gone or unreaped."""
    stat = Path(f"/proc/{pid}/stat")
    if not Path("/proc/self").exists():
        return "unknown" if _answers_signals(pid) else ""
    try:
        fields = stat.read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if fields[0] == "Z" else fields[19]


def write_private(path: Path, text: str) -> None:
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123
        file.write(text)
    fresh.replace(path)


# --- inner ----------------------------------------------------------------------------------------------


def _spawn(folder: Path, faults: str) -> subprocess.Popen[bytes]:
    """A process of its own session, with an environment made from nothing."""
    log = (folder / LOG).open("ab")
    absolute = str(Path(faults).resolve()) if faults else ""
    package = Path(controlplane.__file__).resolve().parent.parent
    with log:
        process = subprocess.Popen(
            [sys.executable, "-m", "controlplane.sandbox", str(folder), *([absolute] if absolute else [])],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=folder,
            umask=0o077,
            env={
                "PATH": "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin",
                "PYTHONPATH": str(package),
                "HOME": str(folder),
                "LC_ALL": "C.UTF-8",
                "AWS_EC2_METADATA_DISABLED": "true",
            },
        )
    _started.append(process)
    return process


def _kill(folder: Path, info: SandboxInfo) -> None:
    os.kill(info.pid, signal.SIGKILL)
    _wait_until(lambda: _running(folder) is None, 10)
    _reap(info.pid)


def _reap(pid: int) -> None:
    """A child of ours that ended is reaped by nobody else."""
    for process in _started:
        if process.pid == pid:
            process.wait(10)


def _await_ready(folder: Path, process: subprocess.Popen[bytes]) -> SandboxInfo:
    def ready() -> bool:
        info = _read(folder)
        return process.poll() is not None or bool(info and info.pid == process.pid and _answers(info))

    _wait_until(ready, START_SECONDS)
    info = _read(folder)
    if process.poll() is None and info and info.pid == process.pid:
        return info
    process.kill()
    process.wait(10)
    tail = " | ".join((folder / LOG).read_text(errors="replace").strip().splitlines()[-3:])
    raise Unavailable(
        f"starting the sandbox in {folder}: {tail or 'it said nothing'}", hint=f"see {folder / LOG}"
    )


def _running(folder: Path) -> SandboxInfo | None:
    """The sandbox that runs here; a number that another process has by now does not count."""
    for process in _started:
        process.poll()
    content = _content(folder)
    if not content or not content.get("process") or process_mark(content["pid"]) != content["process"]:
        return None
    return _read(folder)


def _content(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / FILE).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return found


def _read(folder: Path) -> SandboxInfo | None:
    content = _content(folder)
    if not content:
        return None
    plain = ("endpoint_url", "pid", "region", "account", "postgres_version", "started_at")
    values: dict[str, Any] = {name: content[name] for name in plain}
    for name in ("postgres_programs", "postgres_folder", "faults", "actions"):
        values[name] = Path(content[name])
    return SandboxInfo(folder=folder, **values)


def _answers(info: SandboxInfo) -> bool:
    try:
        control(info, "status")
    except (Unavailable, Refused):
        return False
    return True


def _answers_signals(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _stop_clusters(folder: Path, mode: str = "fast") -> int:
    """Every PostgreSQL that a killed server left behind; how many."""
    if not base_folder(folder, identity()).is_dir():
        return 0
    chosen = options_file.load(folder).postgres
    return stop_all(clusters_of(folder, discover(Path(chosen) if chosen else None, prefer=16)), mode)


def _wait_until(done: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if done():
            return True
        time.sleep(0.05)
    return done()


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One starts or stops at a time."""
    with (folder / ".lock").open("w") as file:
        deadline = time.monotonic() + START_SECONDS + STOP_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Locked(
                        f"waiting for the sandbox in {folder}: somebody starts or stops it"
                    ) from None
                time.sleep(0.1)
        yield
