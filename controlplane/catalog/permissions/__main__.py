"""Write the policies of docs/iam anew: `python -m controlplane.catalog.permissions [FOLDER]`."""

from __future__ import annotations

import sys
from pathlib import Path

from controlplane.catalog.permissions import documents, load


def write(folder: Path) -> list[Path]:
    """All of them, and none that the table no longer makes."""
    made = documents(load())
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("*.json"):
        if stale.name not in made:
            stale.unlink()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in made]


if __name__ == "__main__":
    for written in write(Path(*(sys.argv[1:] or ["docs/iam"]))):
        sys.stdout.write(f"{written}\n")
