"""Following an operation: what ends it, what Ctrl-C does, and what is told meanwhile."""

from __future__ import annotations

import io
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any, cast

from controlplane.settings import Settings
from controlplane.terminal import follow
from controlplane.terminal.client import Answer, Client, Manner, Query
from controlplane.terminal.options import Here, Waiting
from controlplane.terminal.output import Form, Printer
from controlplane.terminal.screens import Picture


def view(status: str, *, blocked: bool = False, **more: Any) -> Answer:
    done = status in ("succeeded", "failed", "cancelled", "rejected")
    about = {
        "stage": "",
        "progress": [],
        "queue_position": None,
        "waiting_for": "an approval" if blocked else "",
        "next_command": "controlplane operation approve op-1" if blocked else "",
        "blocked": blocked,
    }
    return {
        "id": "op-1",
        "kind": "create",
        "tenant": "acme",
        "workspace": "tenant-x",
        "status": status,
        "done": done,
        "metadata": about,
        "requested_by": "ann",
        "reason": "",
        "plan": None,
        "cost_before": None,
        "cost_after": None,
        "policy": [],
        **more,
    }


class Scripted:
    """A client whose operation goes through these views, one at each look; an exception is raised."""

    place = "a script"

    def __init__(self, *views: Answer | type[BaseException], worker: str = "") -> None:
        self._views: Iterator[Any] = iter(views)
        self._last: Answer = view("pending")
        self._worker, self._offset = worker, 0
        self.steered: list[tuple[str, str]] = []

    def operation(self, operation_id: str) -> Answer:
        assert operation_id == "op-1"
        found = next(self._views, self._last)
        if isinstance(found, type):
            raise found
        self._last = found
        return self._last

    def events(self, operation_id: str, after: int) -> Answer:
        assert after == self._offset
        self._offset += 1
        event = {
            "offset": self._offset,
            "at": "2026-01-01T10:00:00",
            "type": "status",
            "step": "",
            "data": {},
        }
        return {"items": [{**event, "text": f"now {self._last['status']}"}], "next_page_token": None}

    def log(self, operation_id: str, after: str) -> Answer:
        line = {"at": "2026-01-01T10:00:00", "text": f"line after {after or 'nothing'}\x1b[2J"}
        return {"items": [line], "cursor": f"{after}x", "next_page_token": None}

    def steer(self, verb: str, operation_id: str, body: Query, manner: Manner) -> Answer:
        self.steered.append((verb, operation_id))
        return self._last

    def ensure_worker(self) -> str:
        return self._worker

    def pause(self, most_seconds: float = 10.0) -> None:
        pass


def here(
    client: Scripted, timeout: float | None = None, form: Form = Form.JSON, second_chance: float = 0.01
) -> Here:
    out = Printer(form, out=io.StringIO(), err=io.StringIO())
    made = Here(Settings(poll_seconds=0.1), out, Manner(), Waiting(True, timeout, second_chance))
    made.client = cast(Client, client)
    return made


def said(where: Here) -> str:
    return cast(io.StringIO, where.out.err).getvalue()


def test_it_is_followed_to_its_end_and_everything_is_told_once() -> None:
    where = here(Scripted(view("planning"), view("applying"), view("succeeded")))
    assert follow.follow(where, "op-1") == 0
    told = said(where)
    assert [told.count(f"now {status}") for status in ("planning", "applying", "succeeded")] == [1, 1, 1]
    assert "line after nothing" in told
    assert "line after xx" in told
    assert "\x1b" not in told
    assert '"status": "succeeded"' in cast(io.StringIO, where.out.out).getvalue()


def test_what_waits_for_a_person_ends_the_wait_at_once() -> None:
    client = Scripted(view("planning"), view("awaiting_approval", blocked=True), view("succeeded"))
    where = here(client, form=Form.TABLE)
    assert follow.follow(where, "op-1") == 3
    assert "controlplane operation approve op-1" in cast(io.StringIO, where.out.out).getvalue()


def test_an_approval_that_was_given_is_waited_behind() -> None:
    client = Scripted(view("awaiting_approval"), view("applying"), view("succeeded"))
    assert follow.follow(here(client), "op-1") == 0


def test_with_a_time_out_an_approval_is_waited_for() -> None:
    client = Scripted(*[view("awaiting_approval", blocked=True)] * 3, view("succeeded"))
    assert follow.follow(here(client, timeout=20), "op-1") == 0


def test_a_time_out_leaves_it_running() -> None:
    where = here(Scripted(view("applying")), timeout=0.3)
    assert follow.follow(where, "op-1") == 7
    assert "the work goes on" in said(where)


def test_a_person_who_is_needed_ends_the_wait() -> None:
    assert follow.follow(here(Scripted(view("needs_operator"))), "op-1") == 4


def test_a_refusal_by_policy_is_told_from_a_failure() -> None:
    refused = view("rejected", error={"code": "policy_refused", "detail": "no"})
    assert follow.follow(here(Scripted(refused)), "op-1") == 3
    assert follow.follow(here(Scripted(view("rejected", error={"code": "rejected"}))), "op-1") == 1


def test_ctrl_c_leaves_it_running_and_says_how_to_follow_it() -> None:
    client = Scripted(view("planning"), KeyboardInterrupt)
    where = here(client)
    assert follow.follow(where, "op-1") == 130
    assert "controlplane operation log -f op-1" in said(where)
    assert client.steered == []


def test_a_second_ctrl_c_cancels_it() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs us may have it ignored
    client = Scripted(view("planning"), KeyboardInterrupt, view("applying"), view("cancelled"))
    where = here(client, second_chance=20)
    again = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    again.start()
    assert follow.follow(where, "op-1") == 8
    assert client.steered == [("cancel", "op-1")]
    again.join()


def test_a_worker_that_was_started_is_mentioned() -> None:
    where = here(Scripted(view("succeeded"), worker="no worker was alive: started one"))
    follow.follow(where, "op-1")
    assert "started one" in said(where)


def test_quiet_says_nothing_but_the_result() -> None:
    where = here(Scripted(view("planning"), view("succeeded")))
    where.out.quiet = True
    assert follow.follow(where, "op-1") == 0
    assert said(where) == ""


def test_the_picture_shows_steps_plan_and_terraform_s_last_lines() -> None:
    steps = [
        {"step": "render", "text": "rendering", "state": "done"},
        {"step": "apply", "text": "applying [red]", "state": "started"},
    ]
    plan = {"counts": {"create": 10, "no-op": 3}, "meaning": "ab" * 32}
    seen = view("applying", plan=plan, cost_after="16.58")
    seen["metadata"]["progress"] = steps
    drawn = io.StringIO()
    with Picture(drawn, colored=False) as picture:
        picture.update(seen, [], [{"text": f"line {n}"} for n in range(20)])
    text = drawn.getvalue()
    assert "create acme" in text
    assert "✓ rendering" in text
    assert "… applying [red]" in text
    assert "plan: 10 to create; 0.00 → 16.58 USD/month" in text
    assert "line 19" in text
    assert "line 11" not in text
