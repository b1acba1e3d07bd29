"""A tenant that an older release made is moved to the template of this one, by real Terraform."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controlplane.catalog import load as load_catalog
from tests.architecture.checkout import ROOT
from tests.e2e.machine import Machine
from tests.e2e.team import BLUEPRINT, ask, client, run, team, wait_until

pytestmark = [pytest.mark.long, pytest.mark.terraform, pytest.mark.postgres, pytest.mark.timeout(3600)]
RELEASE = ("cli.py", "api", "controlplane", "modules", "templates")
OLDER, NEWER = "0.9.0", load_catalog().blueprint(BLUEPRINT).template_version
# What changed since, as this release has it and as the older one had it.
CHANGES = (
    (f"controlplane/catalog/blueprints/{BLUEPRINT}.toml", f'version = "{NEWER}"', f'version = "{OLDER}"'),
    ("modules/tenant_database/main.tf", '= "Database ${var.slot', '= "The database ${var.slot'),
)


@pytest.fixture
def company(machine: Machine) -> Iterator[Machine]:
    with team(machine) as made:
        yield made


def older_release(folder: Path) -> Path:
    older = folder / "older"
    older.mkdir()
    for name in RELEASE:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, older / name, ignore=shutil.ignore_patterns("__pycache__", ".terraform*"))
        else:
            shutil.copy(source, older / name)
    for name, now, then in CHANGES:
        file = older / name
        text = file.read_text()
        assert now in text
        file.write_text(text.replace(now, then))
    return older


def work_as(machine: Machine, release: Path | None) -> None:
    """From here on the program is that release; its worker ends before another one's begins."""

    def is_alone() -> bool:
        return not any("cli worker" in words for words in machine.workers_left().values())

    wait_until("the other release's worker has ended", is_alone, seconds=120)
    machine.settings.pop("PYTHONPATH", None)
    if release is not None:
        machine.settings["PYTHONPATH"] = str(release)


def descriptions(machine: Machine) -> set[str]:
    """The first two words of every alarm on the tenant's database, in AWS."""
    alarms = client(machine, "cloudwatch").describe_alarms(AlarmNamePrefix="acme-")["MetricAlarms"]
    return {" ".join(alarm["AlarmDescription"].split()[:2]) for alarm in alarms}


def databases(machine: Machine) -> list[tuple[str, Any]]:
    rows = client(machine, "rds").describe_db_instances()["DBInstances"]
    return [(row["DbiResourceId"], row["InstanceCreateTime"]) for row in rows]


def test_a_tenant_of_an_older_release_stays_until_it_is_moved(company: Machine) -> None:
    work_as(company, older_release(company.folder))
    run(company, "tenant", "create", "acme", "--auto-approve")
    before = databases(company)
    assert descriptions(company) == {"The database"}

    work_as(company, None)
    assert ask(company, "tenant", "reconcile", "acme", "--auto-approve")["status"] == "no_changes"
    behind = ask(company, "template", "outdated")
    [one], [difference] = behind["items"], behind["differences"]
    assert (one["tenant"], one["template_version"], one["newest"]) == ("acme", OLDER, NEWER)
    assert '-  alarm_description   = "The database' in difference["diff"]

    wave = ask(company, "template", "rollout", "--auto-approve")["id"]
    wait_until("the wave is over", lambda: ask(company, "wave", "show", wave)["status"] == "done", every=5)
    assert ask(company, "template", "outdated")["items"] == []
    assert ask(company, "tenant", "show", "acme")["template_version"] == NEWER
    assert not any(words.startswith("The") for words in descriptions(company))
    assert databases(company) == before
    assert ask(company, "tenant", "reconcile", "acme", "--auto-approve")["status"] == "no_changes"
