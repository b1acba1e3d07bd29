"""`python -m tests.scan CHECKOV`: a scanner looks at every platform as production has it; nothing may fail.

The scanner lives in an environment of its own, since what it needs is older than what we need.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from controlplane.catalog import load
from controlplane.domain.names import platform_workspace
from controlplane.domain.tenant import Environment
from controlplane.domain.workspace import PlatformWorkspace
from controlplane.rendering import render_platform
from tests.contract.rendered import write

_SECONDS = 300
_TFVARS = "platform.auto.tfvars.json"


def main(checkov: str) -> int:
    failed = [name for name in sorted(load().blueprints) if not _passes(checkov, name)]
    if failed:
        sys.stderr.write(
            f"failed: {', '.join(failed)}; mend it, or say beside the resource why it is meant\n"
        )
    return 1 if failed else 0


def _passes(checkov: str, blueprint: str) -> bool:
    environment = Environment.PRODUCTION
    workspace = platform_workspace(blueprint, environment.value, "default")
    rendering = render_platform(
        PlatformWorkspace(workspace, blueprint, environment, "us-east-1", "default"), load()
    )
    with tempfile.TemporaryDirectory() as folder:
        place = write(Path(folder) / blueprint, rendering.files)
        done = subprocess.run(
            [checkov, "-d", str(place), "--var-file", str(place / _TFVARS), "--framework", "terraform",
             "--compact", "--quiet", "--skip-download"],
            timeout=_SECONDS,
            check=False,
        )  # fmt: skip
    sys.stdout.write(f"{blueprint}: {'passed' if done.returncode == 0 else 'failed'}\n")
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
