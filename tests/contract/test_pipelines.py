"""The shell of a pipeline, run as its runner would: over the workspaces that a change touches, no others."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from controlplane.rendering import Pipeline, render_pipeline

_SECONDS = 60
_TERRAFORM = '#!/bin/sh\necho "$(basename "$PWD") $TF_HTTP_ADDRESS $*" >> "$RECORD"\ntest ! -e refuses\n'


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two tenants; what is committed last touches one of them, and a platform that has no workspace."""
    place = tmp_path / "fleet"
    for slug in ("acme", "beta"):
        folder = place / "tenants" / slug
        folder.mkdir(parents=True)
        (folder / "main.tf").touch()
        (folder / "controlplane.json").write_text(f'{{\n  "workspace": "tenant-{slug}"\n}}\n')
    git(place, "init", "-q")
    commit(place)
    (place / "tenants/acme/modules/route").mkdir(parents=True)
    (place / "tenants/acme/modules/route/main.tf").touch()
    (place / "platforms/gone/production").mkdir(parents=True)
    (place / "platforms/gone/production/README.md").touch()
    commit(place)
    terraform = tmp_path / "bin" / "terraform"
    terraform.parent.mkdir()
    terraform.write_text(_TERRAFORM)
    terraform.chmod(0o755)
    return place


def git(place: Path, *words: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *who, *words], cwd=place, check=True, timeout=_SECONDS)


def commit(place: Path) -> None:
    git(place, "add", "-A")
    git(place, "commit", "-qm", "a change")


def play(repository: Path, stage: str) -> tuple[int, list[str]]:
    """One stage of the GitLab pipeline: its exit code, and what Terraform was asked."""
    found = yaml.safe_load(render_pipeline(Pipeline.GITLAB, ()))
    lines = [*found[".workspaces"]["before_script"], *found[stage]["script"]]
    record = repository.parent / "record"
    record.unlink(missing_ok=True)
    environment = {
        "PATH": f"{repository.parent / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "RECORD": str(record),
        "CONTROLPLANE_SERVER": "https://control.example.com",
        "CI_COMMIT_BEFORE_SHA": "HEAD~1",
        "AWS_TOKEN": "nothing",
    }
    text = "set -e\n" + "\n".join(lines).replace("/tmp/", f"{repository.parent}/")
    done = subprocess.run(
        ["/bin/sh", "-c", text], cwd=repository, env=environment, timeout=_SECONDS, check=False
    )
    return done.returncode, record.read_text().splitlines() if record.exists() else []


def test_what_a_change_touches_is_planned_with_its_own_state(repository: Path) -> None:
    code, asked = play(repository, "plan")
    state = "acme https://control.example.com/v1/workspaces/tenant-acme/state"
    assert (code, asked) == (
        0,
        [
            f"{state} init -input=false -lockfile=readonly",
            f"{state} plan -input=false -lock-timeout=5m -out=saved.tfplan",
        ],
    )


def test_a_workspace_whose_state_is_in_a_bucket_says_so(repository: Path) -> None:
    (repository / "tenants/acme/backend.s3.tfbackend").touch()
    _, asked = play(repository, "apply")
    assert asked[0].endswith("-lockfile=readonly -backend-config=backend.s3.tfbackend")
    assert asked[1].endswith("apply -input=false -lock-timeout=5m saved.tfplan")


def test_one_that_fails_fails_the_stage(repository: Path) -> None:
    (repository / "tenants/acme/refuses").touch()
    code, _ = play(repository, "test")
    assert code != 0
