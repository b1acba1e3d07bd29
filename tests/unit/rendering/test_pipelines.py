"""Pipelines that run workspaces without us: plan, review, apply, test, over the folders that are there."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from controlplane.domain.errors import Invalid
from controlplane.rendering import Pipeline, render_pipeline
from controlplane.services.blueprints import pipeline

FOLDERS = ("tenants/beta", "tenants/acme", "platforms/rds_per_tenant/production")


def read(of: Pipeline, folders: tuple[str, ...] = FOLDERS) -> dict[str, Any]:
    found = yaml.safe_load(render_pipeline(of, folders))
    assert isinstance(found, dict)
    return found


def test_github_goes_from_plan_to_test_and_a_person_stands_between() -> None:
    jobs = read(Pipeline.GITHUB)["jobs"]
    assert list(jobs) == ["touched", "plan", "review", "apply", "test"]
    assert jobs["review"] | {"steps": []} == {
        "needs": "plan",
        "if": "github.event_name == 'push'",  # a pull request ends with its plan
        "runs-on": "ubuntu-latest",
        "environment": "production",
        "steps": [],
    }
    assert "review" in jobs["apply"]["needs"] and "apply" in jobs["test"]["needs"]


def test_github_applies_with_one_role_and_looks_with_another() -> None:
    jobs = read(Pipeline.GITHUB)["jobs"]
    roles = {
        name: [
            s["with"]["role-to-assume"] for s in jobs[name]["steps"] if "role-to-assume" in s.get("with", {})
        ]
        for name in ("plan", "apply", "test")
    }
    assert roles == {
        "plan": ["${{ vars.PLAN_ROLE }}"],
        "apply": ["${{ vars.APPLY_ROLE }}"],
        "test": ["${{ vars.PLAN_ROLE }}"],
    }


def test_gitlab_waits_for_who_may_deploy_to_production() -> None:
    found = read(Pipeline.GITLAB)
    assert found["stages"] == ["plan", "review", "apply", "test"]
    assert {found[name]["stage"] for name in found["stages"]} == set(found["stages"])
    (rule,) = found["review"]["rules"]
    assert (rule["when"], rule["allow_failure"], found["review"]["environment"]) == (
        "manual",
        False,
        "production",
    )
    assert found["apply"]["script"] == ["each terraform apply -input=false -lock-timeout=5m saved.tfplan"]


def test_atlantis_names_every_workspace_and_applies_what_was_approved() -> None:
    found = read(Pipeline.ATLANTIS)
    assert [one["dir"] for one in found["projects"]] == sorted(FOLDERS)
    assert all("approved" in one["apply_requirements"] for one in found["projects"])
    steps = found["workflows"]["controlplane"]["apply"]["steps"]
    assert steps[-2] == "apply" and "-detailed-exitcode" in steps[-1]["run"]
    assert read(Pipeline.ATLANTIS, ())["projects"] == []


@pytest.mark.parametrize("of", Pipeline)
def test_a_pipeline_says_where_state_is_and_holds_no_secret(of: Pipeline) -> None:
    text = render_pipeline(of, FOLDERS)
    assert "/v1/workspaces/$(sed -n" in text
    assert "backend.s3.tfbackend" in text
    assert text == render_pipeline(of, tuple(reversed(FOLDERS)))


def test_folders_are_those_of_the_repository_of_reviews() -> None:
    text = pipeline("atlantis", [("rds_per_tenant", "production")], ["acme"])
    assert [one["dir"] for one in yaml.safe_load(text)["projects"]] == [
        "platforms/rds_per_tenant/production",
        "tenants/acme",
    ]


def test_another_runner_is_refused_with_those_that_are_there() -> None:
    with pytest.raises(Invalid, match="'jenkins' is none of atlantis, github, gitlab"):
        pipeline("jenkins", [], [])
