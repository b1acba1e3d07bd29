"""The review's text: the decision on top, nothing lost to a limit but what is said to be, no secret."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controlplane.domain.review.fleet import readme
from controlplane.domain.review.progress import Facts, ReviewStatus, checks, obstacles
from controlplane.domain.review.text import Story, parts

STORY = Story(
    review="rv-1",
    subject="acme",
    kind="resize",
    status="open",
    requested_by="local:ann",
    reason="too slow",
    next_command="controlplane review merge rv-1",
    counts={"update": 1},
    outage="2-5 min",
    cost_before="12.00",
    cost_after="24.00",
    policy=({"rule": "approval.production", "level": "approve", "message": "two pairs of eyes"},),
    digest="ab" * 32,
    changes=(
        {
            "action": "update",
            "address": "module.database",
            "before": {"c": "t4g.micro"},
            "after": {"c": "t4g.small"},
        },
    ),
    request="slug: acme\nsize: small\n",
)


def test_the_top_says_what_a_person_decides_by() -> None:
    (text,) = parts(STORY)
    top = text.split("<details>")[0]
    for word in ("acme", "resize", "local:ann", "too slow", "1 to update", "2-5 min", "12.00 → 24.00"):
        assert word in top.replace("@\u200b", "@")
    assert "approve approval.production" in top
    assert "held by this review" in top
    assert "`controlplane review merge rv-1`" in top
    assert 'c: "t4g.micro" → "t4g.small"' in text
    assert "size: small" in text


def test_a_long_text_comes_in_parts_and_loses_no_resource() -> None:
    many = tuple({"action": "create", "address": f"module.m{n:05}.aws_x.y"} for n in range(3000))
    told = parts(replace(STORY, changes=many), limit=5_000)
    assert len(told) > 5
    assert all(len(part) <= 5_000 for part in told)
    assert all(part.count("<details>") == part.count("</details>") for part in told)
    assert all(part.count("```") % 2 == 0 for part in told)
    whole = "\n".join(told)
    assert all(change["address"] in whole for change in many)
    assert told[0].startswith("*rv-1, part 1 of ")


@pytest.mark.parametrize("limit", [0, 2_000, 3_000])
def test_even_absurd_texts_stay_below_the_limit(limit: int) -> None:
    story = replace(
        STORY,
        reason="r" * 90_000,
        policy=[{"rule": "r", "level": "advise", "message": "m" * 500}] * 200,
        changes=({"action": "update", "address": "a" * 50_000, "before": {}, "after": {}},),
        discarded=tuple("f" * 400 for _ in range(100)),
    )
    assert all(len(part) <= 2_000 + max(0, limit - 2_000) for part in parts(story, limit=limit))


def test_what_people_wrote_cannot_leave_its_place() -> None:
    evil = "x | y\n| <script>alert(1)</script> @everyone"
    text = "\n".join(parts(replace(STORY, reason=evil, request="```\n</details>\n")))
    assert "<script>" not in text
    assert "@everyone" not in text
    assert "x \\| y" in text
    assert text.count("```") == 4


def test_no_secret_is_told() -> None:
    (text,) = parts(replace(STORY, reason="password=hunter2horse", problem="token: ghp_abcdefghijklmnop1234"))
    assert "hunter2horse" not in text
    assert "ghp_" not in text


def test_the_fleet_has_a_line_each() -> None:
    table = readme([{"slug": "acme", "stage": "poc", "monthly_usd": "12.00"}, {"slug": "b|b"}])
    assert "| acme | poc |  |  |  |  | 12.00 |" in table
    assert "b\\|b" in table


# --- what has to be so before a merge -----------------------------------------------------------------

READY = Facts(ReviewStatus.OPEN, "ann", "c1", planned=True)


def test_nothing_is_against_a_planned_open_review() -> None:
    assert obstacles(READY, "ann") == []


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (replace(READY, status=ReviewStatus.MERGING), "merging, not open"),
        (replace(READY, planned=False), "newest"),
        (replace(READY, problem="pushed to"), "pushed to"),
        (replace(READY, policy=[{"rule": "r", "level": "forbid", "message": "never"}]), "never"),
        (replace(READY, delicate=True), "another person"),
        (replace(READY, delicate=True, approvals=[{"actor": "ann", "head": "c1"}]), "another person"),
        (replace(READY, delicate=True, approvals=[{"actor": "bob", "head": "c0"}]), "another person"),
    ],
)
def test_what_is_against_a_merge_is_said(facts: Facts, words: str) -> None:
    assert words in "; ".join(obstacles(facts, "ann"))


def test_a_second_person_approves_or_merges() -> None:
    delicate = replace(READY, delicate=True)
    assert obstacles(delicate, "bob") == []
    assert obstacles(replace(delicate, approvals=[{"actor": "bob", "head": "c1"}]), "ann") == []


def test_checks_tell_plan_policy_and_cost_by_themselves() -> None:
    def states(facts: Facts) -> list[str]:
        return [check["state"] for check in checks(facts, "acme", "")]

    assert states(READY) == ["success"] * 4
    assert states(replace(READY, planned=False)) == ["pending"] * 4
    assert states(replace(READY, problem="x")) == ["failure", "success", "success", "failure"]
    forbidden = replace(READY, policy=[{"rule": "r", "level": "forbid", "message": ""}])
    assert states(forbidden) == ["success", "failure", "success", "failure"]
