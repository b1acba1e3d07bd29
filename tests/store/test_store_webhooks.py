"""The outbox on both databases: taken once, claimed once, forgotten when nobody waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from controlplane.domain.events.catalogue import Event
from controlplane.store.database import Database
from controlplane.store.webhooks import outbox, receivers
from controlplane.store.webhooks.rows import Webhook

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
SOON = NOW + timedelta(minutes=2)


def put(db: Database) -> str:
    with db.write() as session:
        hook = {
            "form": "standard",
            "host": "h",
            "key_id": "k",
            "wrapped": b"",
            "sealed": b"",
            "created_by": "a",
        }
        if not receivers.every(session):
            receivers.insert(session, Webhook(id="wh-1", created_at=NOW, **hook))
        event_id = outbox.put(session, Event("tenant.ready", "tenant/acme", NOW, "acme"))
        session.flush()
        receivers.deliver(session, "wh-1", event_id, NOW)
    return event_id


def test_an_event_is_taken_once(db: Database) -> None:
    event_id = put(db)
    with db.write() as session:
        assert [e.id for e in outbox.waiting(session, 10)] == [event_id]
        assert [outbox.take(session, event_id) for _ in range(2)] == [True, False]
        assert not outbox.waiting(session, 10)


def test_a_delivery_is_claimed_once_and_again_when_its_holder_is_gone(db: Database) -> None:
    put(db)
    with db.read() as session:
        [mine], [theirs] = receivers.due(session, NOW, 10), receivers.due(session, NOW, 10)
    with db.write() as session:
        assert [receivers.claim(session, one, SOON) for one in (mine, theirs)] == [True, False]
        assert not receivers.due(session, NOW, 10)
        assert len(receivers.due(session, SOON, 10)) == 1


def test_what_still_waits_is_not_forgotten(db: Database) -> None:
    waits, done = put(db), put(db)
    with db.write() as session:
        for event_id in (waits, done):
            outbox.take(session, event_id)
        receivers.settle(session, "wh-1", done, status="delivered", delivered_at=NOW, detail="HTTP 204")
        assert outbox.forget_before(session, SOON) == 1
        assert outbox.get(session, waits) is not None
        assert receivers.counts(session) == {"wh-1": {"waiting": 1}}


def test_a_receiver_that_is_removed_takes_its_deliveries_along(db: Database) -> None:
    put(db)
    with db.write() as session:
        receivers.remove(session, "wh-1")
        assert not receivers.due(session, SOON, 10)
        assert not receivers.every(session)
