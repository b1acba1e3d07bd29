"""A blueprint's own checks after a switch.

The database is asked behind the switch while it is still closed: going back costs nothing. The application
cannot be asked before it is let in; then a way back brings along what was written meanwhile, or is not taken.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from controlplane.domain.errors import Refused
from controlplane.domain.migration.evidence import Check
from controlplane.domain.migration.smoke import NO_CHECKS, SmokeChecks, UrlCheck
from controlplane.domain.migration.states import Flip, Strategy
from controlplane.durable import step
from controlplane.steps import moving, subject
from controlplane.steps.credentials import login
from controlplane.steps.story import effect, say
from controlplane.steps.subject import Subject
from controlplane.steps.world import world
from controlplane.store import moves

DATABASE, APPLICATION = "smoke_database", "smoke_application"  # what a migration's receipts call them
_LOOK_SECONDS = 10.0  # for one answer


@effect(DATABASE, "asking the database what its blueprint wants to know")
def ask_database(operation_id: str) -> dict[str, Any]:
    found, row = subject.load(operation_id), moving.of(operation_id)
    control = login(found.the_tenant(), moving.slot_at(found, row.to_epoch), "cp_control")
    ask = world().ports.migration.try_sql
    answers = [
        _answered("sql", check.name, ask(control, check.statements, check.seconds))
        for check in _checks(found).sql
    ]
    return _judge(operation_id, row.id, DATABASE, answers)


@effect(APPLICATION, "asking the application what its blueprint wants to know")
def ask_application(operation_id: str) -> dict[str, Any]:
    found, row = subject.load(operation_id), moving.of(operation_id)
    slug = found.the_tenant().slug
    answers = [_answered("url", check.name, _look(check, slug)) for check in _checks(found).urls]
    return _judge(operation_id, row.id, APPLICATION, answers)


def _checks(found: Subject) -> SmokeChecks:
    return world().smoke.get(found.the_tenant().blueprint, NO_CHECKS)


def _answered(kind: str, name: str, problem: str) -> Check:
    return Check(kind, name, not problem, problem)


def _look(check: UrlCheck, slug: str) -> str:
    """Its last answer's problem, when its time is up: tasks that begin anew need some of it."""
    deadline = time.monotonic() + check.seconds
    while True:
        left = deadline - time.monotonic()
        problem = check.problem(world().ports.web.get(check.url_of(slug), max(1.0, min(_LOOK_SECONDS, left))))
        if not problem or time.monotonic() + world().poll_seconds > deadline:
            return problem
        time.sleep(world().poll_seconds)


def _judge(operation_id: str, migration: str, kind: str, checks: Sequence[Check]) -> dict[str, Any]:
    """Kept with the migration whatever it says; raises when one of them failed."""
    failed = [f"{one.name}: {one.detail}" for one in checks if not one.passed]
    told = [{"name": one.name, "passed": one.passed, "detail": one.detail} for one in checks]
    report = {"passed": not failed, "at": world().now().isoformat(), "checks": told}
    if checks:
        moving.keep(migration, "receipts", {kind: report})
    for one in checks:
        words = "passed" if one.passed else f"failed: {one.detail}"
        say(operation_id, "smoke", f"{one.id} check {one.name!r} {words}")
    if failed:
        raise Refused(
            f"smoke checks failed: {'; '.join(failed)}",
            hint="mend what they ask, or the checks, then: controlplane migration show SLUG",
        )
    return {kind: f"{len(checks)} passed"} if checks else {}


@step("smoke_verdict")
def is_way_back_wanted(operation_id: str) -> bool:
    """Whether the switch is to be taken back by the operation that made it: its checks failed behind it."""
    with world().db.read() as session:
        row = moves.find(session, operation_id)
    if row is None or row.holder != operation_id or row.from_epoch == row.to_epoch:
        return False
    if row.strategy == Strategy.RDS_BLUE_GREEN:  # the side that was left gets nothing back
        return False
    failed = any(not row.receipts.get(kind, {}).get("passed", True) for kind in (DATABASE, APPLICATION))
    return failed and row.flip in (Flip.FLIPPED, Flip.RETURNING)
