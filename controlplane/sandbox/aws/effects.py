"""What each task does to PostgreSQL, and what describe shows afterwards."""

from __future__ import annotations

from collections.abc import Callable

from moto.core.utils import utcnow

from controlplane.sandbox.aws.instance import SandboxInstance
from controlplane.sandbox.aws.standby import Standbys
from controlplane.sandbox.aws.watch import instances
from controlplane.sandbox.aws.work import Effect, Task, Works
from controlplane.sandbox.clusters import Clusters
from controlplane.sandbox.postgres import Address

Done = Callable[[], None]


class Effects:
    def __init__(self, works: Works) -> None:
        self.works = works
        self.clusters: Clusters = works.clusters
        self.standbys = Standbys(works.clusters)
        table: dict[str, Effect] = {
            "create": self.create,
            "restore": self.restore,
            "rewind": self.rewind,
            "replicate": self.replicate,
            "modify": self.modify,
            "reboot": self.reboot,
            "start": self.start,
            "stop": self.stop,
            "snapshot": self.snapshot,
            "copy": self.copy,
            "delete": self.delete,
            "follow": self.follow,
            "switch": self.switch,
            "part": self.part,
        }
        works.effects.update(table)

    # --- new instances ------------------------------------------------------------------------------

    def create(self, task: Task) -> Done:
        db = task.instance
        settings = db.server_settings()
        place = self.clusters.create(db.dbi_resource_id, settings, db.master, db.port or 5432)
        return self._born(db, place)

    def restore(self, task: Task) -> Done:
        db = task.instance
        copy: str = task.values["copy"]
        place = self.clusters.restore(db.dbi_resource_id, db.server_settings(), copy, db.port or 5432)
        return self._born(db, place)

    def rewind(self, task: Task) -> Done:
        db = task.instance
        source: str = task.values["source"]
        if not self.standbys.is_following(source):
            self.clusters.archive(source)
        place = self.clusters.rewind(
            db.dbi_resource_id, db.server_settings(), source, task.values.get("at"), db.port or 5432
        )
        return self._born(db, place)

    def replicate(self, task: Task) -> Done:
        """A read replica is a copy of now: it does not follow its source."""
        db = task.instance
        copy = f"replica-{db.dbi_resource_id}"
        self.clusters.back_up(task.values["source"], copy)
        place = self.clusters.restore(db.dbi_resource_id, db.server_settings(), copy, db.port or 5432)
        self.clusters.remove_back_up(copy)
        return self._born(db, place)

    def _born(self, db: SandboxInstance, place: Address) -> Done:
        if db.wants_logical_replication and not db.follows:
            self.clusters.allow_replication(place)

        def done() -> None:
            db.place = place
            db.born_at = utcnow()
            db.status = "available"
            db._master_user_password = None  # from now on only PostgreSQL knows it, hashed

        return done

    # --- changes ------------------------------------------------------------------------------------

    def modify(self, task: Task) -> Done:
        db, values = task.instance, dict(task.values)
        password = values.get("master_user_password")
        if password and db.place:
            self.clusters.set_password(db.place, str(db.master_username), password)
        restarts = {"db_instance_class", "engine_version", "db_port_number"} & set(values)
        settings = db.server_settings(values.get("db_instance_class", ""))
        place = self._restart(db, settings, values.get("db_port_number")) if restarts else db.place

        def done() -> None:
            db.place = place
            if {"allocated_storage", "storage_type", "iops", "storage_throughput"} & set(values):
                db.storage_changed_at = utcnow()
            backend, old = db.backend, db.db_instance_identifier
            renamed = values.pop("new_db_instance_identifier", None)
            db.update(**values)
            if renamed:
                db.db_instance_identifier = renamed
                backend.databases[renamed] = backend.databases.pop(old)
            for name in task.values:
                db.waiting.pop(name, None)
            db.status = "available"

        return done

    def reboot(self, task: Task) -> Done:
        db = task.instance
        db.parameters_at_start = db.user_parameters()
        place = self._restart(db, db.server_settings())
        if db.wants_logical_replication and not db.follows:
            self.clusters.allow_replication(place)

        def done() -> None:
            db.place = place
            db.parameter_apply_status = "in-sync"
            db.status = "available"

        return done

    def start(self, task: Task) -> Done:
        return self.reboot(task)  # a start reads the parameters again, as a reboot does

    def stop(self, task: Task) -> Done:
        db = task.instance
        if task.snapshot is not None:
            self.clusters.back_up(db.dbi_resource_id, task.snapshot.copy_id)
        self.clusters.stop(db.dbi_resource_id)

        def done() -> None:
            db.status = "stopped"
            self._available(task)

        return done

    def _restart(self, db: SandboxInstance, settings: dict[str, str], port: int | None = None) -> Address:
        self.clusters.stop(db.dbi_resource_id)
        wanted = db.place
        if wanted and port:
            wanted = Address(wanted.host, int(port))
        place = self.clusters.start(db.dbi_resource_id, settings, wanted)
        self._lead(db)
        return place

    # --- copies and the end -------------------------------------------------------------------------

    def snapshot(self, task: Task) -> Done:
        self.clusters.back_up(task.instance.dbi_resource_id, task.snapshot.copy_id)

        def done() -> None:
            self._available(task)
            if task.instance.status == "backing-up":
                task.instance.status = "available"

        return done

    def copy(self, task: Task) -> Done:
        self.clusters.copy_back_up(task.values["copy"], task.snapshot.copy_id)
        return lambda: self._available(task)

    def delete(self, task: Task) -> Done:
        db = task.instance
        cluster = self.clusters.instance(db.dbi_resource_id)
        if task.snapshot is not None and cluster.exists:
            self.clusters.back_up(db.dbi_resource_id, task.snapshot.copy_id)
        keep = bool(task.values["keep_backups"])
        if keep and cluster.is_running() and not db.follows:  # a standby writes no log of its own
            self.clusters.archive(db.dbi_resource_id)
        self.clusters.remove(db.dbi_resource_id, keep_history=keep)

        def done() -> None:
            self._available(task)
            db.backend.forget_instance(db, keep_backups=keep)

        return done

    # --- blue and green -----------------------------------------------------------------------------

    def follow(self, task: Task) -> Done:
        db = task.instance
        source: str = task.values["source"]
        return self._born(db, self.standbys.follow(db.dbi_resource_id, db.server_settings(), source, db.port))

    def switch(self, task: Task) -> Done:
        """Green takes over, or blue goes on as if nothing had been asked."""
        green, blue, switch = task.instance, task.values["blue"], task.values["switch"]
        with self.works.turn(blue.dbi_resource_id):
            places = self.standbys.switch(switch, (blue.server_settings(), green.server_settings()))
        return lambda: green.backend.end_switchover(task.values["deployment"], blue, green, places)

    def part(self, task: Task) -> Done:
        """What a deployment that is deleted leaves behind stands on its own, and may be written."""
        db = task.instance
        place = self.standbys.release(db.dbi_resource_id, db.server_settings(), db.place)

        def done() -> None:
            db.place, db.follows = place, ""
            db.status = "available"

        return done

    def _lead(self, db: SandboxInstance) -> None:
        """Who follows it has to find it again, and to allow as much as it does."""
        for other in instances():
            if other.follows == db.dbi_resource_id:
                catch_up(self.standbys, other)

    @staticmethod
    def _available(task: Task) -> None:
        if task.snapshot is not None:
            task.snapshot.status = "available"
            task.snapshot.percent_progress = 100


def catch_up(standbys: Standbys, db: SandboxInstance) -> None:
    """Follow its source to where that is by now; what was promoted meanwhile follows nobody."""
    source = standbys.clusters.instance(db.follows)
    if db.place and source.is_running() and standbys.is_following(db.dbi_resource_id):
        db.place = standbys.point(db.dbi_resource_id, db.server_settings(), db.follows, db.place)
