"""A house whose changes go through reviews, with real git, and a person with a clone of its repository."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from controlplane.adapters.git import Repository
from controlplane.operations import Create
from controlplane.services import tenants
from controlplane.services.control import Ask, Control
from controlplane.services.reviews import asking as reviews
from controlplane.services.reviews import opening
from controlplane.services.reviews.asking import OpenReview
from controlplane.services.reviews.keeper import Keeper
from controlplane.worker.loop import Worker
from tests.contract.person import Person
from tests.operations.house import ADMIN, ASK, House

FILE = "tenants/acme/tenant.yaml"


@dataclass
class Desk:
    """A house whose changes go through reviews, and a person with a clone."""

    house: House
    control: Control
    forge: Repository
    run: Callable[[], None]
    clones: Path
    _persons: list[Person] = field(default_factory=list)

    @property
    def person(self) -> Person:
        if not self._persons:
            self.forge.base()
            self._persons.append(Person(self.house.folder / "reviews.git", self.clones / "clone"))
        return self._persons[0]

    def create(self, slug: str = "acme", **fields: Any) -> str:
        """A create by the verb; its review, which is planned and open."""
        made = tenants.create(self.control, ADMIN, Create(slug=slug, **fields), ASK)
        self.run()
        return str(made["review"])

    def ready(self, slug: str = "acme") -> None:
        self.merge(self.create(slug))

    def merge(self, review: str) -> dict[str, Any]:
        reviews.merge(self.control, ADMIN, review, ASK)
        self.run()
        return self.shown(review)

    def shown(self, review: str) -> dict[str, Any]:
        return reviews.show(self.control, ADMIN, review)

    def pushed(self, branch: str, text: str, path: str = FILE, start: str = "origin/main") -> str:
        self.person.branch(branch, start)
        self.person.write(path, text)
        return self.person.push(branch, "--force")

    def open(self, branch: str) -> str:
        made = opening.open_(self.control, ADMIN, OpenReview(branch=branch), Ask(reason="by git"))
        self.run()
        return str(made["id"])

    def on_main(self, path: str = FILE) -> str | None:
        return self.forge.read(self.forge.base(), path)

    def size(self, slug: str = "acme") -> str:
        return str(tenants.show(self.control, ADMIN, slug)["size"])


def furnish(house: House, home: Path, worker: Worker) -> Desk:
    forge = Repository(house.folder / "reviews.git")
    control = replace(house.control, changes_through="review", forge=lambda: forge)
    worker.hooks = (Keeper(control, look_seconds=0),)
    return Desk(house, control, forge, lambda: worker.run(until_idle=True), home)
