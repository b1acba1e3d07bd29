"""The worker's part: propose on branches, merge, write back. Each look does what is next for each review.

All of it may be done twice: a commit that is there is found, a status moves only from what was seen. Where
the repository does not answer, the review keeps its status and the next look tries again.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain.errors import Conflict, ControlPlaneError
from controlplane.domain.operation import Status, is_final
from controlplane.domain.review import fleet, layout
from controlplane.domain.review.forge import Forge, Merge, Proposal, Publication, Signature
from controlplane.domain.review.layout import edited_by_hand, tenant_folder
from controlplane.domain.review.progress import ReviewStatus
from controlplane.rendering import PROVENANCE_FILE
from controlplane.services import operations as approving
from controlplane.services import particulars
from controlplane.services.accept import THROUGH_REVIEW, Intake
from controlplane.services.actor import Actor, Role
from controlplane.services.control import Ask, Control
from controlplane.services.founding import call_off
from controlplane.services.once import within
from controlplane.services.particulars import Particulars
from controlplane.services.reviews import content, views
from controlplane.steps import subject
from controlplane.store import operations, reviews, tenants
from controlplane.store.reviews.rows import Review
from controlplane.store.tables import Operation, Plan, Tenant

PUSHED = "the branch was pushed to: "
MERGED_ANYHOW = "merged it, but"  # a person, on the host's page: told, and no failure of a step of ours
SELF = "controlplane"
_AGAIN = timedelta(seconds=3)
_AT_ONCE = 50  # folders in one commit
_PLANNED_AGAIN = "it was planned again meanwhile"
_GOOD = (Status.SUCCEEDED.value, Status.NO_CHANGES.value)


@dataclass
class Keeper:
    """A hook of the worker. What it remembers is only what it need not look at again."""

    control: Control
    look_seconds: float = 5.0
    _looked: float = field(default=0.0, init=False)
    _mark: str = field(default="", init=False)
    _published: dict[str, int] = field(default_factory=dict, init=False)

    def __call__(self) -> None:
        with self.control.db.read() as session:
            rows = reviews.unfinished(session)
        through = self.control.changes_through == THROUGH_REVIEW
        if self.control.forge is None or not (rows or through):
            return
        forge = self.control.forge()
        for review in rows:
            self._keep(forge, review)
        if time.monotonic() - self._looked > self.look_seconds:
            self._looked = time.monotonic()
            self._look_at_branches(forge, rows)
        if through:
            self._publish(forge)

    def _keep(self, forge: Forge, review: Review) -> None:
        if review.status != ReviewStatus.OPEN and self._failed_just_now(review):
            return
        step = _STEPS[ReviewStatus(review.status)]
        try:
            step(self, forge, review)
        except ControlPlaneError as error:
            self._move(review, problem=error.message)

    def _failed_just_now(self, review: Review) -> bool:
        failed = bool(review.problem) and MERGED_ANYHOW not in review.problem
        return failed and self.control.now() - review.updated_at < _AGAIN

    def _move(self, review: Review, **fields: Any) -> bool:
        with self.control.db.write() as session:
            return reviews.move(session, review, **fields, updated_at=self.control.now())

    # --- opening ------------------------------------------------------------------------------------

    def opening(self, forge: Forge, review: Review) -> None:
        """Once it is planned, on its branch; what cannot be planned is closed with the reason."""
        with self.control.db.read() as session:
            operation, plan = views.planned(session, review)
            if operation is not None and is_final(Status(operation.status)):
                return self._close(review, operation)
            if operation is not None and (operation.status != Status.AWAITING_APPROVAL or plan is None):
                return None
            files = self._files(session, review)
        fields: dict[str, Any] = {"meaning": "", "render_digest": ""}
        if plan is not None:
            fields = {"meaning": plan.meaning, "render_digest": plan.render_digest if plan.binding else ""}
        if fields["render_digest"] and files and _digest(files) != fields["render_digest"]:
            raise Conflict(f"{review.subject}: what would be proposed is not what was planned; plan it again")
        signature = Signature(review.requested_by, plan.created_at if plan else review.updated_at)
        message = _message(review, f"Plan: {fields['meaning']}")
        look = forge.propose(Proposal(review.branch, review.folder, files, message, signature, review.head))
        paths = sorted(change.path for change in look.changes)
        opened = {"status": ReviewStatus.OPEN.value, "problem": "", "files": paths}
        self._move(review, **opened, **fields, head=look.head, base=look.base)
        return None

    def _files(self, session: Session, review: Review) -> dict[str, str]:
        catalog = self.control.catalog
        if review.operation_id is None:
            tenant = tenants.by_slug(session, review.tenant_slug)
            files = content.as_recorded(session, tenant, catalog)
            return {**files, layout.TENANT_FILE: review.desired}
        found = subject.read(session, review.operation_id)
        return content.proposed(session, review, found, content.rendering(session, found, catalog))

    def _close(self, review: Review, operation: Operation) -> None:
        why = str(operation.error.get("detail", "")) or f"its operation is {operation.status}"
        ended = {"status": ReviewStatus.CLOSED.value, "problem": why, "ended_at": self.control.now()}
        self._move(review, **ended)

    # --- open ---------------------------------------------------------------------------------------

    def open(self, forge: Forge, review: Review) -> None:
        """Its operation ended, or was planned anew: the branch follows."""
        with self.control.db.read() as session:
            operation, plan = views.planned(session, review)
        if operation is None:
            return
        if is_final(Status(operation.status)):
            self._close(review, operation)
            if review.source == "verb":
                self._drop(forge, review)
        elif plan is not None and plan.meaning != review.meaning and not review.problem:
            self._move(review, status=ReviewStatus.OPENING.value)

    def _drop(self, forge: Forge, review: Review) -> None:
        """As we left it: what a person pushed there since is theirs to keep."""
        if forge.branches().get(review.branch) == review.head:
            forge.drop([review.branch])

    def _look_at_branches(self, forge: Forge, rows: list[Review]) -> None:
        heads = forge.branches()
        self._drop_left_over(forge, heads, {r.branch for r in rows})
        for review in rows:
            if review.status != ReviewStatus.OPEN:
                continue
            try:
                self._look_at(forge, review, heads.get(review.branch))
            except ControlPlaneError as error:
                self._move(review, problem=PUSHED + error.message)

    def _drop_left_over(self, forge: Forge, heads: Mapping[str, str], held: set[str]) -> None:
        """Branches of ours whose review is over, as we left them."""
        ours = [b for b in heads if b.startswith(layout.OURS) and b not in held]
        with self.control.db.read() as session:
            forge.drop([b for b in ours if reviews.knows(session, b, heads[b])])

    def _look_at(self, forge: Forge, review: Review, head: str | None) -> None:
        if head is None:
            return self._deleted(review)
        if head == review.head:
            if review.problem.startswith(PUSHED):
                self._move(review, problem="")
            return None
        since = forge.changed(review.head, head)
        edits = edited_by_hand(forge.look(review.branch).changes, review.folder, since)
        what = f"edited by hand: {', '.join(edits[:5])}" if edits else "its request may be another one"
        problem = f"{PUSHED}{what}; `review open {review.branch}` plans what its tenant.yaml says"
        if problem != review.problem:
            self._move(review, problem=problem)
        return None

    def _deleted(self, review: Review) -> None:
        """Whoever takes the branch away closes the review, and its lock is free."""
        now, why = self.control.now(), "its branch was deleted"
        with self.control.db.write() as session:
            operation, _ = views.planned(session, review)
            if operation is not None and operation.status == Status.AWAITING_APPROVAL:
                call_off(session, operation.id, Status.REJECTED, now, why)
            ended = {"status": ReviewStatus.CLOSED.value, "problem": why, "ended_at": now, "updated_at": now}
            reviews.move(session, review, **ended)

    # --- merging ------------------------------------------------------------------------------------

    def merging(self, forge: Forge, review: Review) -> None:
        """Git first, then the approval: killed in between, the merge is found and the approval follows."""
        with self.control.db.read() as session:
            operation, plan = views.planned(session, review)
        if operation is not None:
            if self.control.apply_before_merge:
                return self._applying(forge, review, operation, plan)
            if is_final(Status(operation.status)):
                return self._close(review, operation)
            if plan is None or plan.meaning != review.meaning:
                return self._back(review, _PLANNED_AGAIN)
        try:
            return self._merge(forge, review)
        except Conflict as error:
            return self._back(review, error.message)

    def _merge(self, forge: Forge, review: Review) -> None:
        self._require_digest(forge, review)
        self._merged_as(review, forge.merge(self._order(review)))

    def _applying(self, forge: Forge, review: Review, operation: Operation, plan: Plan | None) -> None:
        """The approval while it could be merged; Git once that went well."""
        if operation.status in _GOOD:
            try:
                return self._merge(forge, review)
            except Conflict:  # it is done: the base follows what is recorded, whatever was pushed since
                self._move(review, status=ReviewStatus.MERGED.value)
                return None
        if is_final(Status(operation.status)):
            return self._close(review, operation)
        if not _waits_for_a_yes(operation):
            return None
        try:
            self._require_mergeable(forge, review, plan)
        except Conflict as error:
            return self._back(review, error.message)
        return self._apply_first(review)

    def _require_mergeable(self, forge: Forge, review: Review, plan: Plan | None) -> None:
        """What the merge will ask as well, before anything is applied."""
        if plan is None or plan.meaning != review.meaning:
            raise Conflict(_PLANNED_AGAIN)
        self._require_digest(forge, review)
        if forge.branches().get(review.branch) != review.head:
            raise Conflict(f"the branch {review.branch} is not what was reviewed: it was pushed to since")
        if not forge.same(review.base, forge.base(), review.folder):
            raise Conflict(f"{review.folder} changed on {layout.BASE} since the branch left it")

    def _apply_first(self, review: Review) -> None:
        ask = Ask(f"{review.id} is applied, and merged then")
        actor = Actor(review.merged_by, Role.OPERATOR, origin=f"review {review.id}")
        with self.control.db.write() as session:
            inner = within(self.control, session)
            operation, plan = views.planned(session, reviews.get(session, review.id))
            if operation is not None and plan is not None and _waits_for_a_yes(operation):
                approving.record_approval(Intake(inner, session, actor, ask), operation, plan)

    def _order(self, review: Review) -> Merge:
        operation = f"Operation: {review.operation_id or 'none'}"
        message = "Merge: " + _message(review, operation, f"Merged-by: {review.merged_by}")
        signature = Signature(review.merged_by, review.updated_at)
        return Merge(review.branch, review.folder, review.head, review.base, message, signature)

    def _require_digest(self, forge: Forge, review: Review) -> None:
        """What the commit holds is what was planned."""
        if not review.render_digest or review.kind == "destroy":
            return
        text = forge.read(review.head, f"{review.folder}/{PROVENANCE_FILE}")
        if text is None or hashlib.sha256(text.encode()).hexdigest() != review.render_digest:
            raise Conflict(f"the commit {review.head[:12]} is not what was planned")

    def _back(self, review: Review, why: str) -> None:
        with self.control.db.write() as session:
            now = self.control.now()
            reviews.move(session, review, status=ReviewStatus.OPEN.value, problem=why, updated_at=now)
            if review.operation_id:
                note = {"waiting_for": why, "next_command": f"controlplane review show {review.id}"}
                operations.note(session, review.operation_id, **note)

    def _merged_as(self, review: Review, commit: str) -> None:
        actor = Actor(review.merged_by, Role.OPERATOR, origin=f"review {review.id}")
        ask = Ask(f"merge of {review.id} as {commit[:12]}")
        now = self.control.now()
        with self.control.db.write() as session:
            merged = {"status": ReviewStatus.MERGED.value, "merged_commit": commit, "problem": ""}
            if not reviews.move(session, review, **merged, updated_at=now):
                return  # another worker was faster
            inner = within(self.control, session)
            operation, plan = views.planned(session, review)
            if operation is None:
                body = Particulars(**review.request)
                particulars.change(inner, actor, review.tenant_slug, body, ask)
            elif plan is not None and operation.status == Status.AWAITING_APPROVAL:
                approving.record_approval(Intake(inner, session, actor, ask), operation, plan)

    # --- merged -------------------------------------------------------------------------------------

    def merged(self, forge: Forge, review: Review) -> None:
        """Once it is over, the base holds what is recorded, whatever came of it."""
        with self.control.db.read() as session:
            operation, _ = views.planned(session, review)
            if operation is not None and not is_final(Status(operation.status)):
                return
            folder = self._as_recorded(session, review)
            table = fleet.readme(views.fleet_rows(session))
        outcome = operation.status if operation else "described"
        publication = Publication(
            f"{review.kind} {review.subject}: {outcome}\n\nReview: {review.id}\n",
            Signature(SELF, review.updated_at),
            {} if folder is None else {review.folder: folder},
            {layout.README: table},
        )
        commit = forge.publish(publication) or ""
        if review.tenant_slug:
            self._note_commit({review.tenant_slug: commit or review.merged_commit if folder else ""})
        good = operation is None or operation.status in _GOOD
        status = ReviewStatus.APPLIED if good else ReviewStatus.FAILED
        self._move(review, status=status.value, result_commit=commit, ended_at=self.control.now(), problem="")
        self._drop(forge, review)

    def _as_recorded(self, session: Session, review: Review) -> dict[str, str] | None:
        """None: leave the folder as it was merged."""
        if review.tenant_slug:
            tenant = tenants.by_slug(session, review.tenant_slug)
            return content.as_recorded(session, tenant, self.control.catalog)
        return None

    def _note_commit(self, commits: dict[str, str]) -> None:
        """The base's commit whose tenant.yaml is what the catalog has; none for a tenant that is gone."""
        with self.control.db.write() as session:
            for slug, commit in commits.items():
                tenants.note_commit(session, tenants.by_slug(session, slug).uid, commit)

    # --- the fleet as it is -------------------------------------------------------------------------

    def _publish(self, forge: Forge) -> None:
        """What changed without a review (names, labels, a setting just switched on) is on the base too."""
        with self.control.db.read() as session:
            held = {review.folder for review in reviews.unfinished(session)}
            mark = f"{reviews.fleet_mark(session)} {sorted(held)}"
            if mark == self._mark:
                return
            due = [t for t in reviews.fleet(session) if self._is_due(t, held)]
            folders = {
                tenant_folder(t.slug): content.as_recorded(session, t, self.control.catalog)
                for t in due[:_AT_ONCE]
            }
            files = {layout.README: fleet.readme(views.fleet_rows(session))} if due else {}
        if due:
            signature = Signature(SELF, self.control.now())
            commit = forge.publish(Publication("The fleet as it is\n", signature, folders, files))
            if commit:
                self._note_commit({f.removeprefix("tenants/"): commit if folders[f] else "" for f in folders})
        self._published |= {t.uid: t.revision for t in due[:_AT_ONCE]}
        if len(due) <= _AT_ONCE:
            self._mark = mark

    def _is_due(self, tenant: Tenant, held: set[str]) -> bool:
        return tenant_folder(tenant.slug) not in held and self._published.get(tenant.uid) != tenant.revision


_STEPS = {
    ReviewStatus.OPENING: Keeper.opening,
    ReviewStatus.OPEN: Keeper.open,
    ReviewStatus.MERGING: Keeper.merging,
    ReviewStatus.MERGED: Keeper.merged,
}


def _waits_for_a_yes(operation: Operation) -> bool:
    """Approved already, it waits for its turn."""
    return operation.status == Status.AWAITING_APPROVAL and operation.leg_state == "idle"


def _digest(files: dict[str, str]) -> str:
    return hashlib.sha256(files[PROVENANCE_FILE].encode()).hexdigest()


def _message(review: Review, *more: str) -> str:
    """A commit's message: what and why, and where to look."""
    why = " ".join(review.reason.split())[:200]
    head = f"{review.kind} {review.subject}" + (f": {why}" if why else "")
    return "\n".join([head, "", f"Review: {review.id}", *more, ""])
