"""Which program this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed

from controlplane.store.migrations import HEAD


def version() -> dict[str, str]:
    try:
        number = installed("controlplane")
    except PackageNotFoundError:
        number = "unknown"  # run from a folder that was never installed
    return {"name": "controlplane", "version": number, "catalog_revision": HEAD, "api": "v1"}
