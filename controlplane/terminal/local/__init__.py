"""The control plane in this process: services on the local catalog, as whoever may read that file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

from controlplane import checkup, wiring
from controlplane.domain.operation import Kind
from controlplane.domain.tenant import Environment
from controlplane.operations import (
    Create,
    Platform,
    PlatformDestruction,
    PlatformPlan,
    Rollback,
    operation_type,
)
from controlplane.services import (
    about,
    access,
    asking,
    audit,
    batch,
    blueprints,
    bodies,
    bulk,
    doctor,
    explain,
    fleet,
    launch,
    log,
    migrations,
    operations,
    platforms,
    tenants,
    waves,
    windows,
)
from controlplane.services.actor import Actor
from controlplane.services.asking import Change, Way
from controlplane.services.control import Ask, Control, new_id
from controlplane.services.once import Request
from controlplane.services.workspaces import rendered
from controlplane.settings import Settings
from controlplane.terminal import background
from controlplane.terminal.client import Answer, Manner, Query, given

_PLATFORM: Mapping[str, tuple[Any, Callable[..., Answer]]] = {
    "apply": (Platform, platforms.apply),
    "plan": (PlatformPlan, platforms.plan),
    "destroy": (PlatformDestruction, platforms.destroy),
}


class LocalClient:
    """Answers exactly what the API answers for the same question."""

    def __init__(self, settings: Settings, start: background.Start = background.start_worker) -> None:
        self._settings, self._start_worker = settings, start
        self.place = settings.database_url

    @cached_property
    def _control(self) -> Control:
        return wiring.control(self._settings)

    @cached_property
    def _standby(self) -> background.Standby:
        log = self._settings.data_dir.absolute() / "worker.log"
        lives = partial(wiring.worker_lives, self._control.db)
        return background.Standby(log, lives, self._start_worker, wiring.process_lives)

    @cached_property
    def _stirring(self) -> Any:
        return self._control.db.stirring(max(0.1, self._settings.poll_seconds))

    @cached_property
    def _actor(self) -> Actor:
        return wiring.local_actor()

    # --- tenants

    def tenants(self, query: Query) -> Answer:
        return fleet.page(self._control, self._actor, fleet.Listing(**given(query)))

    def tenant(self, slug: str) -> Answer:
        return tenants.show(self._control, self._actor, slug)

    def explain(self, slug: str) -> Answer:
        return explain.explain(self._control, self._actor, slug)

    def workspace(self, slug: str) -> Answer:
        return rendered.workspace(self._control, self._actor, slug)

    def history(self, slug: str, query: Query) -> Answer:
        items = tenants.history_of(self._control, self._actor, slug, **given(query))
        return {"items": items, "next_page_token": None}

    def create(self, body: Query, manner: Manner) -> Answer:
        wanted = bodies.parse(Create, dict(body))
        return self._change(
            manner, ("tenants", wanted), lambda c, ask: tenants.create(c, self._actor, wanted, ask)
        )

    def create_batch(self, rows: Sequence[Query], manner: Manner) -> Answer:
        way = self._way(manner, "tenants/batch", rows)
        return batch.create(self._control, self._actor, [dict(row) for row in rows], way)

    def change(self, kind: str, slug: str, body: Query, manner: Manner) -> Answer:
        of = Kind(kind)
        wanted = bodies.parse(operation_type(of).request, dict(body))
        return self._change(
            manner,
            (f"{slug}/{kind}", wanted),
            lambda c, ask: tenants.change(c, self._actor, of, slug, wanted, ask),
        )

    # --- operations

    def operations(self, query: Query) -> Answer:
        return fleet.queue(self._control, self._actor, fleet.Queue(**given(query)))

    def operation(self, operation_id: str) -> Answer:
        return operations.show(self._control, self._actor, operation_id)

    def plan(self, operation_id: str) -> Answer:
        return operations.plan(self._control, self._actor, operation_id)

    def events(self, operation_id: str, after: int) -> Answer:
        items = operations.events(self._control, self._actor, operation_id, after)
        return {"items": items, "next_page_token": None}

    def log(self, operation_id: str, after: str) -> Answer:
        return log.lines(self._control, self._actor, operation_id, after)

    def steer(self, verb: str, operation_id: str, body: Query, manner: Manner) -> Answer:
        model, act = _STEERING[verb]
        wanted = bodies.parse(model, dict(body)).model_dump()
        return self._change(
            manner,
            (f"{operation_id}/{verb}", wanted),
            lambda c, ask: act(c, self._actor, operation_id, ask, **wanted),
        )

    # --- platforms

    def blueprints(self) -> Answer:
        return blueprints.page(self._control, self._actor)

    def blueprint(self, name: str) -> Answer:
        return blueprints.show(self._control, self._actor, name)

    def checklist(self, name: str, environment: Environment) -> Answer:
        return launch.checklist(self._control, self._actor, name, environment)

    def change_platform(self, verb: str, name: str, body: Query, manner: Manner) -> Answer:
        model, act = _PLATFORM[verb]
        wanted = bodies.parse(model, dict(body))
        what = (f"{name}/{verb}", wanted)
        return self._change(manner, what, lambda c, ask: act(c, self._actor, name, wanted, ask))

    # --- waves

    def waves(self) -> Answer:
        return waves.every(self._control, self._actor)

    def wave(self, wave_id: str) -> Answer:
        return waves.show(self._control, self._actor, wave_id)

    def start_wave(self, body: Query, manner: Manner) -> Answer:
        wanted = bodies.parse(bodies.NewWave, dict(body))
        return self._change(manner, ("waves", wanted), lambda c, ask: bulk.start(c, self._actor, wanted, ask))

    def steer_wave(self, verb: str, wave_id: str, manner: Manner) -> Answer:
        what: tuple[str, Any] = (f"waves/{wave_id}/{verb}", {})
        return self._change(manner, what, lambda c, _: waves.steer(c, self._actor, wave_id, verb))

    # --- migrations

    def migration(self, slug: str) -> Answer:
        return migrations.show(self._control, self._actor, slug)

    def steer_migration(self, verb: str, slug: str, body: Query, manner: Manner) -> Answer:
        if verb == "finalize":
            return self.change("finalize", slug, body, manner)
        model = {"rollback": Rollback}.get(verb, bodies.Nothing)
        wanted = bodies.parse(model, dict(body))
        what = (f"{slug}/migration/{verb}", wanted)
        if isinstance(wanted, Rollback):
            return self._change(
                manner, what, lambda c, ask: migrations.rollback(c, self._actor, slug, wanted, ask)
            )
        return self._change(manner, what, lambda c, ask: migrations.advance(c, self._actor, slug, ask))

    # --- reviews: a repository is looked at for who asks

    def reviews(self, query: Query) -> Answer:
        from controlplane.terminal.local import reviews  # noqa: PLC0415

        return reviews.page(self._control, self._actor, given(query))

    def review(self, review_id: str) -> Answer:
        from controlplane.terminal.local import reviews  # noqa: PLC0415

        return reviews.show(self._control, self._actor, review_id)

    def open_review(self, body: Query, manner: Manner) -> Answer:
        return self._send_review("reviews", body, manner)

    def steer_review(self, verb: str, review_id: str, manner: Manner) -> Answer:
        return self._send_review(f"reviews/{review_id}/{verb}", {}, manner)

    def sync_reviews(self, manner: Manner) -> Answer:
        return self._send_review("reviews/sync", {}, manner)

    def _send_review(self, path: str, body: Query, manner: Manner) -> Answer:
        from controlplane.terminal.local import reviews  # noqa: PLC0415

        return reviews.send(self._control, self._actor, path, body, self._way(manner, path, body))

    # --- states: the key that they are sealed under is opened for who asks

    def states(self, workspace: str) -> Answer:
        from controlplane.terminal.local import states  # noqa: PLC0415

        return states.page(self._settings, self._control, self._actor, workspace)

    def state(self, workspace: str, serial: int | None) -> Answer:
        from controlplane.terminal.local import states  # noqa: PLC0415

        return states.read(self._settings, self._control, self._actor, workspace, serial)

    def restore_state(self, workspace: str, serial: int, manner: Manner) -> Answer:
        from controlplane.terminal.local import states  # noqa: PLC0415

        way = self._way(manner, f"workspaces/{workspace}/state/versions/{serial}/restore", {})
        return states.restore(self._settings, self._control, self._actor, workspace, serial, way)

    # --- audit, access, windows

    def audit(self, query: Query) -> Answer:
        return audit.page(self._control, self._actor, audit.Search(**given(query)))

    def verify_audit(self, head: str) -> Answer:
        return audit.verify(self._control, self._actor, head)

    def export_audit(self) -> Iterator[str]:
        for entry in audit.export(self._control, self._actor):
            yield json.dumps(entry, ensure_ascii=False)

    def tokens(self) -> Answer:
        return access.tokens(self._control, self._actor)

    def create_token(self, body: Query, manner: Manner) -> Answer:
        wanted = bodies.parse(bodies.NewToken, dict(body))
        way = self._way(manner, "tokens", body)
        create: Change = lambda c, ask: access.create_token(c, self._actor, wanted, ask)  # noqa: E731
        return asking.do_secretly(self._control, self._actor, way, create)

    def revoke_token(self, token_id: str, manner: Manner) -> Answer:
        return self._change(
            manner,
            (f"tokens/{token_id}", {}),
            lambda c, ask: access.revoke_token(c, self._actor, token_id, ask),
        )

    def users(self) -> Answer:
        return access.users(self._control, self._actor)

    def add_user(self, body: Query, manner: Manner) -> Answer:
        wanted = bodies.parse(bodies.NewUser, dict(body))
        return self._change(
            manner, ("users", wanted), lambda c, ask: access.add_user(c, self._actor, wanted, ask)
        )

    def remove_user(self, user_id: str, manner: Manner) -> Answer:
        return self._change(
            manner, (f"users/{user_id}", {}), lambda c, ask: access.remove_user(c, self._actor, user_id, ask)
        )

    def windows(self) -> Answer:
        return windows.page(self._control, self._actor)

    def add_window(self, body: Query, manner: Manner) -> Answer:
        wanted = bodies.parse(bodies.NewWindow, dict(body))
        return self._change(
            manner, ("windows", wanted), lambda c, ask: windows.add(c, self._actor, wanted, ask)
        )

    def remove_window(self, window_id: str, manner: Manner) -> Answer:
        return self._change(
            manner,
            (f"windows/{window_id}", {}),
            lambda c, ask: windows.remove(c, self._actor, window_id, ask),
        )

    # --- webhooks: sealing is loaded for who asks

    def webhooks(self) -> Answer:
        from controlplane.terminal.local import webhooks  # noqa: PLC0415

        return webhooks.page(self._control, self._actor)

    def add_webhook(self, body: Query, manner: Manner) -> Answer:
        from controlplane.terminal.local import webhooks  # noqa: PLC0415

        return webhooks.add(self._control, self._actor, body, self._way(manner, "webhooks", body))

    def remove_webhook(self, webhook_id: str, manner: Manner) -> Answer:
        from controlplane.terminal.local import webhooks  # noqa: PLC0415

        way = self._way(manner, f"webhooks/{webhook_id}", {})
        return webhooks.remove(self._control, self._actor, webhook_id, way)

    def replay_webhook(self, webhook_id: str, body: Query, manner: Manner) -> Answer:
        from controlplane.terminal.local import webhooks  # noqa: PLC0415

        way = self._way(manner, f"webhooks/{webhook_id}/replay", body)
        return webhooks.replay(self._control, self._actor, webhook_id, body, way)

    # --- cost: its rules and tables are loaded for who asks

    def costs(self, what: str, query: Query) -> Answer:
        from controlplane.terminal.local import money  # noqa: PLC0415

        return money.read(self._control, self._actor, what, given(query))

    def tenant_cost(self, slug: str, query: Query) -> Answer:
        from controlplane.terminal.local import money  # noqa: PLC0415

        return money.of_tenant(self._control, self._actor, slug, given(query))

    def send_costs(self, what: str, body: Query | None, manner: Manner) -> Answer:
        from controlplane.terminal.local import money  # noqa: PLC0415

        way = self._way(manner, f"costs/{what}", body or {})
        return money.send(self._control, self._actor, what, body or {}, way)

    # --- the fleet's care

    def care(self, path: str, query: Query) -> Answer:
        from controlplane.terminal.local import care  # noqa: PLC0415

        return care.read(self._control, self._actor, path, given(query))

    def send_care(self, path: str, body: Query, manner: Manner) -> Answer:
        from controlplane.terminal.local import care  # noqa: PLC0415

        return care.send(self._control, self._actor, path, body, self._way(manner, path, body))

    # --- the installation

    def doctor(self) -> Answer:
        return doctor.examine(checkup.checks(self._settings))

    def version(self) -> Answer:
        return about.version()

    def ensure_worker(self) -> str:
        return self._standby.ensure()

    def pause(self, most_seconds: float = 10.0) -> None:
        self._stirring.wait(most_seconds)

    def close(self) -> None:
        if "_stirring" in self.__dict__:
            self._stirring.close()
        if "_control" in self.__dict__:
            self._control.db.close()

    # --- how a change goes in

    def _change(self, manner: Manner, what: tuple[str, Any], change: Change) -> Answer:
        way = self._way(manner, *what)
        return dict(asking.do(self._control, self._actor, way, change).body)

    def _way(self, manner: Manner, path: str, body: Any) -> Way:
        ask = Ask(
            reason=manner.reason,
            request_id=manner.request_id or new_id("req"),
            auto_approve=manner.auto_approve,
            if_match=manner.if_match,
        )
        request = None
        if manner.idempotency_key:
            content = body.model_dump(mode="json") if hasattr(body, "model_dump") else body
            text = json.dumps(content, sort_keys=True, default=str).encode()
            request = Request(manner.idempotency_key, "LOCAL", path, text)
        return Way(ask, manner.dry_run, request)


_STEERING: Mapping[str, tuple[type[Any], Callable[..., Answer]]] = {
    "approve": (bodies.Approval, operations.approve),
    "reject": (bodies.Nothing, operations.reject),
    "cancel": (bodies.Cancellation, operations.cancel),
    "retry": (bodies.Nothing, operations.retry),
    "settle": (bodies.Settlement, operations.settle),
}
