"""Comments for us: who says it, whether they may, what it does, and one answer for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from controlplane.domain.errors import ControlPlaneError, Denied
from controlplane.domain.operation import Status
from controlplane.domain.redaction import Redactor
from controlplane.domain.review.forge import Comment, Forge
from controlplane.domain.review.text import cell
from controlplane.domain.review.verbs import Said, Verb, parse, usage
from controlplane.services import explain, operations
from controlplane.services.actor import Action, Actor, Role
from controlplane.services.control import Ask, Control
from controlplane.services.reviews import asking, opening
from controlplane.services.reviews.asking import OpenReview
from controlplane.store import operations as rows
from controlplane.store.reviews import host
from controlplane.store.reviews.rows import HostComment, Review


def known(control: Control, login: str) -> Actor | None:
    """Who a host's login is here; None: nobody."""
    person = control.host.person(login)
    if person is None:
        return None
    return Actor(person.name, Role(person.role), person.tenants, origin=f"{control.host.kind}:{login}")


def require_known(control: Control, login: str) -> Actor:
    found = known(control, login)
    if found is None:
        raise Denied(
            f"{login} is nobody here who may change anything",
            hint="an admin says who is who in CONTROLPLANE_FORGE_PEOPLE_FILE",
        )
    return found


def refusal(verb: str, error: ControlPlaneError) -> str:
    hint = f"\n\nNext: `{cell(error.hint)}`" if error.hint else ""
    return f"**{verb}**: {cell(error.message)}{hint}"


@dataclass(frozen=True)
class Hearing:
    control: Control

    def listen(self, forge: Forge, review: Review) -> None:
        """Whoever told us first, a webhook or a look: each comment is done once."""
        since = review.heard_at or review.created_at
        for comment in forge.comments(review.page, since):
            said = parse(comment.text, self.control.host.verb)
            if said is not None:
                self._hear(review, comment, said)
            with self.control.db.write() as session:
                host.note_heard(session, review.id, comment.at)

    def _hear(self, review: Review, comment: Comment, said: Said) -> None:
        """Killed on the way it is heard again: what verbs do may be done twice."""
        key = f"{self.control.host.kind}:{comment.id}"
        row = HostComment(id=key, review_id=review.id, login=comment.login, word=said.word, at=comment.at)
        with self.control.db.write() as session:
            if host.take_comment(session, row) is None:
                return
        answer = self._answer(review, comment, said)
        with self.control.db.write() as session:
            host.answer(session, key, Redactor().text(answer))

    def answer(self, forge: Forge) -> None:
        """What was decided and not told yet; a host that is down is told later."""
        with self.control.db.read() as session:
            waiting = [(row.id, row.answer, page) for row, page in host.unanswered(session)]
        for key, text, page in waiting:
            forge.answer(page, key, text)
            with self.control.db.write() as session:
                host.note_answered(session, key, self.control.now())

    def _answer(self, review: Review, comment: Comment, said: Said) -> str:
        if said.verb is None:
            return usage(self.control.host.verb, said.word)
        if said.verb is Verb.HELP:
            return usage(self.control.host.verb)
        try:
            actor = require_known(self.control, comment.login)
            return _DOES[said.verb](self, actor, review, Ask(reason=f"{said.verb} by {comment.login}"))
        except ControlPlaneError as error:
            return refusal(said.verb, error)

    # --- verbs --------------------------------------------------------------------------------------

    def _plan(self, actor: Actor, review: Review, ask: Ask) -> str:
        made = opening.open_(self.control, actor, OpenReview(branch=review.branch), ask)
        told = "the first comment tells it once it is done"
        return f"**plan**: {made['kind']} {made['subject']} is being planned; {told}."

    def _apply(self, actor: Actor, review: Review, ask: Ask) -> str:
        made = asking.merge(self.control, actor, review.id, ask)
        return f"**apply**: {made['id']} is {made['status']}, by {cell(actor.name)}."

    def _approve(self, actor: Actor, review: Review, ask: Ask) -> str:
        made = asking.approve(self.control, actor, review.id, ask)
        return f"**approve_policies**: {cell(actor.name)} approves {made['head'][:12]}."

    def _cancel(self, actor: Actor, review: Review, ask: Ask) -> str:
        if not review.operation_id:
            return self._unlock(actor, review, ask)
        made = operations.cancel(self.control, actor, review.operation_id, ask)
        return f"**cancel**: {made['id']} is {made['status']}."

    def _unlock(self, actor: Actor, review: Review, ask: Ask) -> str:
        """Only what is not being done yet can be given up."""
        asking.close(self.control, actor, review.id, ask)
        return f"**unlock**: {review.id} is closed, {review.subject} is free."

    def _explain(self, actor: Actor, review: Review, ask: Ask) -> str:
        del ask
        if not review.tenant_slug:
            actor.require(Action.READ_FLEET)
            return f"**explain**: {self._waiting(review)}"
        found = explain.explain(self.control, actor, review.tenant_slug)
        lines = [f"- {cell(line)}" for line in found["evidence"] if line]
        head = f"**explain**: {cell(found['cause'])} Who may act: {cell(found['who_may_act'])}."
        command = f"\n\nNext: `{found['next_command']}`" if found["next_command"] else ""
        return "\n".join([head, "", *lines]) + command

    def _waiting(self, review: Review) -> str:
        if not review.operation_id:
            return f"it is {review.status}"
        with self.control.db.read() as session:
            row = rows.get(session, review.operation_id)
            return cell(f"{Status(row.status)}: {row.waiting_for or 'nothing is waited for'}")


_DOES: dict[Verb, Callable[[Hearing, Actor, Review, Ask], str]] = {
    Verb.PLAN: Hearing._plan,
    Verb.APPLY: Hearing._apply,
    Verb.APPROVE_POLICIES: Hearing._approve,
    Verb.CANCEL: Hearing._cancel,
    Verb.UNLOCK: Hearing._unlock,
    Verb.EXPLAIN: Hearing._explain,
}
