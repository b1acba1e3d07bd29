"""The worker's part where the repository has a host: its pages are told, and what people do there is heard.

What a page shall say follows from the catalog's rows; `shown` is what it says. So nothing is lost while a
host is down, and nothing is said twice. What people did is read from the host itself: a webhook only says
that there is something to read, in whatever order and however often it comes.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from controlplane.domain.errors import ControlPlaneError
from controlplane.domain.operation import Status, is_final
from controlplane.domain.review import layout
from controlplane.domain.review.forge import Case, Check, Forge, Standing
from controlplane.domain.review.progress import UNFINISHED, ReviewStatus, obstacles
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Ask, Control
from controlplane.services.founding import call_off
from controlplane.services.reviews import opening, views
from controlplane.services.reviews.asking import OpenReview
from controlplane.services.reviews.hearing import Hearing, known, refusal, require_known
from controlplane.services.reviews.keeper import MERGED_ANYHOW
from controlplane.store import operations, reviews
from controlplane.store.reviews import host
from controlplane.store.reviews.rows import Review

END = "end"  # told to its end: a page that is looked at no more
_PUSHED = Ask(reason="asked for on its page")
_log = logging.getLogger(__name__)


@dataclass
class Hosting:
    """A hook of the worker, beside the keeper. A host that does not answer is asked again later."""

    control: Control
    look_seconds: float = 30.0
    _looked: float = field(default=float("-inf"), init=False)
    _refused: set[tuple[str, str]] = field(default_factory=set, init=False)  # answered in this life

    def __call__(self) -> None:
        if self.control.forge is None or not self.control.host.kind:
            return
        forge = self.control.forge()
        hears = self._is_time()
        with self.control.db.read() as session:
            rows = {r.id: r for r in (*reviews.unfinished(session), *host.with_page(session))}
        for review in rows.values():
            self._each(review, lambda one: self._tell(forge, one))
            if hears and review.page and review.status in UNFINISHED:
                self._each(review, lambda one: self._hear(forge, one))
        if hears:
            self._each(None, lambda _: self._open_new(forge))
        self._each(None, lambda _: Hearing(self.control).answer(forge))

    def _is_time(self) -> bool:
        with self.control.db.write() as session:
            news = host.news(session, self.control.now())
        if not news and time.monotonic() - self._looked < self.look_seconds:
            return False
        self._looked = time.monotonic()
        return True

    def _each(self, review: Any, act: Callable[[Any], None]) -> None:
        """One page's trouble keeps no other from being told."""
        try:
            act(review)
        except ControlPlaneError as error:
            _log.warning("the page of %s: %s", review.id if review else "answers", error.message)

    # --- what we say --------------------------------------------------------------------------------

    def _tell(self, forge: Forge, review: Review) -> None:
        with self.control.db.read() as session:
            seen = views.in_full(self.control, session, reviews.get(session, review.id))
        if not seen["head"] or seen["status"] == ReviewStatus.OPENING:
            return
        is_over = seen["status"] not in UNFINISHED
        case = Case(
            review=review.id,
            branch=review.branch,
            head=seen["head"],
            title=_title(seen),
            parts=tuple(seen["text"]),
            checks=tuple(Check(one["name"], one["state"], one["text"]) for one in seen["checks"]),
            is_over=is_over,
        )
        digest = hashlib.sha256(repr(asdict(case)).encode()).hexdigest()
        if digest == review.shown:
            return
        page = forge.show(case)
        with self.control.db.write() as session:
            shown = END if is_over else digest
            host.note_page(session, review.id, number=page.number, url=page.url, shown=shown)

    # --- what people push ---------------------------------------------------------------------------

    def _open_new(self, forge: Forge) -> None:
        """A page that a person opened for a branch is a request, in that person's name."""
        for branch, head in sorted(forge.branches().items()):
            with self.control.db.read() as session:
                waits = reviews.of_branch(session, branch) is None and not reviews.knows(
                    session, branch, head
                )
            if branch.startswith(layout.OURS) or not waits or (branch, head) in self._refused:
                continue
            page = forge.standing(branch)
            if page is None or page.head != head or not _asks(page):
                continue
            try:
                actor = require_known(self.control, page.author)
                opening.open_(self.control, actor, OpenReview(branch=branch), _PUSHED)
            except ControlPlaneError as error:
                forge.answer(page.number, f"open:{head}", refusal("plan", error))
                self._refused.add((branch, head))

    # --- what people do -----------------------------------------------------------------------------

    def _hear(self, forge: Forge, review: Review) -> None:
        standing = forge.standing(review.branch)
        if standing is None or standing.is_foreign:
            return None
        if review.status == ReviewStatus.OPEN:
            self._take_votes(review, standing)
            if standing.merged_commit:
                return self._merged(review, standing)
            if not standing.is_open:
                return self._closed(review)
        Hearing(self.control).listen(forge, review)
        return None

    def _take_votes(self, review: Review, standing: Standing) -> None:
        """Approvals by persons whom we know, of the commit that they were given to."""
        ours = [a for a in review.approvals if not a.get("login")]
        votes = []
        for vote in standing.approvals:
            actor = self._actor(vote.login, review)
            if actor is not None:
                votes.append({"actor": actor.name, "head": vote.commit, "login": vote.login})
        if [*ours, *votes] != review.approvals:
            with self.control.db.write() as session:
                reviews.move(session, review, approvals=[*ours, *votes], updated_at=self.control.now())

    def _actor(self, login: str, review: Review) -> Actor | None:
        """Who a login is, if they may approve this; None: nobody who counts."""
        actor = known(self.control, login)
        if actor is None:
            return None
        try:
            actor.require(Action.APPROVE, review.tenant_slug or None)
            if not review.tenant_slug:
                actor.require(Action.CHANGE_PLATFORM)
        except ControlPlaneError:
            return None
        return actor

    def _merged(self, review: Review, standing: Standing) -> None:
        """A person's merge is the approval where that person may give it; else it approves nothing."""
        with self.control.db.read() as session:
            review = reviews.get(session, review.id)
            operation, plan = views.planned(session, review)
            facts = views.facts_of(self.control, review, operation, plan)
        if standing.head != review.head:
            return self._end(review, f"{standing.merged_by} merged a commit that was not planned")
        actor = self._actor(standing.merged_by, review)
        name = actor.name if actor else ""
        against = obstacles(facts, name) if actor else [f"{standing.merged_by} may not approve it here"]
        if not against:
            self._move(review, status=ReviewStatus.MERGING.value, merged_by=name)
        elif operation is None:
            self._end(review, f"{standing.merged_by} {MERGED_ANYHOW} {'; '.join(against)}")
        else:
            self._left_to_approve(review, standing, "; ".join(against))
        return None

    def _left_to_approve(self, review: Review, standing: Standing, why: str) -> None:
        """It is in the base, and nothing of it is applied until somebody who may says so here."""
        told = f"{standing.merged_by} {MERGED_ANYHOW} {why}"
        merged = {"status": ReviewStatus.MERGED.value, "merged_commit": standing.merged_commit}
        with self.control.db.write() as session:
            moved = reviews.move(session, review, **merged, problem=told, updated_at=self.control.now())
            if moved and review.operation_id:
                command = f"controlplane operation approve {review.operation_id}"
                operations.note(session, review.operation_id, waiting_for=told, next_command=command)

    def _closed(self, review: Review) -> None:
        self._end(review, "it was closed on its page")

    def _end(self, review: Review, why: str) -> None:
        """Its operation ends with it, and its lock is free at once."""
        now = self.control.now()
        with self.control.db.write() as session:
            operation, _ = views.planned(session, review)
            if operation is not None and not is_final(Status(operation.status)):
                call_off(session, operation.id, Status.REJECTED, now, why)
            ended = {"status": ReviewStatus.CLOSED.value, "problem": why, "ended_at": now, "updated_at": now}
            reviews.move(session, review, **ended)

    def _move(self, review: Review, **fields: Any) -> None:
        with self.control.db.write() as session:
            reviews.move(session, review, **fields, updated_at=self.control.now())


def _asks(page: Standing) -> bool:
    """A draft asks for nothing yet, a fork never does."""
    return page.is_open and not page.is_foreign and not page.is_draft


def _title(seen: dict[str, Any]) -> str:
    why = " ".join(str(seen["reason"]).split())[:100]
    return f"{seen['kind']} {seen['subject']}" + (f": {why}" if why else "")
