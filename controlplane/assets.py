"""Where templates/ and modules/ are: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _root(name: str) -> Path:
    packaged = _PACKAGE / "_assets" / name
    return packaged if packaged.is_dir() else _PACKAGE.parent / name


def templates() -> Path:
    return _root("templates") / "terraform"


def pipelines() -> Path:
    return _root("templates") / "pipelines"


def modules() -> Path:
    return _root("modules")
