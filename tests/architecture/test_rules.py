"""docs/rules.md names the test that shows each rule: each of them is there, and runs in every check."""

from __future__ import annotations

import ast
import re

import pytest

from tests.architecture.checkout import ROOT

DOCUMENT = ROOT / "docs/rules.md"
_ROW = re.compile(r"^\| ([A-Z0-9]+-\d\d[^|]*) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
_NAMED = re.compile(r"`([\w/.]+)::(\w+)`")


def held() -> str:
    return DOCUMENT.read_text(encoding="utf-8").partition("\n## Not held")[0]


def in_file(file: str) -> dict[str, bool]:
    """The tests of a file, and whether each of them is part of every check."""
    text = (ROOT / file).read_text(encoding="utf-8")
    if file.endswith(".hcl"):
        return dict.fromkeys(re.findall(r'^run "(\w+)"', text, re.MULTILINE), True)
    whole = re.search(r"^pytestmark = .*\blong\b", text, re.MULTILINE) is None
    return {
        node.name: whole and not any("mark.long" in ast.unparse(mark) for mark in node.decorator_list)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


@pytest.mark.parametrize("file", sorted({file for file, _ in _NAMED.findall(held())}))
def test_every_test_that_a_rule_names_is_there_and_always_runs(file: str) -> None:
    there = in_file(file)
    for name in {name for named, name in _NAMED.findall(held()) if named == file}:
        assert name in there, f"{file} has no {name}"
        assert there[name], f"{file}::{name} runs in the long form only"


def test_every_rule_that_is_held_names_a_test() -> None:
    rows = _ROW.findall(held())
    assert len(rows) > 100
    assert [sign for sign, _, shown in rows if not _NAMED.search(shown)] == []


def test_no_rule_stands_twice_and_every_other_says_why() -> None:
    signs = [sign for sign, _, _ in _ROW.findall(held())]
    assert len(set(signs)) == len(signs)
    others = DOCUMENT.read_text(encoding="utf-8").partition("\n## Not held")[2]
    rows = [line for line in others.splitlines() if re.match(r"^\| [A-Z]", line)]
    assert rows
    assert all(len(line.split("|")[2].strip()) > 10 for line in rows)


def signs_of(cell: str) -> set[str]:
    """`NAT-02…04, 06` as four signs of rules."""
    found, family = set(), ""
    for part in cell.split(","):
        seen = re.fullmatch(r"(?:([A-Z]+[A-Z0-9]*)-)?(\d\d)(?:…(\d\d))?", part.strip())
        assert seen, f"{part.strip()!r} in {cell!r} is no rule's sign"
        family = seen[1] or family
        found |= {f"{family}-{number:02}" for number in range(int(seen[2]), int(seen[3] or seen[2]) + 1)}
    return found


def every_sign() -> list[str]:
    """Of what is held and of what is left out."""
    left = DOCUMENT.read_text(encoding="utf-8").partition("\n## Not held")[2]
    out = [signs_of(cell) for cell in re.findall(r"^\| ([A-Z][^|]+) \|", left, re.MULTILINE)]
    kept = [signs_of(sign) for sign, _, _ in _ROW.findall(held())]
    return [sign for signs in (*kept, *out) for sign in signs]


def test_no_rule_is_both_held_and_left_out() -> None:
    everything = every_sign()
    assert len(everything) == len(set(everything)), {s for s in everything if everything.count(s) > 1}


def test_no_rule_between_two_others_is_forgotten() -> None:
    numbers: dict[str, set[int]] = {}
    for family, _, number in (sign.partition("-") for sign in every_sign()):
        numbers.setdefault(family, set()).add(int(number))
    holes = {f: set(range(1, max(found) + 1)) - found for f, found in numbers.items()}
    assert not any(holes.values()), {family: missing for family, missing in holes.items() if missing}


def test_what_is_left_out_is_little() -> None:
    held_ones = {sign for cell, _, _ in _ROW.findall(held()) for sign in signs_of(cell)}
    assert len(held_ones) > 9 * (len(every_sign()) - len(held_ones))
