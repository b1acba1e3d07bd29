"""Small functions, files and rooms. Who is larger stands here with a reason."""

from __future__ import annotations

import ast
import statistics
from collections import Counter
from pathlib import Path

import pytest

from tests.architecture.checkout import ROOT, SOURCES, named, python_files, syntax

FUNCTION_LINES, MEDIAN_LINES, P90_LINES = 60, 9, 28
FILE_LINES, TEST_FILE_LINES = 400, 500
ROOM_FILES = 12
ARGUMENTS = 6

LARGE_ROOMS = {
    "controlplane/adapters/postgres": 16,  # one file for each thing that SQL does to a tenant's database
    "controlplane/sandbox/aws": 16,  # one file a thing that the emulator lacks
    "controlplane/sandbox/aws/platform": 16,  # one file a service
    "controlplane/operations": 20,  # one file an operation
    "controlplane/services": 38,  # one file a noun that doors ask for
    "controlplane/steps": 32,  # one file a kind of effect
    "controlplane/terminal": 20,  # one file a matter of the command line; its commands are a room below
    "api/rest": 16,  # one file a noun
    "api": 16,  # what every route needs; the routes are a room below
}
_UNWANTED = ("utils", "util", "helpers", "helper", "common", "misc", "manager", "managers")


def _functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [n for n in ast.walk(syntax(path)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_functions_are_short() -> None:
    lengths = {
        f"{named(path)}:{node.name}": _lines(node)
        for path in python_files(*SOURCES)
        for node in _functions(path)
    }
    too_long = {name: lines for name, lines in lengths.items() if lines > FUNCTION_LINES}
    assert not too_long
    ordered = sorted(lengths.values())
    assert statistics.median(ordered) <= MEDIAN_LINES
    assert ordered[len(ordered) * 9 // 10] <= P90_LINES


def test_files_are_short() -> None:
    too_long = {}
    for path in (*python_files(*SOURCES), *python_files("tests")):
        name = named(path)
        cap = TEST_FILE_LINES if name.startswith("tests/") else FILE_LINES
        lines = path.read_text(encoding="utf-8").count("\n")
        if lines > cap:
            too_long[name] = lines
    assert not too_long


def test_rooms_are_small() -> None:
    files = Counter(named(path.parent) for path in python_files("controlplane", "api", "bench"))
    crowded = {room: count for room, count in files.items() if count > LARGE_ROOMS.get(room, ROOM_FILES)}
    assert not crowded


@pytest.mark.parametrize("excused", LARGE_ROOMS)
def test_an_excuse_names_what_is_there_and_still_needs_it(excused: str) -> None:
    assert len(list((ROOT / excused).glob("*.py"))) > ROOM_FILES


def test_module_inputs_are_few() -> None:
    for variables in sorted(ROOT.glob("modules/*/variables.tf")):
        count = variables.read_text(encoding="utf-8").count('\nvariable "')
        assert count <= 12, f"{named(variables)}: {count}"


def test_names_say_what_a_thing_is() -> None:
    vague = [
        named(path)
        for path in python_files(*SOURCES, "tests")
        if path.stem in _UNWANTED or path.stem.endswith("_service") or path.parent.name in _UNWANTED
    ]
    assert not vague
