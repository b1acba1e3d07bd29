"""The root that docs/iam shows for a new cell, as a person has it: in a checkout."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from controlplane import assets

DOCUMENTS = assets.modules().parent / "docs" / "iam"
_SHOWN = re.compile(r"```hcl\n(.*?)```", re.DOTALL)


def cell_root(folder: Path) -> Path:
    cell = assets.modules() / "cell"
    shutil.copytree(cell, folder / "modules" / "cell", ignore=shutil.ignore_patterns("tests"))
    shutil.copytree(DOCUMENTS, folder / "docs" / "iam")
    (shown,) = _SHOWN.findall((DOCUMENTS / "README.md").read_text(encoding="utf-8"))
    (folder / "main.tf").write_text(shown)
    return folder
