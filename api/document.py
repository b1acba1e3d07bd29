"""Write the committed OpenAPI document anew: `python -m api.document`."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from api.app import create_app
from controlplane import wiring
from controlplane.settings import Settings

FILE = Path(__file__).with_name("openapi.json")


def write(file: Path = FILE) -> None:
    """The document depends on the program only; the catalog is a passing one."""
    with tempfile.TemporaryDirectory() as folder:
        control = wiring.control(Settings(database_url=f"sqlite:///{folder}/catalog.db"))
        document = create_app(control).openapi()
        control.db.close()
    file.write_text(
        json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    write()
    sys.stdout.write(f"{FILE}\n")
