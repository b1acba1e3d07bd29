"""What is answered about webhooks."""

from __future__ import annotations

from api.models import Page, View


class Deliveries(View):
    waiting: int
    delivered: int
    failed: int


class Webhook(View):
    """Its URL is kept sealed: only the host is shown."""

    id: str
    form: str
    host: str
    events: list[str]
    tenants: list[str]
    note: str
    gone: str
    created_by: str
    created_at: str
    deliveries: Deliveries
    last_answer: str


class AddedWebhook(Webhook):
    secret: str


class WebhookPage(Page):
    items: list[Webhook]


class Replayed(View):
    id: str
    events: int
