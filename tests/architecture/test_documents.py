"""What the documents say is so: settings, commands, links, decisions."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
import typer

from controlplane.operations import offered
from controlplane.settings import PREFIX, Settings
from controlplane.terminal.app import app
from tests.architecture.checkout import ROOT, named, text_files

DOCUMENTS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
DOCUMENTS += sorted((ROOT / "docs").rglob("*.md"))
_LINK = re.compile(r"\]\(([^)#]+)[^)]*\)")


def settings_rows() -> list[str]:
    """The table's lines as README has to have them."""
    rows = []
    for f in fields(Settings):
        default = int(f.default) if isinstance(f.default, bool) else f.default
        shown = "" if f.default == "" else f"`{default}`"
        rows.append(f"| `{PREFIX}{f.name.upper()}` | {shown} | {f.metadata['meaning']} |")
    return rows


def test_every_setting_stands_in_the_readme() -> None:
    compare(ROOT / "README.md", f"| `{PREFIX}", settings_rows())


def test_every_decision_stands_in_the_index() -> None:
    decisions = sorted((ROOT / "docs/adr").glob("[0-9]*.md"))
    numbers = [int(path.name[:4]) for path in decisions]
    assert numbers == list(range(1, len(numbers) + 1))
    titles = [path.read_text().splitlines()[0].removeprefix("# ").partition(". ")[2] for path in decisions]
    rows = [f"- [{title}]({path.name})" for title, path in zip(titles, decisions, strict=True)]
    compare(ROOT / "docs/adr/README.md", "- [", rows)


def compare(document: Path, beginning: str, wanted: list[str]) -> None:
    """The document's lines that begin so are these; UPDATE_DOCS=1 writes them."""
    lines = document.read_text().splitlines()
    places = [n for n, line in enumerate(lines) if line.startswith(beginning)]
    if os.environ.get("UPDATE_DOCS") == "1":
        lines[places[0] : places[-1] + 1] = wanted
        document.write_text("\n".join(lines) + "\n")
    else:
        said = f"UPDATE_DOCS=1 python -m pytest {named(Path(__file__))} brings {named(document)} up to date"
        assert [lines[n] for n in places] == wanted, said


def test_every_setting_that_a_document_names_is_one() -> None:
    known = {PREFIX + f.name.upper() for f in fields(Settings)}
    for path in text_files():
        if path.suffix in (".md", ".py", ".tf", ".toml"):
            named_ones = set(re.findall(rf"\b{PREFIX}[A-Z_]*[A-Z]\b", path.read_text(encoding="utf-8")))
            assert named_ones <= known | {"CONTROLPLANE_X"}, named(path)


def test_the_readme_leads_to_every_document() -> None:
    text = (ROOT / "README.md").read_text()
    for path in (ROOT / "docs").glob("*.md"):
        assert f"(docs/{path.name})" in text, f"README.md does not mention docs/{path.name}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_every_link_leads_somewhere(document: Path) -> None:
    for target in _LINK.findall(document.read_text()):
        if not target.startswith(("http://", "https://")):
            assert (document.parent / target).exists(), target


# --- commands -----------------------------------------------------------------------------------------


def _commands() -> set[str]:
    """`tenant list`, `doctor`, …: everything that can be called, with the verbs that operations offer."""
    found = set()
    root = typer.main.get_command(app)
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        found |= {f"{name} {verb}" for verb in inner} if inner else {name}
    return found | {f"tenant {of.kind.value}" for of in offered()}


def _typed(text: str) -> Iterator[list[str]]:
    """Words behind `controlplane`, in fenced blocks at a line's start and in inline code."""
    fenced = re.findall(r"```(?:console|sh|bash)\n(.*?)```", text, re.S)
    lines = [line.removeprefix("$ ").strip() for block in fenced for line in block.splitlines()]
    plain = re.sub(r"```.*?```", "", text, flags=re.S)
    lines += re.findall(r"`([^`\n]+)`", plain)
    for line in lines:
        if line.startswith("controlplane "):
            yield shlex.split(line, comments=True)[1:]


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_every_command_that_a_document_names_can_be_called(document: Path) -> None:
    known = _commands()
    for words in _typed(document.read_text()):
        plain = [word for word in words if not word.startswith("-")]
        if plain and plain[0].isalpha():
            called = " ".join(plain[:2])
            assert called in known or plain[0] in known, f"controlplane {' '.join(words)}"


def test_make_help_names_every_target() -> None:
    text = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", text, re.M))
    explained = set(re.findall(r"^([a-z]+):.*## ", text, re.M))
    assert targets == explained
    for document in DOCUMENTS:
        assert set(re.findall(r"`make ([a-z]+)`", document.read_text())) <= targets, named(document)
