"""Which webhook hears of which event."""

from __future__ import annotations

import fnmatch

from controlplane.domain.events.catalogue import wants
from controlplane.store.webhooks.rows import OutboxEvent, Webhook


def hears(webhook: Webhook, event: OutboxEvent) -> bool:
    """By type, and by tenant where the webhook is for some only."""
    if webhook.gone or not wants(webhook.events, event.type):
        return False
    if not webhook.tenants:
        return True
    return any(fnmatch.fnmatchcase(event.tenant_slug, pattern) for pattern in webhook.tenants)
