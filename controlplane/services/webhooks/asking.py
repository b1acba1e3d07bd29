"""Webhooks, for those who administer: add, list, remove, replay."""

from __future__ import annotations

import base64
import json
import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain.errors import Conflict, FieldError, Invalid, Missing, Unavailable
from controlplane.domain.events.catalogue import TEST, Event, check_patterns
from controlplane.domain.events.shapes import Form
from controlplane.domain.sealing import webhook_identity
from controlplane.services.actor import Action, Actor
from controlplane.services.audit import record
from controlplane.services.bodies import NewWebhook, Replay
from controlplane.services.control import Ask, Control, new_id, plain
from controlplane.services.webhooks.hearing import hears
from controlplane.store.sealed import seal_record
from controlplane.store.webhooks import outbox, receivers
from controlplane.store.webhooks.rows import OutboxEvent, Webhook

_SECRET_BYTES = 32
_SIGNED = (Form.STANDARD,)
KEPT = timedelta(days=30)  # what was told before cannot be replayed


def page(control: Control, actor: Actor) -> dict[str, Any]:
    actor.require(Action.ADMINISTER)
    with control.db.read() as session:
        numbers = receivers.counts(session)
        items = [
            _view(row) | _health(dict(numbers.get(row.id, {})), receivers.last_answer(session, row.id))
            for row in receivers.every(session)
        ]
    return {"items": items, "next_page_token": None}


def add(control: Control, actor: Actor, body: NewWebhook, ask: Ask) -> dict[str, Any]:
    """Its secret stands in this answer and nowhere else."""
    actor.require(Action.ADMINISTER)
    if control.courier is None or control.keyring is None:
        raise Unavailable("this process sends no webhooks")
    check_patterns(body.events)
    host = control.courier().check(body.form, body.url)
    webhook_id = new_id("wh")
    secret = f"whsec_{base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}"
    kept = {"url": body.url, "secrets": [secret] if body.form in _SIGNED else []}
    sealed = seal_record(control.keyring(), webhook_identity(webhook_id), json.dumps(kept).encode())
    row = Webhook(
        id=webhook_id,
        form=body.form.value,
        host=host,
        events=list(body.events),
        tenants=list(body.tenants),
        note=body.note,
        key_id=sealed.key_id,
        wrapped=sealed.wrapped,
        sealed=sealed.sealed,
        created_by=actor.name,
        created_at=control.now(),
    )
    with control.db.write() as session:
        receivers.insert(session, row)
        view = _view(row)
        record(control, session, actor, ask, action="webhook.added", subject=_subject(webhook_id), after=view)
    return view | _health({}, "") | {"secret": secret if body.form in _SIGNED else ""}


def remove(control: Control, actor: Actor, webhook_id: str, ask: Ask) -> dict[str, Any]:
    actor.require(Action.ADMINISTER)
    with control.db.write() as session:
        before = _view(receivers.get(session, webhook_id))
        receivers.remove(session, webhook_id)
        record(
            control, session, actor, ask, action="webhook.removed", subject=_subject(webhook_id), after=before
        )
    return {"id": webhook_id}


def replay(control: Control, actor: Actor, webhook_id: str, body: Replay, ask: Ask) -> dict[str, Any]:
    """Send again: one event, everything since a time, a test, or, with nothing said, what failed."""
    actor.require(Action.ADMINISTER)
    now = control.now()
    with control.db.write() as session:
        webhook = receivers.get(session, webhook_id)
        if webhook.gone:
            raise Conflict(
                f"webhook {webhook_id} is ended: {webhook.gone}", hint="remove it and add it again"
            )
        chosen = _chosen(control, session, webhook, body)
        for event_id in chosen:
            receivers.deliver(session, webhook_id, event_id, now)
        record(
            control,
            session,
            actor,
            ask,
            action="webhook.replayed",
            subject=_subject(webhook_id),
            after={"events": len(chosen)},
        )
    return {"id": webhook_id, "events": len(chosen)}


def _chosen(control: Control, session: Session, webhook: Webhook, body: Replay) -> list[str]:
    if body.test:
        told = outbox.put(session, Event(TEST, f"webhook/{webhook.id}", control.now()))
        session.flush()
        outbox.take(session, told)
        return [told]
    if body.event:
        found = outbox.get(session, body.event)
        if found is None:
            raise Missing(f"there is no event {body.event!r}: they are kept {KEPT.days} days")
        return [found.id]
    if body.since:
        heard: list[OutboxEvent] = [e for e in outbox.since(session, _time(body.since)) if hears(webhook, e)]
        return [e.id for e in heard]
    return list(receivers.failed(session, webhook.id))


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise _no_time(text) from error
    if found.tzinfo is None:
        raise _no_time(text)
    return found


def _no_time(text: str) -> Invalid:
    message = f"{text!r} is no time with a zone: say 2026-01-31T12:00:00+00:00"
    return Invalid(message, errors=[FieldError("since", message)])


def _subject(webhook_id: str) -> str:
    return f"webhook/{webhook_id}"


def _view(row: Webhook) -> dict[str, Any]:
    names = ("id", "form", "host", "events", "tenants", "note", "created_by", "created_at", "gone")
    return {name: plain(getattr(row, name)) for name in names}


def _health(numbers: dict[str, int], last: str) -> dict[str, Any]:
    known = {status: numbers.get(status, 0) for status in ("waiting", "delivered", "failed")}
    return {"deliveries": known, "last_answer": last}
