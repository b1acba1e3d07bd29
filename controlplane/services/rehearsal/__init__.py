"""A dry run says what Terraform would do: plan, cost and policy of a change that nobody asked for yet.

The change is written in a transaction that is taken back, first to draw what it wants, and again to judge the
plan that was made of that meanwhile, outside of any transaction. The plan is a look (docs/adr/0007). Where
none can be made, the answer says why, and is no promise of what the plan would have been.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from controlplane.domain.errors import Unavailable
from controlplane.domain.names import WorkspaceId
from controlplane.domain.operation import Kind, Status
from controlplane.operations import OperationType, operation_type
from controlplane.ports import PlanWanted
from controlplane.services import views
from controlplane.services.control import Control
from controlplane.services.once import Call, rehearse
from controlplane.steps import intents, judging, planning, subject, workspace
from controlplane.steps.world import World, standing_in, world
from controlplane.store import operations

_NO_TERRAFORM = "a server without a worker of its own runs no Terraform: ask on a worker's host"
_FOUND_OUT = "what it imports is found out in AWS when the operation begins"


@dataclass(frozen=True)
class Draft:
    """What would be planned, and of which round. `files` is None where Terraform has no part in it."""

    workspace: WorkspaceId
    round: int
    rounds: int
    destroys: bool = False
    files: Mapping[str, str] | None = None
    written: Mapping[str, str] | None = None


def dry_run(control: Control, change: Call) -> dict[str, Any]:
    """As `change` would answer; a new operation with the plan that it would have, judged."""
    body = rehearse(control, change)
    if body.get("status") != Status.PENDING or "workspace" not in body:
        return body
    try:
        return {**_planned(control, change, Kind(body["kind"])), "dry_run": True}
    except _Unplanned as why:
        return _rehearsed(body, planned=False, would="be planned", why="", note=f"not planned: {why}")


class _Unplanned(Exception):
    """No plan can be made here, and why."""


def _planned(control: Control, change: Call, kind: Kind) -> dict[str, Any]:
    if control.rehearsing is None:
        raise _Unplanned(_NO_TERRAFORM)
    if kind is Kind.ADOPT:
        raise _Unplanned(_FOUND_OUT)
    try:
        stage, plans = control.rehearsing()
    except Unavailable as error:
        raise _Unplanned(error.message) from error
    draft = _on(stage, control, change, _draw)
    document = None
    if draft.files is not None:
        wanted = PlanWanted(draft.workspace, draft.files, draft.destroys, may_be_new=True)
        (found,) = plans.plans([wanted])
        if found.document is None:
            raise _Unplanned(found.problem)
        document = found.document
    return _on(stage, control, change, lambda operation_id: _judge(operation_id, draft, document))


T = TypeVar("T")


def _on(stage: World, control: Control, change: Call, work: Callable[[str], T]) -> T:
    """Work on the operation where it exists: within the transaction that is taken back."""
    worked: list[T] = []

    def within(here: Control) -> dict[str, Any]:
        body = change(here)
        with standing_in(replace(stage, db=here.db)):
            worked.append(work(str(body["id"])))
        return body

    rehearse(control, within)
    return worked[0]


# --- what is planned --------------------------------------------------------------------------------


def _draw(operation_id: str) -> Draft:
    found = subject.load(operation_id)
    of = operation_type(found.kind).varied(found.payload.get("variant", ""))
    number = _telling_round(of)
    draft = Draft(WorkspaceId(found.operation.workspace_id), number, len(of.rounds))
    if not of.rounds[number].plans:
        return draft
    _enter(operation_id, number)
    drawn = workspace.draw(subject.load(operation_id))
    return replace(
        draft,
        destroys=of.rounds[number].destroys,
        files=drawn.files,
        written={"digest": drawn.digest, "version": drawn.template_version, "folder": ""},
    )


def _telling_round(of: OperationType) -> int:
    """The one that destroys, where there is one: what only takes protection off would tell too little."""
    return next((number for number, one in enumerate(of.rounds) if one.destroys), 0)


def _enter(operation_id: str, number: int) -> None:
    with world().db.write() as session:
        operations.note(session, operation_id, round=number)
        session.expire_all()


# --- what is said of it -----------------------------------------------------------------------------


def _judge(operation_id: str, draft: Draft, document: Mapping[str, Any] | None) -> dict[str, Any]:
    """The operation as it would stand once planned."""
    if document is None or draft.written is None:
        intents.record(operation_id, 0)
        is_empty = False
    else:
        _enter(operation_id, draft.round)
        found, plan_id = subject.load(operation_id), f"{operation_id}-rehearsed"
        is_empty = planning.take(found, plan_id, document, draft.written).is_empty
    with world().db.write() as session:
        session.expire_all()
        row = operations.get(session, operation_id)
        verdict = judging.verdict(row, operations.plan_by_id(session, str(row.plan_id)))
        view = views.operation(session, row)
    would, why = _would(verdict, is_empty=is_empty)
    note = "" if draft.rounds == 1 else f"the plan of step {draft.round + 1} of {draft.rounds}"
    return _rehearsed(view, planned=True, would=would, why=why, note=note)


def _would(verdict: Mapping[str, Any], *, is_empty: bool) -> tuple[str, str]:
    if verdict["refused"]:
        return "be rejected", str(verdict["problem"]["detail"])
    if is_empty:
        return "change nothing", ""
    if verdict["needs_approval"]:
        return "wait for an approval", str(verdict["why"])
    return "be applied", ""


def _rehearsed(view: Mapping[str, Any], **told: Any) -> dict[str, Any]:
    """Nothing waits and nothing is to be done: there is no such operation."""
    metadata = {**view["metadata"], "waiting_for": "", "next_command": "", "queue_position": None}
    return {**view, "metadata": metadata, "rehearsal": told}
