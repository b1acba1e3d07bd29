"""The sandbox itself, in the foreground until SIGTERM."""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from moto.rds.models import rds_backends
from werkzeug.serving import BaseWSGIServer, make_server

from controlplane.domain.errors import Missing
from controlplane.sandbox import lifecycle, options
from controlplane.sandbox.aws.installation import install, recover
from controlplane.sandbox.aws.watch import Watch, instances
from controlplane.sandbox.aws.work import Works
from controlplane.sandbox.calls import Record
from controlplane.sandbox.clusters import Clusters
from controlplane.sandbox.faults import Faults
from controlplane.sandbox.metrics import Metrics
from controlplane.sandbox.postgres import discover
from controlplane.sandbox.server import SandboxApp
from controlplane.sandbox.state import StateStore

log = logging.getLogger("sandbox")
ACCOUNT, REGION = "123456789012", "us-east-1"


class Sandbox:
    """All parts of one sandbox in one process."""

    def __init__(self, folder: Path, faults: str = "") -> None:
        self.folder = folder
        self.options = options.load(folder)
        programs = Path(self.options.postgres) if self.options.postgres else None
        # 16 and newer let a role that is no superuser make subscriptions, as RDS does.
        self.clusters = Clusters(folder, discover(programs, prefer=16), self.options.loopback)
        self.lock = threading.RLock()
        self.state = StateStore(folder / "state")
        self.metrics = Metrics()
        self.record = Record(folder / "actions.json")
        self.faults = Faults(Path(faults or self.options.faults or folder / "faults.json"))
        self.works = Works(self.clusters, self.options, self.lock, lambda: self.state.save(["rds"]))
        self.app = SandboxApp(self.lock, self.state, self.record, self.faults, self.control)
        self.watch = Watch(self.works, self.metrics, self.flush)
        self._metrics_saved = self._all_saved = time.monotonic()

    def open(self) -> None:
        install(self.works, self.metrics)
        self.clusters.prepare()
        self.metrics.load(self.folder / "metrics.pickle")
        self.state.load()
        recover(self.works)
        self.watch.start()

    def close(self) -> None:
        self.watch.stop()
        self.works.stop()
        with self.lock:
            self.state.save()
            self.metrics.save(self.folder / "metrics.pickle")
            self.record.save()
        lifecycle.stop_all(lifecycle.clusters_of(self.folder, self.clusters.binaries))

    def flush(self) -> None:
        """Once a second: services that a call changed on the side, the record, now and then the metrics."""
        self.record.save()
        if self.app.changed_at > self._all_saved:
            with self.lock:
                self._all_saved = time.monotonic()
                self.state.save()
        if time.monotonic() - self._metrics_saved > 300:
            self._metrics_saved = time.monotonic()
            with self.lock:
                self.metrics.save(self.folder / "metrics.pickle")

    # --- the sandbox's own addresses ----------------------------------------------------------------

    def control(self, name: str, content: Mapping[str, Any]) -> Any:
        table: dict[str, Callable[[Mapping[str, Any]], Any]] = {
            "status": self.status,
            "actions": lambda _: self.record.counts(),
            "actions/clear": lambda _: self.record.clear(),
            "metrics": self.load_metrics,
            "maintenance": self.open_window,
        }
        return table[name](content) if name in table else None

    def status(self, _: Mapping[str, Any]) -> dict[str, Any]:
        with self.lock:
            found = list(instances())
            rows = [
                {
                    "identifier": db.db_instance_identifier,
                    "status": db.status,
                    "class": db.db_instance_class,
                    "engine_version": db.engine_version,
                    "host": db.place.host if db.place else None,
                    "port": db.place.port if db.place else None,
                    "database": db.db_name,
                    "resource_id": db.dbi_resource_id,
                    "running": self.clusters.instance(db.dbi_resource_id).is_running(),
                }
                for db in found
            ]
        return {"instances": rows, "not_kept": self.state.unkept, "postgres": self.clusters.binaries.version}

    def load_metrics(self, content: Mapping[str, Any]) -> dict[str, int]:
        with self.lock:
            return {"values": self.metrics.add_traces(content, datetime.now(UTC))}

    def open_window(self, content: Mapping[str, Any]) -> dict[str, str]:
        """Carry out what waits for the maintenance window of an instance."""
        identifier = content["identifier"]
        with self.lock:
            for _, _, backend in rds_backends.iter_backends():
                if identifier in backend.databases:
                    return {"status": backend.open_maintenance_window(identifier).status}
        raise Missing(f"opening the maintenance window of {identifier}: there is no such instance")


def bind(folder: Path, app: SandboxApp) -> BaseWSGIServer:
    """The port of the last time where it is free, so that rendered endpoints go on being right."""
    last = lifecycle.last_port(folder)
    for port in (last, 0):
        try:
            return make_server("127.0.0.1", port, app, threaded=True, request_handler=MotoRequestHandler)
        except (OSError, SystemExit):
            if port == 0:
                raise
    raise AssertionError("unreachable")


def announce(folder: Path, sandbox: Sandbox, port: int) -> None:
    binaries = sandbox.clusters.binaries
    content = {
        "note": lifecycle.NOTE,
        "endpoint_url": f"http://127.0.0.1:{port}",
        "pid": os.getpid(),
        "process": lifecycle.process_mark(os.getpid()),
        "region": REGION,
        "account": ACCOUNT,
        "postgres_version": binaries.version,
        "postgres_programs": str(binaries.folder),
        "postgres_folder": str(sandbox.clusters.base),
        "faults": str(sandbox.faults.path),
        "actions": str(sandbox.record.path),
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    lifecycle.write_private(folder / lifecycle.FILE, json.dumps(content, indent=2) + "\n")
    log.warning("%s AWS at %s, PostgreSQL %s", lifecycle.NOTE, content["endpoint_url"], binaries.version)


def run(folder: Path, faults: str = "") -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    sandbox = Sandbox(folder, faults)
    sandbox.open()
    server = bind(folder, sandbox.app)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    announce(folder, sandbox, int(server.server_address[1]))
    server.serve_forever(poll_interval=0.1)
    sandbox.close()
    log.info("the sandbox has stopped")
    logging.shutdown()
    os._exit(0)  # a request that a fault keeps open must not hold the process
