"""What may be asked of a tenant while it soaks, and that both ends of the window stay open behind it.

The short form has four of them; the long one every verb, by both strategies, before both ends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from controlplane.domain.errors import Conflict
from controlplane.domain.operation import Kind
from controlplane.operations import Finalize, Reconcile, Request, Resize, Resume, Rollback, Rotate, Suspend
from tests.operations.house import House
from tests.operations.ordinary import application, change, done, tenant
from tests.operations.test_upgrade_replicated import left_over, replicated
from tests.operations.upgrading import TABLE, picture, rows, slots

Run = Callable[[], None]
Asked = tuple[Kind, Request]
VERBS: dict[str, tuple[Asked, ...]] = {
    "rotate": ((Kind.ROTATE, Rotate()),),
    "rotate-twice": ((Kind.ROTATE, Rotate()), (Kind.ROTATE, Rotate())),
    "rotate-master": ((Kind.ROTATE, Rotate.model_validate({"what": "master"})),),
    "larger": ((Kind.RESIZE, Resize(size="large")),),
    "more-storage": ((Kind.RESIZE, Resize(storage_gb=40)),),
    "sleep": ((Kind.SUSPEND, Suspend()), (Kind.RESUME, Resume())),
    "reconcile": ((Kind.RECONCILE, Reconcile()),),
}
ENDS: dict[str, Asked] = {
    "rollback": (Kind.ROLLBACK, Rollback()),
    "finalize": (Kind.FINALIZE, Finalize(override=True)),
}
SHORT = {
    ("rotate-master", "logical_replication", "rollback"),
    ("more-storage", "logical_replication", "rollback"),
    ("sleep", "logical_replication", "rollback"),
    ("larger", "snapshot_restore", "finalize"),
}


def cells() -> list[Any]:
    every = [(v, s, e) for v in VERBS for s in ("logical_replication", "snapshot_restore") for e in ENDS]
    return [pytest.param(*cell, marks=() if cell in SHORT else pytest.mark.long) for cell in every]


def asked(house: House, run: Run, kind: Kind, body: Request) -> None:
    operation = change(house, kind, body)
    run()
    status = "no_changes" if kind is Kind.RECONCILE else "succeeded"
    done(house, operation, status)


@pytest.mark.parametrize(("verb", "strategy", "end"), cells())
def test_a_soaking_tenant_lives_and_both_ends_stay_open(
    poc: House, run: Run, verb: str, strategy: str, end: str
) -> None:
    replicated(poc, run, strategy=strategy)
    for kind, body in VERBS[verb]:
        asked(poc, run, kind, body)
    assert picture(poc)["state"] == "soaking"
    assert picture(poc)["rollback_loses"].startswith("nothing")
    poc.database.write(application(poc), TABLE, "three")
    asked(poc, run, *ENDS[end])
    stays, goes = (1, 2) if end == "rollback" else (2, 1)
    assert (tenant(poc)["epoch"], tenant(poc)["phase"]) == (stays, "ready")
    assert slots(poc) == {stays: "present", goes: "gone"}
    assert rows(poc) == ["one", "two", "three"]
    assert left_over(poc, stays) == {}
    asked(poc, run, Kind.RECONCILE, Reconcile())
    [database] = poc.cloud.databases()
    assert database.deletion_protection


def test_who_sleeps_while_it_soaks_wakes_before_its_window_ends(poc: House, run: Run) -> None:
    """A stopped database gives its slot back to nobody, and RDS changes none."""
    replicated(poc, run)
    asked(poc, run, Kind.SUSPEND, Suspend())
    for kind, body in ENDS.values():
        with pytest.raises(Conflict, match="acme is suspended"):
            change(poc, kind, body)
    asked(poc, run, Kind.RESUME, Resume())
    asked(poc, run, *ENDS["finalize"])
