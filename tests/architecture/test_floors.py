"""Imports point down, effects live in their rooms; what import-linter cannot see is looked at here."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

from tests.architecture.checkout import ROOT, imports, named, python_files, syntax

BROAD = {"BaseException", "Exception"}
OUTERMOST = {
    "controlplane/terminal/outermost.py",  # a person gets a sentence
    "api/edge.py",  # a caller gets a problem
    "controlplane/durable.py",  # an operation gets an end
    "controlplane/supervisor/__main__.py",  # a run's file gets the story
}


def test_every_contract_of_imports_is_kept(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("lint-imports")
    command = str(program) if program.exists() else shutil.which("lint-imports")
    assert command, "import-linter is not installed"
    done = subprocess.run(
        [command, "--cache-dir", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def test_the_lone_cli_only_opens_the_terminal() -> None:
    """import-linter looks at packages; this file is none."""
    allowed = {"controlplane.terminal.app"}
    assert imports(ROOT / "cli.py") == allowed
    kinds = {type(node) for node in syntax(ROOT / "cli.py").body}
    assert kinds <= {ast.Expr, ast.ImportFrom, ast.Assign, ast.If}


def test_only_settings_read_the_environment() -> None:
    readers = {
        named(path)
        for path in python_files("controlplane", "api", "cli.py")
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv", "getenvb")
        if isinstance(node.value, ast.Name) and node.value.id == "os"
    }
    assert readers == {"controlplane/settings.py"}


def test_domain_and_operations_know_no_library_of_the_outside() -> None:
    allowed = {"domain": {"cryptography"}, "operations": {"pydantic"}}
    for room, more in allowed.items():
        for path in python_files(f"controlplane/{room}"):
            tops = {name.partition(".")[0] for name in imports(path)}
            foreign = tops - set(sys.stdlib_module_names) - more - {"controlplane"}
            assert not foreign, f"{named(path)} imports {foreign}"


def test_everything_is_swallowed_only_in_the_outermost_places() -> None:
    """Elsewhere a broad `except` raises again, in other words."""
    swallowing = {
        named(path)
        for path in python_files("controlplane", "api", "cli.py")
        if not named(path).startswith("controlplane/sandbox/")  # 190 foreign services in one process
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.ExceptHandler) and _catches_everything(node)
        if not any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
    }
    assert swallowing <= OUTERMOST


def _catches_everything(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or (isinstance(handler.type, ast.Name) and handler.type.id in BROAD)
