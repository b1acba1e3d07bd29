"""The whole catalog, read and checked once."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from controlplane import assets
from controlplane.catalog.blueprints.files import read_blueprints
from controlplane.catalog.fact_files import read_databases, read_launch, read_quotas, read_regions
from controlplane.catalog.module_files import read_modules
from controlplane.catalog.values import Catalog

_HERE = Path(__file__).resolve().parent


@lru_cache(maxsize=1)
def load() -> Catalog:
    """The catalog that ships with the program; the same value every time."""
    return load_from(_HERE, assets.modules())


def load_from(folder: Path, modules_folder: Path) -> Catalog:
    """A catalog from files of this shape; raises naming file, field and what may stand there."""
    modules = read_modules(modules_folder)
    return Catalog(
        **read_databases(folder / "facts" / "databases.toml"),
        quotas=read_quotas(folder / "facts" / "quotas.toml"),
        regions=read_regions(folder / "facts" / "regions.toml"),
        launch=read_launch(folder / "facts" / "launch.toml"),
        modules=modules,
        blueprints=read_blueprints(folder / "blueprints", modules),
    )
