"""A house whose reviews live on a host: the double of GitHub or GitLab, over HTTP."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from controlplane.domain.review.verbs import HostRules, Person
from controlplane.operations import Create
from controlplane.services import tenants
from controlplane.services.control import Control
from controlplane.services.reviews import asking as reviews
from controlplane.services.reviews.hooks import receive
from controlplane.services.reviews.hosting import Hosting
from controlplane.services.reviews.keeper import Keeper
from tests.contract.hosts.server import Host, Kind, served
from tests.operations.house import ADMIN, ASK, House

PEOPLE: Mapping[str, Person] = {
    "ann-hub": Person("local:ann", "operator"),
    "bob-hub": Person("local:bob", "operator"),
    "eve-hub": Person("local:eve", "viewer"),
    "own-hub": Person("local:own", "operator", ("own-*",)),
}
SECRET = "webhook-secret"


@dataclass
class Hosted:
    house: House
    control: Control
    host: Host
    run: Callable[[], None]
    follow: Callable[[], None]  # what nobody but a webhook sets going

    def create(self, slug: str = "acme", **fields: Any) -> dict[str, Any]:
        """Asked for by the verb; its review, planned and shown on its page."""
        made = tenants.create(self.control, ADMIN, Create(slug=slug, **fields), ASK)
        self.run()
        return self.shown(made["review"])

    def shown(self, review: str) -> dict[str, Any]:
        return reviews.show(self.control, ADMIN, review)

    @property
    def page(self) -> int:
        return max(self.host.double.pulls)

    def says(self, login: str, text: str) -> str:
        """A comment, and what it is answered."""
        self.host.double.say(self.page, login, text)
        self.run()
        return self.host.double.texts(self.page)[-1]

    def deliver(self, payload: Mapping[str, Any]) -> bool:
        """A webhook, with the headers of either host; whether it was news."""
        body = json.dumps(payload).encode()
        headers = {
            "x-hub-signature-256": "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest(),
            "x-github-delivery": str(uuid.uuid4()),
            "x-gitlab-token": SECRET,
            "idempotency-key": str(uuid.uuid4()),
        }
        taken = receive(self.control, self.control.host.kind, headers, body)
        self.follow()
        return bool(taken["accepted"])


@contextmanager
def hosted(kind: Kind, house: House, folder: Path) -> Iterator[Hosted]:
    with served(kind, folder) as host:
        forge = host.forge()
        rules = HostRules(kind.name.lower(), people=PEOPLE, webhook_secret=lambda: SECRET)
        control = replace(house.control, changes_through="review", forge=lambda: forge, host=rules)
        worker = house.worker()
        worker.hooks = (Keeper(control), Hosting(control, look_seconds=3600))

        def run() -> None:
            """To its end, with a look at the host in between, as after a webhook."""
            worker.run(until_idle=True)
            Hosting(control)()
            worker.run(until_idle=True)

        try:
            yield Hosted(house, control, host, run, lambda: worker.run(until_idle=True))
        finally:
            worker.engine.stop()
