"""Webhooks through both doors, and an event's way from its transaction to a receiver."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from controlplane.adapters.keyring import FileKeyring
from controlplane.adapters.notify import Couriers
from controlplane.adapters.web.guard import Guard
from controlplane.domain.errors import ControlPlaneError
from controlplane.domain.events.signing import sign
from controlplane.domain.operation import Status
from controlplane.services import tenants
from controlplane.services.bodies import NewWebhook, Replay
from controlplane.services.control import utc_now
from controlplane.services.schedules.lifetimes import sweep
from controlplane.services.webhooks import asking
from controlplane.services.webhooks.delivering import Postman
from controlplane.store import operations
from controlplane.store.sealed import reseal
from tests.doors.premises import ADMIN, ASK, Premises
from tests.receiver import Receiver


@dataclass
class Later:
    """A clock that a test moves."""

    by: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return utc_now() + self.by


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    stop = made.start()
    yield made
    stop()


@pytest.fixture
def clock() -> Later:
    return Later()


@pytest.fixture
def keyring(tmp_path: Path) -> FileKeyring:
    return FileKeyring(tmp_path / "ring.json")


@pytest.fixture
def house(premises: Premises, keyring: FileKeyring, clock: Later) -> Premises:
    courier = Couriers(lambda service, region: None, Guard(("127.0.0.1",)))
    premises.control = replace(premises.control, courier=lambda: courier, keyring=lambda: keyring, now=clock)
    return premises


def add(house: Premises, receiver: Receiver, **more: Any) -> dict[str, Any]:
    return asking.add(house.control, ADMIN, NewWebhook(url=receiver.url, **more), ASK)


def post_all(house: Premises) -> None:
    postman = Postman(house.control)
    while postman.tick():
        pass


def types(receiver: Receiver) -> list[str]:
    return [json.loads(body)["type"].removeprefix("io.controlplane.") for _, body in receiver.received]


def health(house: Premises) -> dict[str, Any]:
    [found] = asking.page(house.control, ADMIN)["items"]
    return dict(found)


def test_one_post_and_its_caller_hears_how_it_went(house: Premises, receiver: Receiver) -> None:
    made = add(house, receiver)
    operation = house.tenant("acme")
    house.finish(operation)
    post_all(house)
    assert sorted(types(receiver)) == ["operation.accepted", "operation.succeeded"]
    headers, body = receiver.received[types(receiver).index("operation.succeeded")]
    told = json.loads(body)
    assert (told["subject"], told["data"]["tenant"]) == (f"operation/{operation}", "acme")
    assert told["data"]["request_id"] == ASK.request_id
    at = int(headers["webhook-timestamp"])
    assert headers["webhook-signature"] == sign(made["secret"], told["id"], at, body)
    assert health(house)["deliveries"] == {"waiting": 0, "delivered": 2, "failed": 0}


def test_what_was_rolled_back_is_not_told(house: Premises, receiver: Receiver) -> None:
    add(house, receiver)
    operation = house.tenant("acme")
    post_all(house)
    with pytest.raises(RuntimeError), house.control.db.write() as session:
        operations.move(session, operation, Status.CANCELLED, house.control.now())
        raise RuntimeError("the transaction broke")
    post_all(house)
    assert types(receiver) == ["operation.accepted"]


def test_a_webhook_hears_its_events_and_tenants_only(house: Premises, receiver: Receiver) -> None:
    add(house, receiver, events=["operation.a*"], tenants=["team-*"])
    house.finish(house.tenant("team-a"))
    house.tenant("other")
    post_all(house)
    assert [json.loads(body)["data"]["tenant"] for _, body in receiver.received] == ["team-a"]


def test_a_receiver_that_stumbles_gets_the_same_event_later(
    house: Premises, receiver: Receiver, clock: Later
) -> None:
    add(house, receiver)
    receiver.script = [500, 429]
    house.tenant("acme")
    post_all(house)
    assert (len(receiver.received), health(house)["last_answer"]) == (1, "HTTP 500")
    for later, seen in ((timedelta(seconds=6), 2), (timedelta(minutes=6), 3), (timedelta(hours=9), 3)):
        clock.by += later
        post_all(house)
        assert len(receiver.received) == seen
    assert len({headers["webhook-id"] for headers, _ in receiver.received}) == 1
    assert health(house)["deliveries"]["delivered"] == 1


def test_attempts_end_and_a_replay_begins_anew(house: Premises, receiver: Receiver, clock: Later) -> None:
    made = add(house, receiver)
    receiver.script = [503] * 10
    house.tenant("acme")
    for _ in range(12):
        post_all(house)
        clock.by += timedelta(days=1, hours=4)
    assert len(receiver.received) == 10
    assert health(house)["deliveries"] == {"waiting": 0, "delivered": 0, "failed": 1}
    assert asking.replay(house.control, ADMIN, made["id"], Replay(), ASK)["events"] == 1
    post_all(house)
    assert health(house)["deliveries"] == {"waiting": 0, "delivered": 1, "failed": 0}


def test_gone_is_gone(house: Premises, receiver: Receiver) -> None:
    made = add(house, receiver)
    receiver.script = [410]
    house.tenant("acme")
    post_all(house)
    house.tenant("other")
    post_all(house)
    assert len(receiver.received) == 1
    assert "410" in health(house)["gone"]
    with pytest.raises(ControlPlaneError, match="is ended"):
        asking.replay(house.control, ADMIN, made["id"], Replay(test=True), ASK)


def test_a_worker_that_dies_between_sending_and_recording_sends_again(
    house: Premises, receiver: Receiver, clock: Later
) -> None:
    add(house, receiver)
    house.tenant("acme")

    class Dies(Postman):
        def _record(self, delivery: Any, receipt: Any) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Dies(house.control).tick()
    post_all(house)
    assert len(receiver.received) == 1  # claimed still
    clock.by += timedelta(minutes=3)
    post_all(house)
    first, second = receiver.received
    assert (first[0]["webhook-id"], first[1]) == (second[0]["webhook-id"], second[1])


def test_a_replay_sends_one_event_or_all_since_a_time(house: Premises, receiver: Receiver) -> None:
    made = add(house, receiver)
    began = house.control.now().isoformat()
    house.finish(house.tenant("acme"))
    post_all(house)
    event = json.loads(receiver.received[0][1])["id"]
    for body, events in ((Replay(event=event), 1), (Replay(since=began), 2), (Replay(test=True), 1)):
        receiver.received.clear()
        assert asking.replay(house.control, ADMIN, made["id"], body, ASK)["events"] == events
        post_all(house)
        assert len(receiver.received) == events
    assert types(receiver) == ["webhook.test"]
    with pytest.raises(ControlPlaneError, match="no time"):
        asking.replay(house.control, ADMIN, made["id"], Replay(since="yesterday"), ASK)


def test_old_events_are_forgotten_but_not_what_still_waits(
    house: Premises, receiver: Receiver, clock: Later
) -> None:
    add(house, receiver)
    house.tenant("acme")
    post_all(house)
    clock.by = timedelta(days=31)
    Postman(house.control).tick()
    with house.control.db.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM outbox_event").scalar() == 0


def test_url_and_secret_are_sealed_and_survive_a_new_key(
    house: Premises, receiver: Receiver, keyring: FileKeyring
) -> None:
    made = add(house, receiver)
    file = b"".join(p.read_bytes() for p in house.folder.glob("tenants.db*"))
    assert b"in-the-path" not in file
    assert made["secret"].removeprefix("whsec_").encode() not in file
    before = keyring.key_ids()[0]
    keyring.rotate()
    assert reseal(house.control.db, keyring) == 1
    keyring.forget(before)
    house.tenant("acme")
    post_all(house)
    assert len(receiver.received) == 1


def test_a_webhook_to_the_inside_is_never_sent(house: Premises, receiver: Receiver) -> None:
    guarded = Couriers(lambda service, region: None, Guard())
    inside = "https://127.0.0.1:1/"
    asking.add(house.control, ADMIN, NewWebhook(url=inside), ASK)
    house.control = replace(house.control, courier=lambda: guarded)
    house.tenant("acme")
    post_all(house)
    assert "not public" in health(house)["last_answer"]


def test_the_door_shows_a_secret_once(house: Premises, receiver: Receiver) -> None:
    http = house.client()
    key = {"Idempotency-Key": "k"}
    made = http.post("/v1/webhooks", json={"url": receiver.url}, headers=key)
    assert made.status_code == 201
    assert made.json()["secret"].startswith("whsec_")
    assert made.headers["cache-control"] == "no-store"
    assert http.post("/v1/webhooks", json={"url": receiver.url}, headers=key).status_code == 409
    [listed] = http.get("/v1/webhooks").json()["items"]
    assert "secret" not in listed
    assert "in-the-path" not in json.dumps(listed)
    assert http.post("/v1/webhooks", json={"url": receiver.url, "events": ["x.y"]}).status_code == 422
    assert http.post("/v1/webhooks", json={"url": "http://example.com/"}).status_code == 422
    assert http.post(f"/v1/webhooks/{listed['id']}/replay", json={"test": True}).json()["events"] == 1
    assert http.delete(f"/v1/webhooks/{listed['id']}").status_code == 200
    assert http.get("/v1/webhooks").json()["items"] == []


def test_a_rehearsal_keeps_nothing(house: Premises, receiver: Receiver) -> None:
    http = house.client()
    answer = http.post("/v1/webhooks?dry_run=true", json={"url": receiver.url})
    assert (answer.status_code, http.get("/v1/webhooks").json()["items"]) == (200, [])


def test_whoever_wants_to_know_hears_before_a_tenants_time_is_over(
    house: Premises, receiver: Receiver, clock: Later
) -> None:
    add(house, receiver, events=["tenant.expiring"])
    house.finish(house.tenant("acme", ttl_days=3))
    for hours in (20, 25, 71, 71.8, 71.9):
        clock.by = timedelta(hours=hours)
        sweep(house.control)
        post_all(house)
    told = [json.loads(body) for _, body in receiver.received]
    assert [one["data"]["left"] for one in told] == ["2 days", "2 hours", "30 minutes"]
    assert {(one["subject"], one["data"]["tenant"]) for one in told} == {("tenant/acme", "acme")}
    end = tenants.show(house.control, ADMIN, "acme")["expires_at"]
    assert {one["data"]["expires_at"] for one in told} == {end}
