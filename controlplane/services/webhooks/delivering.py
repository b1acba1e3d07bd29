"""The outbox, emptied: each event to everybody who hears of it, each delivery until it arrives or ends.

At least once: whoever is killed between sending and recording sends again, under the same id. No order is
promised between events; their times and subjects say which was first.
"""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from controlplane.domain.errors import ControlPlaneError
from controlplane.domain.events.courier import Courier, Parcel, Receipt
from controlplane.domain.events.retrying import pause_after
from controlplane.domain.events.shapes import PREFIX, Form, body_of, cloud_event
from controlplane.services.control import Control
from controlplane.services.webhooks.asking import KEPT
from controlplane.services.webhooks.hearing import hears
from controlplane.store.sealed import open_record
from controlplane.store.webhooks import outbox, receivers
from controlplane.store.webhooks.rows import Delivery

_BATCH = 50
_AT_A_TIME = 8
_FORGET_EVERY = timedelta(hours=1)
_CLAIM = timedelta(minutes=2)  # longer than any attempt


@dataclass
class Postman:
    """What a worker calls now and then; several may run beside each other."""

    control: Control
    _forgot: datetime | None = field(default=None, init=False)

    def tick(self) -> bool:
        """Do what is due; False: nothing was."""
        given = self._dispatch()
        sent = self._send_due()
        if not (given or sent):
            self._forget()
        return bool(given or sent)

    def _dispatch(self) -> int:
        with self.control.db.read() as session:
            found = [event.id for event in outbox.waiting(session, _BATCH)]
        for event_id in found:
            with self.control.db.write() as session:
                event = outbox.get(session, event_id)
                if event is None or not outbox.take(session, event_id):
                    continue
                for webhook in receivers.every(session):
                    if hears(webhook, event):
                        receivers.deliver(session, webhook.id, event_id, self.control.now())
        return len(found)

    def _send_due(self) -> int:
        if self.control.courier is None:
            return 0
        with self.control.db.read() as session:
            found = list(receivers.due(session, self.control.now(), _BATCH))
        mine = [one for one in found if self._claim(one)]
        if not mine:
            return 0
        courier = self.control.courier()
        with ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="webhook") as pool:
            for _ in pool.map(lambda one: self._deliver(courier, one), mine):
                pass
        return len(mine)

    def _claim(self, delivery: Delivery) -> bool:
        with self.control.db.write() as session:
            return receivers.claim(session, delivery, self.control.now() + _CLAIM)

    def _deliver(self, courier: Courier, delivery: Delivery) -> None:
        try:
            parcel = self._parcel(delivery)
            receipt = courier.send(parcel) if parcel else None
        except ControlPlaneError as error:
            receipt = Receipt(False, error.message)
        if receipt is not None:
            self._record(delivery, receipt)

    def _parcel(self, delivery: Delivery) -> Parcel | None:
        """None: webhook or event were removed meanwhile."""
        assert self.control.keyring is not None  # noqa: S101 - whoever has a courier has one
        with self.control.db.read() as session:
            webhooks = {w.id: w for w in receivers.every(session)}
            webhook, event = webhooks.get(delivery.webhook_id), outbox.get(session, delivery.event_id)
        if webhook is None or event is None:
            return None
        kept = json.loads(open_record(self.control.keyring(), webhook))
        told = cloud_event(
            event.id, {"type": event.type, "subject": event.subject, "data": event.data}, event.at
        )
        form = Form(webhook.form)
        return Parcel(form, kept["url"], kept["secrets"], event.id, PREFIX + event.type, body_of(form, told))

    def _record(self, delivery: Delivery, receipt: Receipt) -> None:
        now, mine = self.control.now(), (delivery.webhook_id, delivery.event_id)
        attempts = delivery.attempts + 1
        with self.control.db.write() as session:
            if receipt.delivered:
                receivers.settle(session, *mine, status="delivered", delivered_at=now, detail=receipt.detail)
                return
            pause = pause_after(attempts, receipt.wait_seconds, random.random())  # noqa: S311 - no secret
            if pause is None or receipt.gone:
                receivers.settle(session, *mine, status="failed", detail=receipt.detail)
            else:
                receivers.settle(session, *mine, next_at=now + pause, detail=receipt.detail)
            if receipt.gone:
                receivers.end(session, delivery.webhook_id, f"it answered {receipt.detail}")

    def _forget(self) -> None:
        """Now and then: what is too old to be replayed."""
        now = self.control.now()
        if self._forgot is not None and now - self._forgot < _FORGET_EVERY:
            return
        self._forgot = now
        with self.control.db.write() as session:
            outbox.forget_before(session, now - KEPT)
