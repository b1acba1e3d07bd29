"""A house whose reviews live on a host: the double of GitHub or GitLab, over HTTP."""

from __future__ import annotations

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
            yield Hosted(house, control, host, run)
        finally:
            worker.engine.stop()
