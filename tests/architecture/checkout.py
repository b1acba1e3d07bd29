"""What the tests of this folder look at: the files of the checkout, as text and as syntax."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("controlplane", "api", "bench", "cli.py")
_NOT_OURS = {
    ".git",
    ".venv",
    ".venv-scan",
    ".venv-deploy",
    ".controlplane",
    ".terraform",
    "__pycache__",
    ".hypothesis",
    "results",
}
_TEXT = {
    ".py",
    ".md",
    ".toml",
    ".tf",
    ".j2",
    ".hcl",
    ".sql",
    ".csv",
    ".json",
    ".lock",
    ".html",
    ".css",
    ".svg",
}


def python_files(*roots: str) -> Iterator[Path]:
    for root in roots:
        path = ROOT / root
        yield from [path] if path.suffix == ".py" else sorted(path.rglob("*.py"))


def text_files() -> Iterator[Path]:
    """Everything that people or programs read here, but for what tools leave behind."""
    for path in sorted(ROOT.rglob("*")):
        if path.is_file() and not _is_leftover(path.relative_to(ROOT).parts) and _is_text(path):
            yield path


def _is_text(path: Path) -> bool:
    return path.suffix in _TEXT or path.name in ("Makefile", "LICENSE", "run", ".gitignore")


def _is_leftover(parts: tuple[str, ...]) -> bool:
    caches = any(part.startswith(".") and part.endswith("_cache") for part in parts)
    return caches or bool(_NOT_OURS.intersection(parts))


@cache
def syntax(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> set[str]:
    """The full names of everything that a file imports."""
    found: set[str] = set()
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))
