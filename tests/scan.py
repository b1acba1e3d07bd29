"""`python -m tests.scan CHECKOV`: a scanner looks at every platform as production has it, and at tenants.

Nothing may fail, of a tenant in development neither. The scanner lives in an environment of its own, since
what it needs is older than what we need.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from controlplane.catalog import load
from controlplane.domain.names import platform_workspace
from controlplane.domain.tenant import Environment
from controlplane.domain.workspace import PlatformWorkspace, Rendering
from controlplane.rendering import render_platform, render_tenant
from tests.contract.rendered import write
from tests.golden.workspaces import TENANTS

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
    failed = [name for name, rendering in renderings() if not _passes(checkov, name, rendering)]
    if failed:
        sys.stderr.write(
            f"failed: {', '.join(failed)}; mend it, or say beside the resource why it is meant\n"
        )
    return 1 if failed else 0


def _passes(checkov: str, name: str, rendering: Rendering) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        place = write(Path(folder) / name.replace(" ", "-"), rendering.files)
        (values,) = place.glob("*.auto.tfvars.json")
        done = subprocess.run(
            [checkov, "-d", str(place), "--var-file", str(values), "--framework", "terraform",
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
